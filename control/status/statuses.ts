import type { ParentReference } from '../../kube/gateway-api/references.ts'
import { gatewayGroup } from '../../kube/gateway-api/versions.ts'
import { type Condition, type KubeObject, keyOf } from '../../kube/objects.ts'
import { type Allocation, addresses } from '../addresses/allocation.ts'
import { claimConditions, poolConditions } from '../addresses/conditions.ts'
import type { StatusAddress } from '../compile/addresses.ts'
import type { Compiled, GatewayResult } from '../compile/compile.ts'
import { features, lacks } from '../compile/features.ts'
import type { ListenerState } from '../compile/listeners.ts'
import { idOf } from '../compile/parents.ts'
import { placeOf } from '../compile/tally.ts'
import {
  classVerdicts,
  gatewayVerdicts,
  isAcceptedSet,
  listenerVerdicts,
  parentVerdicts,
  policyVerdicts,
  setVerdicts,
  stamped,
  type Verdict,
} from './conditions.ts'

/** The fields of all kinds' statuses. Each kind has its own few of them. */
export interface Status {
  readonly conditions?: readonly Condition[]
  readonly addresses?: readonly StatusAddress[]
  /** Of a Service. */
  readonly loadBalancer?: { readonly ingress: readonly { readonly ip: string }[] }
  readonly listeners?: readonly ListenerStatus[]
  readonly attachedListenerSets?: number
  readonly supportedFeatures?: readonly { readonly name: string }[]
  readonly parents?: readonly ParentStatus[]
  readonly ancestors?: readonly AncestorStatus[]
}

/** ListenerStatus of a Gateway and ListenerEntryStatus of a ListenerSet. */
export interface ListenerStatus {
  readonly name: string
  readonly supportedKinds: readonly { readonly group: string; readonly kind: string }[]
  readonly attachedRoutes: number
  readonly conditions: readonly Condition[]
}

/** RouteParentStatus. */
export interface ParentStatus {
  readonly parentRef: ParentReference
  readonly controllerName: string
  readonly conditions: readonly Condition[]
}

/** PolicyAncestorStatus. */
export interface AncestorStatus {
  readonly ancestorRef: ParentReference
  readonly controllerName: string
  readonly conditions: readonly Condition[]
}

export interface ObjectStatus {
  readonly object: KubeObject
  readonly status: Status
}

/** The status of every object of ours, as far as it is ours to say: entries of other controllers are not there. `now` is
 *  RFC 3339, for the conditions' lastTransitionTime; who writes them keeps the earlier time of a condition that stays. */
export function statuses(compiled: Compiled, now: string): readonly ObjectStatus[] {
  return [
    ...compiled.classes.map((state) => ({
      object: state.class,
      status: {
        conditions: stamped(classVerdicts(state), state.class, now),
        supportedFeatures: features.flatMap(({ name }) =>
          lacks(state.controller, name) === undefined ? [{ name }] : [],
        ),
      },
    })),
    ...compiled.gateways.flatMap((gateway) => gatewayStatuses(gateway, now)),
    ...compiled.routes.flatMap((state) => {
      const { route, parents } = state
      if (parents.length === 0) return []
      const entries = parents.map((parent) => ({
        parentRef: parent.ref,
        controllerName: parent.controller,
        conditions: stamped(parentVerdicts(state, parent), route, now),
      }))
      return [{ object: route, status: { parents: entries } }]
    }),
    ...compiled.policies.flatMap((state) => {
      const { policy, ancestors } = state
      if (ancestors.length === 0) return []
      const conditions = stamped(policyVerdicts(state), policy, now)
      const entries = ancestors.map(({ namespace, name, controller }) => ({
        ancestorRef: { group: gatewayGroup, kind: 'Gateway', namespace, name },
        controllerName: controller,
        conditions,
      }))
      return [{ object: policy, status: { ancestors: entries } }]
    }),
    ...addressStatuses(compiled.allocation, now),
  ]
}

/** Of pools, and of Services that they are to give addresses to. */
function addressStatuses({ objects, pools, outcomes }: Allocation, now: string): readonly ObjectStatus[] {
  return [
    ...pools.map((use) => ({ object: use.pool, status: { conditions: poolConditions(use, now) } })),
    ...objects.services.flatMap((service) => {
      const outcome = outcomes.get(keyOf(service))
      if (outcome === undefined || !outcome.isSelected) return []
      const ingress = addresses(outcome).map((ip) => ({ ip }))
      return [
        { object: service, status: { loadBalancer: { ingress }, conditions: claimConditions(outcome, service, now) } },
      ]
    }),
  ]
}

/** Of a Gateway and its ListenerSets. */
function gatewayStatuses(gateway: GatewayResult, now: string): readonly ObjectStatus[] {
  const { state, listeners, sets } = gateway
  const verdicts = gatewayVerdicts(gateway)
  const ofSets = sets.map((set) => ({ ...set, verdicts: setVerdicts(set, verdicts) }))
  const status = {
    addresses: state.addresses,
    conditions: stamped(verdicts, state.gateway, now),
    listeners: listeners.map((listener) => listenerStatus(listener, verdicts, gateway, now)),
    attachedListenerSets: ofSets.filter(({ verdicts }) => isAcceptedSet(verdicts)).length,
  }
  return [
    { object: state.gateway, status },
    ...ofSets.map(({ set, listeners, verdicts }) => ({
      object: set,
      status: {
        conditions: stamped(verdicts, set, now),
        listeners: listeners.map((listener) => listenerStatus(listener, verdicts, gateway, now)),
      },
    })),
  ]
}

function listenerStatus(
  state: ListenerState,
  parent: readonly Verdict[],
  { attached }: GatewayResult,
  now: string,
): ListenerStatus {
  return {
    name: state.listener.name,
    supportedKinds: state.kinds.map((kind) => ({ group: gatewayGroup, kind })),
    attachedRoutes: attached[placeOf(attached, idOf(state), ({ name }) => name)]?.count ?? 0,
    conditions: stamped(listenerVerdicts(state, parent), state.owner, now),
  }
}
