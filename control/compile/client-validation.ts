import type { ClientTls, Gateway } from '../../kube/gateway-api/gateway.ts'
import type { FieldPath } from '../../kube/rule.ts'
import { error, type Finding, warning } from './finding.ts'
import { type CertificateChecks, type ReferenceFault, referenceFault } from './secrets.ts'
import type { Source } from './source.ts'

const reasons = {
  'not permitted': 'RefNotPermitted',
  'unknown kind': 'InvalidCACertificateKind',
  'not found': 'InvalidCACertificateRef',
  malformed: 'InvalidCACertificateRef',
} as const satisfies Record<ReferenceFault['why'], Finding['reason']>

/** What GatewayTLSConfig.frontend comes to. */
export interface ClientValidation {
  /** For the HTTPS listeners of a port. */
  readonly ofPort: (port: number) => readonly Finding[]
  /** Whether clients of this port must show a certificate. */
  readonly asks: (port: number) => boolean
  /** For the Gateway. */
  readonly findings: readonly Finding[]
}

/** GatewayTLSConfig.frontend: `perPort` replaces `default` for its port. */
export function clientValidation(gateway: Gateway, source: Source, checks: CertificateChecks): ClientValidation {
  const frontend = gateway.spec.tls?.frontend
  const path = ['spec', 'tls', 'frontend']
  const check = (tls: ClientTls | undefined, path: FieldPath) => ({
    tls,
    path,
    findings: caFindings(gateway, tls, path, source, checks),
  })
  const byDefault = check(frontend?.default, [...path, 'default'])
  const perPort = new Map(
    frontend?.perPort?.map(({ port, tls }, index) => [port, check(tls, [...path, 'perPort', index, 'tls'])]),
  )
  const at = (port: number) => perPort.get(port) ?? byDefault
  return {
    ofPort: (port) => at(port).findings,
    asks: (port) => at(port).tls?.validation !== undefined,
    findings: [byDefault, ...perPort.values()].flatMap(({ tls, path }) => insecure(gateway, tls, path)),
  }
}

function caFindings(
  gateway: Gateway,
  tls: ClientTls | undefined,
  path: FieldPath,
  source: Source,
  checks: CertificateChecks,
): readonly Finding[] {
  if (tls?.validation === undefined) return []
  const { caCertificateRefs } = tls.validation
  const refs = [...path, 'validation', 'caCertificateRefs']
  const from = { kind: 'Gateway', namespace: gateway.metadata.namespace }
  const findings = caCertificateRefs.flatMap((reference, index) => {
    const fault = referenceFault(reference, 'ConfigMap', from, source, checks)
    return fault === undefined
      ? []
      : [error(gateway, [...refs, index, fault.field], 'ResolvedRefs', reasons[fault.why], fault.message)]
  })
  if (findings.length === caCertificateRefs.length) {
    const message = 'no CA certificate can be used, so no client could be let in; see the references'
    findings.push(error(gateway, refs, 'Accepted', 'NoValidCACertificate', message))
  }
  return findings
}

function insecure(gateway: Gateway, tls: ClientTls | undefined, path: FieldPath): readonly Finding[] {
  if (tls?.validation?.mode !== 'AllowInsecureFallback') return []
  const message = 'clients without a valid certificate are let in; write AllowValidOnly to keep them out'
  const mode = [...path, 'validation', 'mode']
  return [warning(gateway, mode, 'ConfigurationChanged', message, 'InsecureFrontendValidationMode')]
}
