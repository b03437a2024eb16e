import { isDeepStrictEqual } from 'node:util'
import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import type { ListenerSet } from '../../kube/gateway-api/listener-set.ts'
import { objectKey } from '../../kube/objects.ts'
import type { Origin } from '../../proto/gen/route_table.ts'
import { nameOf } from '../snapshot-index.ts'
import type { ControllerName } from './features.ts'
import { type GatewayListeners, isAccepted, type ListenerState } from './listeners.ts'
import type { Namespaces } from './namespaces.ts'
import type { RouteKind } from './routes.ts'

/** What routes can see of a listener. */
export interface ListenerView {
  /** Listener.id of the table. */
  readonly id: string
  readonly name: string
  readonly port: number
  /** "" for every host. */
  readonly hostname: string
  readonly kinds: readonly RouteKind[]
  readonly namespaces: Namespaces
  /** Routes attach to a listener that is not accepted too, but get no traffic from it. */
  readonly accepted: boolean
}

/** What routes can see of a Gateway or ListenerSet of ours. */
export interface ParentView {
  readonly kind: 'Gateway' | 'ListenerSet'
  readonly namespace: string
  readonly name: string
  /** "namespace/name" of the Gateway, which is the parent itself or that of the ListenerSet. */
  readonly gateway: string
  readonly controller: ControllerName
  /** For Services that do not say it themselves. */
  readonly origin: Origin
  readonly listeners: readonly ListenerView[]
  /** Why a ListenerSet is not part of the Gateway. */
  readonly refused: string | undefined
}

export interface Parents {
  /** By objectKey. */
  readonly byKey: ReadonlyMap<string, ParentView>
  /** Gateways with defaultScope All. */
  readonly defaults: readonly ParentView[]
}

export const noParents: Parents = { byKey: new Map(), defaults: [] }

/** The parents that routes may name. A view that shows the same as before is the same object: then no route looks again. */
export function parentsOf(gateways: readonly GatewayListeners[], earlier: Parents): Parents {
  const byKey = new Map<string, ParentView>()
  const defaults: ParentView[] = []
  const add = (view: ParentView): ParentView => {
    const key = objectKey(view.kind, view.namespace, view.name)
    const before = earlier.byKey.get(key)
    const kept = before !== undefined && isDeepStrictEqual(before, view) ? before : view
    byKey.set(key, kept)
    return kept
  }
  for (const { state, listeners, sets } of gateways) {
    const { gateway, controller, parameters } = state
    const common = { gateway: nameOf(gateway.metadata.namespace, gateway.metadata.name), controller, origin: parameters.origin }
    const view = add({ ...common, ...identity(gateway), listeners: listeners.map(listenerView), refused: undefined })
    if (gateway.spec.defaultScope === 'All') defaults.push(view)
    for (const { set, listeners, findings } of sets) {
      add({ ...common, ...identity(set), listeners: listeners.map(listenerView), refused: findings[0]?.message })
    }
  }
  const same = defaults.length === earlier.defaults.length && defaults.every((view, i) => view === earlier.defaults[i])
  return { byKey, defaults: same ? earlier.defaults : defaults }
}

const identity = ({ kind, metadata }: Gateway | ListenerSet) => ({
  kind,
  namespace: metadata.namespace,
  name: metadata.name,
})

function listenerView(state: ListenerState): ListenerView {
  const { listener, kinds } = state
  const { name, port, hostname = '', allowedRoutes } = listener
  return { id: idOf(state), name, port, hostname, kinds, namespaces: allowedRoutes.namespaces, accepted: isAccepted(state) }
}

/** Listener.id of the table: names are unique in a Gateway, and in each ListenerSet. */
export const idOf = ({ owner: { kind, metadata }, listener: { name } }: ListenerState): string =>
  kind === 'Gateway' ? name : `${metadata.namespace}/${metadata.name}/${name}`
