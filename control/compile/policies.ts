import type { BackendTLSPolicy } from '../../kube/gateway-api/backend-tls-policy.ts'
import { nameOf } from '../snapshot-index.ts'
import type { ControllerName } from './features.ts'
import { type Finding, warning } from './finding.ts'
import type { GatewayListeners } from './listeners.ts'
import type { Source } from './source.ts'
import type { GatewayRoutes } from './tables.ts'
import { placeOf } from './tally.ts'

/** A Gateway whose routes use a Service that a policy targets. */
export interface Ancestor {
  readonly namespace: string
  readonly name: string
  readonly controller: ControllerName
}

/** A BackendTLSPolicy, as far as it matters to Gateways of ours. */
export interface PolicyState {
  readonly policy: BackendTLSPolicy
  /** In order of name; empty for a policy that is none of our business. */
  readonly ancestors: readonly Ancestor[]
  readonly findings: readonly Finding[]
}

/** PolicyStatus.ancestors holds no more. */
const maxAncestors = 16

/** BackendTLSPolicies by the verdicts on their targets. */
export function policyStates(
  policies: readonly BackendTLSPolicy[],
  source: Source,
  gateways: readonly GatewayListeners[],
  routes: ReadonlyMap<string, GatewayRoutes>,
): readonly PolicyState[] {
  return policies.map((policy) => {
    const services = servicesOf(policy)
    const ancestors = gateways.flatMap(({ state: { gateway, controller } }) => {
      const { namespace, name } = gateway.metadata
      const used = routes.get(nameOf(namespace, name))?.services ?? []
      return services.some((service) => placeOf(used, service, ({ name }) => name) !== -1)
        ? [{ namespace, name, controller }]
        : []
    })
    const findings = findingsOf(policy, services, source)
    return { policy, ...bounded(policy, ancestors, findings) }
  })
}

const servicesOf = ({ metadata, spec }: BackendTLSPolicy): readonly string[] => {
  const services = spec.targetRefs.filter(({ group, kind }) => group === '' && kind === 'Service')
  return [...new Set(services.map(({ name }) => nameOf(metadata.namespace, name)))]
}

/** Of all targets. A policy that holds one of them is not refused for those that it lost. */
function findingsOf(policy: BackendTLSPolicy, services: readonly string[], source: Source): readonly Finding[] {
  const verdicts = services.flatMap(
    (service) => source.look('backendTls', service)?.verdicts.filter((verdict) => verdict.policy === policy) ?? [],
  )
  const lost = (finding: Finding): boolean => finding.reason === 'Conflicted' || finding.reason === 'TargetNotFound'
  const holds = verdicts.some(({ findings }) => !findings.some(lost))
  const all = verdicts.flatMap(({ findings }) =>
    findings.map(
      (finding): Finding =>
        holds && lost(finding) ? { ...finding, severity: 'warning', condition: undefined } : finding,
    ),
  )
  // Every target repeats what is wrong with the policy itself.
  const unique = new Map(all.map((finding) => [`${finding.path.join(' ')} ${finding.reason}`, finding]))
  const strange = policy.spec.targetRefs.flatMap(({ group, kind }, index) => {
    if (group === '' && kind === 'Service') return []
    const message = `a BackendTLSPolicy works on Services only, and ${kind} is none; name a Service, with group ""`
    return [warning(policy, ['spec', 'targetRefs', index, 'kind'], 'TargetNotFound', message)]
  })
  return [...unique.values(), ...strange]
}

function bounded(policy: BackendTLSPolicy, ancestors: readonly Ancestor[], findings: readonly Finding[]) {
  if (ancestors.length <= maxAncestors) return { ancestors, findings }
  const message = `${ancestors.length} Gateways use the target, and the status has room for ${maxAncestors}; use a Service of their own for some`
  return {
    ancestors: ancestors.slice(0, maxAncestors),
    findings: [...findings, warning(policy, ['spec', 'targetRefs'], 'Invalid', message)],
  }
}
