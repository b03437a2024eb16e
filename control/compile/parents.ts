import { isDeepStrictEqual } from 'node:util'
import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import type { ListenerSet } from '../../kube/gateway-api/listener-set.ts'
import { objectKey } from '../../kube/objects.ts'
import { nameOf } from '../snapshot-index.ts'
import type { ControllerName } from './features.ts'
import { type GatewayListeners, isAccepted, type ListenerState } from './listeners.ts'
import { isSameList } from './merge.ts'
import type { Namespaces } from './namespaces.ts'
import type { DefaultOrigin } from './origins.ts'
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
  readonly origin: DefaultOrigin
  readonly listeners: readonly ListenerView[]
  /** Why a ListenerSet is not part of the Gateway. */
  readonly refused: string | undefined
  /** GatewaySpec.defaultScope All. */
  readonly isDefault: boolean
}

export interface Parents {
  readonly gateways: readonly GatewayListeners[]
  /** By objectKey. */
  readonly byKey: ReadonlyMap<string, ParentView>
  /** By scope: Gateways that routes can ask for without a name. GatewaySpec.defaultScope. */
  readonly defaults: ReadonlyMap<string, readonly ParentView[]>
}

export const noParents: Parents = { gateways: [], byKey: new Map(), defaults: new Map() }

/** The parents that routes may name. What shows the same as before is the same object: then no route looks again. */
export function parentsOf(gateways: readonly GatewayListeners[], earlier: Parents): Parents {
  if (isSameList(gateways, earlier.gateways)) return earlier
  const byKey = new Map<string, ParentView>()
  for (const view of gateways.flatMap(viewsOf)) {
    const key = objectKey(view.kind, view.namespace, view.name)
    const before = earlier.byKey.get(key)
    byKey.set(key, before !== undefined && isDeepStrictEqual(before, view) ? before : view)
  }
  if (isSameList([...byKey.values()], [...earlier.byKey.values()])) return { ...earlier, gateways }
  const defaults = [...byKey.values()].filter(({ isDefault }) => isDefault)
  return { gateways, byKey, defaults: new Map([['All', defaults]]) }
}

/** Of a Gateway and its ListenerSets. */
function viewsOf({ state, listeners, sets }: GatewayListeners): readonly ParentView[] {
  const { gateway, controller, origin } = state
  const name = nameOf(gateway.metadata.namespace, gateway.metadata.name)
  const common = { gateway: name, controller, origin }
  const isDefault = gateway.spec.defaultScope === 'All'
  return [
    { ...common, ...identity(gateway), listeners: listeners.map(listenerView), refused: undefined, isDefault },
    ...sets.map(({ set, listeners, findings }) => ({
      ...common,
      ...identity(set),
      listeners: listeners.map(listenerView),
      refused: findings[0]?.message,
      isDefault: false,
    })),
  ]
}

const identity = ({ kind, metadata }: Gateway | ListenerSet) => ({
  kind,
  namespace: metadata.namespace,
  name: metadata.name,
})

function listenerView(state: ListenerState): ListenerView {
  const { listener, kinds } = state
  const { name, port, hostname = '', allowedRoutes } = listener
  return {
    id: idOf(state),
    name,
    port,
    hostname,
    kinds,
    namespaces: allowedRoutes.namespaces,
    accepted: isAccepted(state),
  }
}

/** Listener.id of the table: names are unique in a Gateway, and in each ListenerSet. */
export const idOf = ({ owner: { kind, metadata }, listener: { name } }: ListenerState): string =>
  kind === 'Gateway' ? name : `${metadata.namespace}/${metadata.name}/${name}`
