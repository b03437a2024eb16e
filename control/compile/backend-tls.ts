import type { Service } from '../../kube/core/service.ts'
import type { BackendTLSPolicy } from '../../kube/gateway-api/backend-tls-policy.ts'
import { SubjectAltName_Kind, type BackendTls as TableTls } from '../../proto/gen/route_table.ts'
import { nameOf } from '../snapshot-index.ts'
import { oldestFirst } from './age.ts'
import { authoritiesOf } from './certificates.ts'
import { error, type Finding, few } from './finding.ts'
import { type Kept, keep } from './kept.ts'
import { allReferred, type CertificateChecks, type ReferenceFault } from './secrets.ts'
import type { Source } from './source.ts'

/** What came of one targetRef of a policy. */
export interface TargetVerdict {
  readonly policy: BackendTLSPolicy
  /** The name of the Service's port, or "" for all of its ports. */
  readonly section: string
  /** undefined when no connection under the policy could be trusted. */
  readonly tls: TableTls | undefined
  /** About the policy itself, and about this target. */
  readonly findings: readonly Finding[]
}

/** What BackendTLSPolicies say of one Service. */
export interface BackendTls {
  readonly verdicts: readonly TargetVerdict[]
}

/** What policies say of all Services that they target. */
export interface AllBackendTls {
  readonly kept: ReadonlyMap<string, Kept<BackendTls>>
  readonly byService: ReadonlyMap<string, BackendTls>
}

export const noBackendTls: AllBackendTls = { kept: new Map(), byService: new Map() }

/** `services` as "namespace/name". What says the same as before is the same object. */
export function allBackendTls(
  services: Iterable<string>,
  source: Source,
  checks: CertificateChecks,
  earlier: AllBackendTls,
): AllBackendTls {
  const kept = new Map<string, Kept<BackendTls>>()
  for (const service of services) {
    kept.set(
      service,
      keep(earlier.kept.get(service), source, (source) => backendTls(service, source, checks)),
    )
  }
  const isSame =
    kept.size === earlier.kept.size && [...kept].every(([service, tls]) => tls === earlier.kept.get(service))
  return isSame ? earlier : { kept, byService: new Map(Array.from(kept, ([service, { value }]) => [service, value])) }
}

/** The policies of a Service, oldest first: of several with one target and section the first takes precedence. */
function backendTls(service: string, source: Source, checks: CertificateChecks): BackendTls {
  const policies = (source.look('policies', service) ?? []).toSorted(oldestFirst)
  const object = source.look('Service', service)
  const holders = new Map<string, BackendTLSPolicy>()
  const verdicts = policies.flatMap((policy) => {
    const { tls, findings: own } = validation(policy, source, checks)
    return policy.spec.targetRefs.flatMap(({ group, kind, name, sectionName: section = '' }, index) => {
      if (group !== '' || kind !== 'Service' || nameOf(policy.metadata.namespace, name) !== service) return []
      const path = ['spec', 'targetRefs', index]
      const missing = missingTarget(object, service, section)
      const holder = holders.get(section)
      const findings = [...own]
      if (missing !== undefined) findings.unshift(error(policy, path, 'Accepted', 'TargetNotFound', missing))
      else if (holder === undefined) holders.set(section, policy)
      else {
        const message = `BackendTLSPolicy ${holder.metadata.name} has the same target and is older; remove one, or give it a sectionName of its own`
        findings.unshift(error(policy, path, 'Accepted', 'Conflicted', message))
      }
      return [{ policy, section, tls, findings }]
    })
  })
  return { verdicts }
}

function missingTarget(service: Service | undefined, name: string, section: string): string | undefined {
  if (service === undefined) return `there is no Service ${name}; create it, or correct the name`
  if (section === '' || service.spec.ports.some((port) => port.name === section)) return undefined
  const names = service.spec.ports.flatMap(({ name }) => name ?? [])
  return `Service ${name} has no port named ${section}; ${names.length === 0 ? 'its port has no name' : `it has ${few(names)}`}`
}

/** The policy that a port is under: one with its name, else one for the whole Service. */
export function policyOf(tls: BackendTls | undefined, portName: string): TargetVerdict | undefined {
  const holding = tls?.verdicts.filter(
    ({ findings }) => !findings.some(({ reason }) => reason === 'Conflicted' || reason === 'TargetNotFound'),
  )
  return (
    holding?.find(({ section }) => section !== '' && section === portName) ??
    holding?.find(({ section }) => section === '')
  )
}

const reasons = {
  'not permitted': 'InvalidCACertificateRef',
  'unknown kind': 'InvalidKind',
  'not found': 'InvalidCACertificateRef',
  malformed: 'InvalidCACertificateRef',
} as const satisfies Record<ReferenceFault['why'], Finding['reason']>

/** BackendTLSPolicySpec.validation. */
function validation(
  policy: BackendTLSPolicy,
  source: Source,
  checks: CertificateChecks,
): Pick<TargetVerdict, 'tls' | 'findings'> {
  const { caCertificateRefs = [], wellKnownCACertificates } = policy.spec.validation
  const path = ['spec', 'validation']
  if (wellKnownCACertificates !== undefined && wellKnownCACertificates !== 'System') {
    const message = `${wellKnownCACertificates} is no set of CA certificates that Landfall has; write System, or name ConfigMaps under caCertificateRefs`
    return {
      tls: undefined,
      findings: [error(policy, [...path, 'wellKnownCACertificates'], 'Accepted', 'Invalid', message)],
    }
  }
  if (caCertificateRefs.length === 0) return { tls: tableTls(policy, ''), findings: [] }
  const refs = [...path, 'caCertificateRefs']
  const from = { kind: policy.kind, namespace: policy.metadata.namespace }
  const { objects, findings } = allReferred(
    caCertificateRefs,
    'ConfigMap',
    from,
    source,
    checks,
    ({ why, field, message }, index) => error(policy, [...refs, index, field], 'ResolvedRefs', reasons[why], message),
  )
  if (objects.length > 0) return { tls: tableTls(policy, authoritiesOf(objects)), findings }
  const message = 'no CA certificate can be used, so no backend could be trusted; see the references'
  return { tls: undefined, findings: [...findings, error(policy, refs, 'Accepted', 'NoValidCACertificate', message)] }
}

function tableTls({ spec }: BackendTLSPolicy, authorities: string): TableTls {
  const { hostname, subjectAltNames = [] } = spec.validation
  return {
    hostname,
    authorities,
    subjectAltNames: subjectAltNames.map(({ type, hostname = '', uri = '' }) =>
      type === 'Hostname'
        ? { kind: SubjectAltName_Kind.HOSTNAME, value: hostname }
        : { kind: SubjectAltName_Kind.URI, value: uri },
    ),
  }
}
