import { type Backend, type BackendTls, type Listener, Protocol } from '../proto/gen/route_table.ts'
import { chooseByWeight } from './backends.ts'
import type { Matched, Missing, Why } from './decision.ts'
import { HostRoutes } from './host-routes.ts'
import { hostnameOf, wider } from './hosts.ts'
import { HostnameListeners } from './listeners.ts'
import { loadedBackend, missingShards } from './outcome.ts'
import { specificityOf } from './router.ts'
import type { CompiledRule } from './rule.ts'
import { ShardSlot } from './shard-slot.ts'
import type { Table } from './table.ts'

/** Everything that a connection can meet, or a client that sends datagrams. */
export type StreamDecision = StreamForward | StreamRefusal | Missing

/** Send all that comes to an endpoint of `backend`, and back. */
export interface StreamForward {
  readonly type: 'forward'
  readonly matched: Matched
  readonly backend: Backend
  /** Backend.tls, but undefined where the client's own TLS passes through. */
  readonly tls: BackendTls | undefined
}

/** Close the connection, drop the datagram. */
export interface StreamRefusal {
  readonly type: 'refuse'
  readonly matched: Matched | undefined
  readonly why: Why
}

/** Decides what happens to connections and datagrams by the table of one Gateway. */
export class Streams {
  readonly table: Table
  readonly #tls: ReadonlyMap<number, HostnameListeners>

  constructor(table: Table) {
    const tls = new Map<number, HostnameListeners>()
    for (const listener of table.root.listeners) {
      if (listener.protocol !== Protocol.TLS && listener.protocol !== Protocol.HTTPS) continue
      const port = tls.get(listener.port) ?? new HostnameListeners()
      port.add(listener)
      tls.set(listener.port, port)
    }
    this.table = table
    this.#tls = tls
  }

  /** "namespace/name". */
  get gateway(): string {
    return this.table.root.gateway
  }

  /** The HTTPS or TLS listener with the most specific hostname for a server name; "" for a client that sends none. */
  tlsListener(port: number, serverName: string): Listener | undefined {
    return this.#tls.get(port)?.choose(hostnameOf(serverName))
  }

  /** The only listener of a port for connections or datagrams of which nothing is known. */
  plainListener(protocol: typeof Protocol.TCP | typeof Protocol.UDP, port: number): Listener | undefined {
    return this.table.root.listeners.find((each) => each.protocol === protocol && each.port === port)
  }

  /** What to do with a connection to a TLS, TCP or UDP listener; `serverName` is "" for all but TLS. `random` as in
   *  Router.decide. */
  decide(listener: Listener, serverName: string, random: () => number): StreamDecision {
    this.table.beginDecision()
    const routes = this.#routes(listener, serverName)
    if (routes instanceof ShardSlot) return { type: 'missing', shards: [routes.name] }
    return routes === undefined ? NO_ROUTE : this.#outcome(routes.streamRule(), listener, random)
  }

  /** The backend with this key as it is now, where connections or datagrams to `listener` may still go there. */
  destination(listener: Listener, serverName: string, key: string): Backend | undefined {
    this.table.beginDecision()
    const routes = this.#routes(listener, serverName)
    if (!(routes instanceof HostRoutes)) return undefined
    const target = routes
      .streamRule()
      ?.targets.find(({ backend, weight, invalid }) => backend === key && weight > 0 && invalid === '')
    return target && loadedBackend(target, this.table)
  }

  #routes(listener: Listener, serverName: string): HostRoutes | ShardSlot | undefined {
    for (let name = hostnameOf(serverName); ; name = wider(name)) {
      const routes = this.table.host(listener.id, name)
      if (routes !== undefined || name === listener.hostname || name === '') return routes
    }
  }

  #outcome(rule: CompiledRule | undefined, { tls }: Listener, random: () => number): StreamDecision {
    if (rule === undefined) return NO_ROUTE
    const { matched } = rule
    const refuse = (why: Why): StreamRefusal => ({ type: 'refuse', matched, why })
    const missing = missingShards(rule.certain === undefined ? rule.targets : [rule.certain], this.table)
    if (missing !== undefined) return missing
    // "Connection rejections must respect weight", TCPRouteRule.backendRefs.
    const target = rule.certain ?? chooseByWeight(rule.targets, random)
    if (target === undefined) return refuse('no-backends')
    const backend = target.invalid === '' ? loadedBackend(target, this.table) : undefined
    if (backend === undefined) return refuse('invalid-backend')
    if (backend.endpoints.length === 0) return refuse('no-endpoints')
    return { type: 'forward', matched, backend, tls: tls?.passthrough === true ? undefined : backend.tls }
  }
}

const NO_ROUTE: StreamRefusal = { type: 'refuse', matched: undefined, why: 'no-route' }

/** The listener that a connection or a datagram belongs to. */
export interface StreamPlace {
  readonly streams: Streams
  readonly listener: Listener
}

/** Of several Gateways on one port, the one whose listener's hostname takes the server name most specifically; of equal ones
 *  the first by name. */
export function chooseTls(all: readonly Streams[], port: number, serverName: string): StreamPlace | undefined {
  let best: StreamPlace | undefined
  let highest = -1
  for (const streams of all) {
    const listener = streams.tlsListener(port, serverName)
    if (listener === undefined) continue
    const specificity = specificityOf(listener.hostname)
    if (
      specificity < highest ||
      (specificity === highest && best !== undefined && best.streams.gateway < streams.gateway)
    )
      continue
    best = { streams, listener }
    highest = specificity
  }
  return best
}

/** Of several Gateways, the first that has a listener for connections or datagrams of which nothing is known. */
export function choosePlain(
  all: readonly Streams[],
  protocol: typeof Protocol.TCP | typeof Protocol.UDP,
  port: number,
): StreamPlace | undefined {
  for (const streams of all) {
    const listener = streams.plainListener(protocol, port)
    if (listener !== undefined) return { streams, listener }
  }
  return undefined
}

/** Whether a request is to be answered with 421, since another listener takes its authority than took the server name of its
 *  connection. Listener.hostname, "To detect misdirected requests"; RFC 9110 section 15.5.20. */
export function isMisdirected(all: readonly Streams[], port: number, serverName: string, authority: string): boolean {
  const wanted = chooseTls(all, port, authority)
  return wanted !== undefined && wanted.listener !== chooseTls(all, port, serverName)?.listener
}
