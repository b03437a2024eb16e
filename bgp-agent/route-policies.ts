import type { FamilyName } from './address.ts'
import { familyOf, type Prefix } from './bgp/prefix.ts'
import type { NodePlan, PeerPlan } from './plan/node-plan.ts'
import { describeAttributes } from './plan/route-attributes.ts'

/** What a session does with routes, in the order in which it looks at them. */
export interface RoutePolicy {
  readonly instance: string
  readonly name: string
  /** Of routes to the peer, or from it. */
  readonly type: 'export' | 'import'
  readonly peer: string
  readonly family: FamilyName | 'any'
  /** Empty: all. */
  readonly prefixes: readonly Prefix[]
  readonly action: 'accept' | 'reject'
  /** What is said of the routes. */
  readonly attributes: readonly string[]
}

/** For each peer: its routes by what is said of them, then nothing else, and nothing of what comes from it. */
export const routePolicies = ({ instances }: Pick<NodePlan, 'instances'>): readonly RoutePolicy[] =>
  instances.flatMap(({ name, peers }) => peers.flatMap((peer) => policiesOf(name, peer)))

function policiesOf(instance: string, { name, address, routes }: PeerPlan): readonly RoutePolicy[] {
  const groups = Map.groupBy(routes, ([prefix]) => familyOf(prefix))
  const all = { instance, peer: address }
  const rest = { ...all, family: 'any', prefixes: [], action: 'reject', attributes: [] } as const
  return [
    ...[...groups].flatMap(([family, ofFamily]) =>
      [...Map.groupBy(ofFamily, ([, attributes]) => attributes)].map(
        ([attributes, alike], index): RoutePolicy => ({
          ...all,
          name: `${name}-${family}-${index + 1}`,
          type: 'export',
          family,
          prefixes: alike.map(([prefix]) => prefix),
          action: 'accept',
          attributes: describeAttributes(attributes),
        }),
      ),
    ),
    { ...rest, name: `${name}-export-rest`, type: 'export' },
    { ...rest, name: `${name}-import`, type: 'import' },
  ]
}
