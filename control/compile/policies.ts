import type { BackendTLSPolicy } from '../../kube/gateway-api/backend-tls-policy.ts'
import { servicesOf } from '../snapshot-index.ts'
import type { AllBackendTls } from './backend-tls.ts'
import type { ControllerName } from './features.ts'
import { type Finding, warning } from './finding.ts'
import { isSameList } from './merge.ts'
import { placeOf, type Tally } from './tally.ts'

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

/** A Gateway, as far as policies go. */
export interface PolicyGateway extends Ancestor {
  /** Services that its routes use. */
  readonly services: Tally
}

/** What came of all policies, and what it was made of. */
export interface Policies {
  readonly states: readonly PolicyState[]
  readonly inputs: readonly unknown[]
}

export const noPolicies: Policies = { states: [], inputs: [] }

/** BackendTLSPolicies by the verdicts on their targets. The same again while nothing about them has changed. */
export function allPolicies(
  policies: readonly BackendTLSPolicy[],
  tls: AllBackendTls,
  gateways: readonly PolicyGateway[],
  earlier: Policies,
): Policies {
  const inputs = [
    policies,
    tls,
    ...gateways.flatMap(({ namespace, name, controller, services }) => [namespace, name, controller, services]),
  ]
  return isSameList(inputs, earlier.inputs)
    ? earlier
    : { states: policies.map((policy) => policyState(policy, tls, gateways)), inputs }
}

function policyState(policy: BackendTLSPolicy, tls: AllBackendTls, gateways: readonly PolicyGateway[]): PolicyState {
  const services = servicesOf(policy)
  const ancestors = gateways.flatMap(({ services: used, ...ancestor }) =>
    services.some((service) => placeOf(used, service, ({ name }) => name) !== -1) ? [ancestor] : [],
  )
  return { policy, ...bounded(policy, ancestors, findingsOf(policy, services, tls)) }
}

/** Of all targets. A policy that holds one of them is not refused for those that it lost. */
function findingsOf(policy: BackendTLSPolicy, services: readonly string[], tls: AllBackendTls): readonly Finding[] {
  const verdicts = services.flatMap(
    (service) => tls.byService.get(service)?.verdicts.filter((verdict) => verdict.policy === policy) ?? [],
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
