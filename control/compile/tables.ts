import { isDeepStrictEqual } from 'node:util'
import { type Backend, type Host, type Listener, Protocol } from '../../proto/gen/route_table.ts'
import { nameOf } from '../snapshot-index.ts'
import type { GatewayTable } from '../table.ts'
import { isProtocol } from './features.ts'
import { changedHosts, type HostChange, type HostState, hostKey, type Shared } from './hosts.ts'
import { type GatewayListeners, isAccepted, isAcceptedGateway } from './listeners.ts'
import { idOf } from './parents.ts'
import { isAcceptedAt, type RouteState } from './route-state.ts'
import { counted, type Tally } from './tally.ts'

/** What the routes of one Gateway come to. */
export interface GatewayRoutes {
  /** In order of key. */
  readonly states: readonly HostState[]
  /** Of `states`. */
  readonly hosts: readonly Host[]
  /** Routes by Listener.id: ListenerStatus.attachedRoutes. */
  readonly attached: Tally
  /** Routes by Backend.key, for the backends of `hosts`. */
  readonly backends: Tally
  /** Routes by Service, of routes of all kinds that are accepted. */
  readonly services: Tally
}

export const noRoutes: GatewayRoutes = { states: [], hosts: [], attached: [], backends: [], services: [] }

/** What changed for one Gateway. */
interface Changes {
  readonly hosts: Map<string, HostChange>
  readonly attached: Map<string, number>
  readonly backends: Map<string, number>
  readonly services: Map<string, number>
}

/** The routes by Gateway, "namespace/name", after some routes went and others came. What nothing touches is the same object. */
export function changedRoutes(
  earlier: ReadonlyMap<string, GatewayRoutes>,
  removed: Iterable<RouteState>,
  added: Iterable<RouteState>,
  shared: Shared,
): ReadonlyMap<string, GatewayRoutes> {
  const changes = new Map<string, Changes>()
  for (const state of removed) contribute(state, -1, changes)
  for (const state of added) contribute(state, 1, changes)
  if (changes.size === 0) return earlier
  const next = new Map(earlier)
  for (const [gateway, change] of changes) {
    const before = earlier.get(gateway) ?? noRoutes
    const states = changedHosts(before.states, change.hosts, shared)
    const after = {
      states,
      hosts: states === before.states ? before.hosts : states.map(({ host }) => host),
      attached: counted(before.attached, change.attached),
      backends: counted(before.backends, change.backends),
      services: counted(before.services, change.services),
    }
    if (after.attached.length === 0 && after.services.length === 0) next.delete(gateway)
    else next.set(gateway, after)
  }
  return next
}

const add = (counts: Map<string, number>, name: string, change: number): void => {
  counts.set(name, (counts.get(name) ?? 0) + change)
}

/** What one route means to its Gateways. */
function contribute({ parents }: RouteState, sign: 1 | -1, changes: Map<string, Changes>): void {
  const isFirst = firstTimes()
  for (const state of parents) {
    if (!isAcceptedAt(state)) continue
    const { attachments, rules, gateway } = state
    let change = changes.get(gateway)
    if (change === undefined) {
      change = { hosts: new Map(), attached: new Map(), backends: new Map(), services: new Map() }
      changes.set(gateway, change)
    }
    for (const { listener, isServed, hostnames } of attachments) {
      // Two parentRefs may lead to one listener.
      if (parents.length > 1 && !isFirst(gateway, listener)) continue
      add(change.attached, listener, sign)
      if (!isServed || rules.matches.length === 0) continue
      for (const hostname of hostnames) {
        const key = hostKey(listener, hostname)
        let host = change.hosts.get(key)
        if (host === undefined) {
          host = { listener, hostname, added: [], removed: [] }
          change.hosts.set(key, host)
        }
        const list = sign === 1 ? host.added : host.removed
        list.push(rules)
      }
    }
    if (parents.length > 1 && !isFirst(gateway)) continue
    for (const service of rules.services) add(change.services, service, sign)
    if (rules.matches.length === 0) continue
    for (const backend of rules.backends) add(change.backends, backend, sign)
  }
}

/** Tells whether these words come for the first time. */
function firstTimes(): (...words: string[]) => boolean {
  const seen = new Set<string>()
  return (...words) => {
    const before = seen.size
    return seen.add(words.join(' ')).size > before
  }
}

/** The table of a Gateway; undefined for one that is not accepted, or has no place. The earlier table comes back when it says the same. */
export function gatewayTable(
  gateway: GatewayListeners,
  hosts: readonly Host[],
  backends: readonly Backend[],
  earlier: GatewayTable | undefined,
): GatewayTable | undefined {
  if (!isAcceptedGateway(gateway) || !gateway.state.isPlaced) return undefined
  const { metadata } = gateway.state.gateway
  const table: GatewayTable = {
    gateway: nameOf(metadata.namespace, metadata.name),
    controller: gateway.state.controller,
    addresses: gateway.state.asked,
    listeners: tableListeners(gateway),
    hosts,
    backends,
    settings: { ...gateway.state.settings, clientCertificate: gateway.clientCertificate },
  }
  return earlier !== undefined && isSame(earlier, table) ? earlier : table
}

const tableListeners = ({ listeners, sets }: GatewayListeners): readonly Listener[] =>
  [listeners, ...sets.map(({ listeners }) => listeners)].flatMap((all) =>
    all.filter(isAccepted).map((state) => {
      const { port, protocol, hostname = '' } = state.listener
      if (!isProtocol(protocol)) throw new Error(`listener ${idOf(state)} is accepted with protocol ${protocol}`)
      return { id: idOf(state), port, protocol: Protocol[protocol], hostname, tls: state.tls }
    }),
  )

const isSame = (a: GatewayTable, b: GatewayTable): boolean =>
  a.hosts === b.hosts &&
  a.backends === b.backends &&
  isDeepStrictEqual(
    [a.controller, a.addresses, a.listeners, a.settings],
    [b.controller, b.addresses, b.listeners, b.settings],
  )
