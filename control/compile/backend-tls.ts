import type { Service } from '../../kube/core/service.ts'
import type { BackendTLSPolicy } from '../../kube/gateway-api/backend-tls-policy.ts'
import { nameOf } from '../snapshot-index.ts'
import { oldestFirst } from './age.ts'
import { error, type Finding, few, turns } from './finding.ts'
import { type Kept, keep } from './kept.ts'
import { type CertificateChecks, type ReferenceFault, referenceFault } from './secrets.ts'
import type { Source } from './source.ts'

/** What came of one targetRef of a policy. */
export interface TargetVerdict {
  readonly policy: BackendTLSPolicy
  /** The name of the Service's port, or "" for all of its ports. */
  readonly section: string
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
    const own = validity(policy, source, checks)
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
      return [{ policy, section, findings }]
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

/** Whether connections under a policy can be made safely. */
export const isUsable = ({ findings }: TargetVerdict): boolean => !turns(findings, 'Accepted')

const reasons = {
  'not permitted': 'InvalidCACertificateRef',
  'unknown kind': 'InvalidKind',
  'not found': 'InvalidCACertificateRef',
  malformed: 'InvalidCACertificateRef',
} as const satisfies Record<ReferenceFault['why'], Finding['reason']>

/** BackendTLSPolicySpec.validation. */
function validity(policy: BackendTLSPolicy, source: Source, checks: CertificateChecks): readonly Finding[] {
  const { caCertificateRefs = [], wellKnownCACertificates } = policy.spec.validation
  const path = ['spec', 'validation']
  if (wellKnownCACertificates !== undefined && wellKnownCACertificates !== 'System') {
    const message = `${wellKnownCACertificates} is no set of CA certificates that Landfall has; write System, or name ConfigMaps under caCertificateRefs`
    return [error(policy, [...path, 'wellKnownCACertificates'], 'Accepted', 'Invalid', message)]
  }
  const from = { kind: policy.kind, namespace: policy.metadata.namespace }
  const findings = caCertificateRefs.flatMap((reference, index) => {
    const fault = referenceFault(reference, 'ConfigMap', from, source, checks)
    if (fault === undefined) return []
    return [
      error(
        policy,
        [...path, 'caCertificateRefs', index, fault.field],
        'ResolvedRefs',
        reasons[fault.why],
        fault.message,
      ),
    ]
  })
  if (caCertificateRefs.length > 0 && findings.length === caCertificateRefs.length) {
    const message = 'no CA certificate can be used, so no backend could be trusted; see the references'
    findings.push(error(policy, [...path, 'caCertificateRefs'], 'Accepted', 'NoValidCACertificate', message))
  }
  return findings
}
