import type { ClientTls, Gateway } from '../../kube/gateway-api/gateway.ts'
import type { FieldPath } from '../../kube/rule.ts'
import type { ClientValidation as TableValidation } from '../../proto/gen/route_table.ts'
import { authoritiesOf } from './certificates.ts'
import { error, type Finding, warning } from './finding.ts'
import { allReferred, type CertificateChecks, type ReferenceFault } from './secrets.ts'
import type { Source } from './source.ts'

const reasons = {
  'not permitted': 'RefNotPermitted',
  'unknown kind': 'InvalidCACertificateKind',
  'not found': 'InvalidCACertificateRef',
  malformed: 'InvalidCACertificateRef',
} as const satisfies Record<ReferenceFault['why'], Finding['reason']>

/** What is asked of the clients of a port. */
export interface PortValidation {
  /** What can be used of the references. */
  readonly clients: TableValidation
  /** For the HTTPS listeners of the port. */
  readonly findings: readonly Finding[]
}

/** What GatewayTLSConfig.frontend comes to. */
export interface ClientValidation {
  /** undefined for a port where clients need no certificate. */
  readonly ofPort: (port: number) => PortValidation | undefined
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
    asked: asked(gateway, tls, path, source, checks),
  })
  const byDefault = check(frontend?.default, [...path, 'default'])
  const perPort = new Map(
    frontend?.perPort?.map(({ port, tls }, index) => [port, check(tls, [...path, 'perPort', index, 'tls'])]),
  )
  return {
    ofPort: (port) => (perPort.get(port) ?? byDefault).asked,
    findings: [byDefault, ...perPort.values()].flatMap(({ tls, path }) => insecure(gateway, tls, path)),
  }
}

function asked(
  gateway: Gateway,
  tls: ClientTls | undefined,
  path: FieldPath,
  source: Source,
  checks: CertificateChecks,
): PortValidation | undefined {
  if (tls?.validation === undefined) return undefined
  const { caCertificateRefs, mode } = tls.validation
  const refs = [...path, 'validation', 'caCertificateRefs']
  const from = { kind: 'Gateway', namespace: gateway.metadata.namespace }
  const { objects, findings } = allReferred(
    caCertificateRefs,
    'ConfigMap',
    from,
    source,
    checks,
    ({ why, field, message }, index) => error(gateway, [...refs, index, field], 'ResolvedRefs', reasons[why], message),
  )
  const clients = { authorities: authoritiesOf(objects), insecureFallback: mode === 'AllowInsecureFallback' }
  if (objects.length > 0) return { clients, findings }
  const message = 'no CA certificate can be used, so no client could be let in; see the references'
  return { clients, findings: [...findings, error(gateway, refs, 'Accepted', 'NoValidCACertificate', message)] }
}

function insecure(gateway: Gateway, tls: ClientTls | undefined, path: FieldPath): readonly Finding[] {
  if (tls?.validation?.mode !== 'AllowInsecureFallback') return []
  const message = 'clients without a valid certificate are let in; write AllowValidOnly to keep them out'
  const mode = [...path, 'validation', 'mode']
  return [warning(gateway, mode, 'ConfigurationChanged', message, 'InsecureFrontendValidationMode')]
}
