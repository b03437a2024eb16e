import type { Matched } from '../../engine/decision.ts'
import type { StreamDecision } from '../../engine/streams.ts'
import { type Listener, Protocol } from '../../proto/gen/route_table.ts'
import { sampleHostnames } from './entrances.ts'
import { backendText, percent } from './facets.ts'
import { plainBackend } from './fate.ts'
import { hostKey, type TableSide } from './table-side.ts'

/** A connection, or a client's datagrams, of which the first bytes say all that is looked at. */
export interface Connection {
  readonly protocol: 'TLS' | 'TCP' | 'UDP'
  readonly port: number
  /** What the client asks for by SNI; "" for a client that does not, and without TLS. */
  readonly serverName: string
}

/** Connections that change their fate. */
export interface ConnectionChange {
  readonly witness: Connection
  /** Ids of the listeners that take them. */
  readonly listenerBefore: string | undefined
  readonly listenerAfter: string | undefined
  /** What becomes of them, line by line. */
  readonly before: readonly string[]
  readonly after: readonly string[]
}

interface StreamFate {
  readonly listener: Listener | undefined
  readonly lines: readonly string[]
  /** All of it, to be compared. */
  readonly exact: string
}

/** One for each pair of listeners and fates, that with the shortest name. */
export function connectionChanges(before: TableSide, after: TableSide): readonly ConnectionChange[] {
  const changes = new Map<string, ConnectionChange>()
  for (const witness of connections(before, after)) {
    const old = fateOf(before, witness)
    const young = fateOf(after, witness)
    if (old.exact === young.exact || isOfRequests(old, young)) continue
    const key = JSON.stringify([old.listener?.id, young.listener?.id, old.exact, young.exact])
    const known = changes.get(key)
    if (known !== undefined && known.witness.serverName.length <= witness.serverName.length) continue
    changes.set(key, {
      witness,
      listenerBefore: old.listener?.id,
      listenerAfter: young.listener?.id,
      before: old.lines,
      after: young.lines,
    })
  }
  return [...changes.values()]
}

/** An HTTPS listener that comes or goes shows in what becomes of its requests. */
const isOfRequests = (...[old, young]: readonly [StreamFate, StreamFate]): boolean =>
  (old.listener === undefined && young.listener?.protocol === Protocol.HTTPS) ||
  (young.listener === undefined && old.listener?.protocol === Protocol.HTTPS)

function* connections(before: TableSide, after: TableSide): Generator<Connection> {
  const listeners = [...before.root.listeners, ...after.root.listeners]
  const ofTls = listeners.filter(({ protocol }) => protocol === Protocol.HTTPS || protocol === Protocol.TLS)
  const ids = new Set(ofTls.filter(({ protocol }) => protocol === Protocol.TLS).map(({ id }) => id))
  const hosts = [...before.hosts.values(), ...after.hosts.values()].filter(({ listener }) => ids.has(listener))
  const names = ['', ...sampleHostnames([...ofTls, ...hosts].map(({ hostname }) => hostname)).values()]
  for (const port of new Set(ofTls.map(({ port }) => port))) {
    for (const serverName of names) yield { protocol: 'TLS', port, serverName }
  }
  for (const protocol of ['TCP', 'UDP'] as const) {
    const own = listeners.filter((listener) => listener.protocol === Protocol[protocol])
    for (const port of new Set(own.map(({ port }) => port))) yield { protocol, port, serverName: '' }
  }
}

function fateOf(side: TableSide, { protocol, port, serverName }: Connection): StreamFate {
  const { streams } = side
  const listener =
    protocol === 'TLS' ? streams.tlsListener(port, serverName) : streams.plainListener(Protocol[protocol], port)
  if (listener === undefined) return { listener, lines: ['refused: no listener'], exact: '' }
  const tls = listener.tls
  const security =
    tls === undefined || tls.passthrough
      ? []
      : [
          `ended by ${tls.certificates.join(', ') || 'no certificate'}`,
          ...(tls.clients === undefined
            ? []
            : [`clients show a certificate${tls.clients.insecureFallback ? ', or not' : ''}`]),
        ]
  const isRequests = listener.protocol === Protocol.HTTPS
  const ways = isRequests ? [] : streamWays(side, listener, serverName)
  return {
    listener,
    lines: [...security, ...(isRequests ? ['requests'] : ways.map(({ text }) => text))],
    exact: JSON.stringify([isRequests, tls, ways]),
  }
}

interface Way {
  readonly text: string
  /** What the engine decides, without the rule's name. */
  readonly decision: unknown
}

/** One for each draw that makes a difference. */
function streamWays(side: TableSide, listener: Listener, serverName: string): readonly Way[] {
  const first = side.streams.decide(listener, serverName, () => 0)
  const refs = first.type === 'missing' ? [] : weighted(side, first.matched)
  const total = refs.reduce((sum, weight) => sum + weight, 0)
  let below = 0
  const ways = (refs.length < 2 ? [1] : refs).map((weight) => {
    const draw = total === 0 ? 0 : (below + weight / 2) / total
    below += weight
    const decision = side.streams.decide(listener, serverName, () => draw)
    return { share: refs.length < 2 ? 1 : weight / total, decision: plain(decision) }
  })
  const groups = Map.groupBy(ways, ({ decision }) => JSON.stringify(decision))
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, group]) => {
      const share = group.reduce((sum, way) => sum + way.share, 0)
      return group.slice(0, 1).map(({ decision }) => ({
        text: share === 1 ? decision.text : `${percent(share)} ${decision.text}`,
        decision,
      }))
    })
}

function plain(decision: StreamDecision): { readonly text: string; readonly [part: string]: unknown } {
  switch (decision.type) {
    case 'missing':
      throw new TypeError(`shards ${decision.shards.join()} are missing of a whole table`)
    case 'refuse':
      return { text: `refused: ${decision.why}` }
    case 'forward': {
      const backend = plainBackend(decision.backend)
      return { text: backendText(backend), backend, tls: decision.tls }
    }
  }
}

function weighted({ hosts }: TableSide, matched: Matched | undefined): readonly number[] {
  if (matched === undefined) return []
  const { listener, hostname, route, rule } = matched
  const found = hosts
    .get(hostKey(listener, hostname))
    ?.rules.find((each) => each.route === route && each.index === rule)
  return found?.backends.flatMap(({ weight }) => (weight > 0 ? [weight] : [])) ?? []
}
