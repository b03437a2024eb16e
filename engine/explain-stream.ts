import { type Host, type Listener, Protocol } from '../proto/gen/route_table.ts'
import type { Missing } from './decision.ts'
import { decodedHosts, type ExplainedMatch, explained, type LostMatch, protocolName } from './explain.ts'
import { covers, hostnameOf } from './hosts.ts'
import type { StreamDecision, StreamRefusal, Streams } from './streams.ts'

/** What is known of a connection, or of a client that sends datagrams. */
export interface StreamFacts {
  readonly protocol: 'tls' | 'tcp' | 'udp'
  readonly port: number
  /** Of the ClientHello; "" when there is none. */
  readonly serverName: string
}

/** Why a connection or a datagram meets what it meets. */
export interface StreamExplanation {
  readonly type: 'explanation'
  /** 'requests': TLS ends at an HTTPS listener, and each request within is decided on by itself. */
  readonly decision: Exclude<StreamDecision, Missing> | { readonly type: 'requests' }
  /** The one that takes it. */
  readonly listener: Listener | undefined
  readonly otherListeners: readonly { readonly listener: Listener; readonly why: string }[]
  /** Hostnames of the listener that take it and have a route, most specific first. */
  readonly hostnames: readonly string[]
  readonly winner: ExplainedMatch | undefined
  /** Routes for less specific hostnames. */
  readonly others: readonly LostMatch[]
}

const NO_LISTENER: StreamRefusal = { type: 'refuse', matched: undefined, why: 'no-listener' }

/** Walks the table as Streams.decide does. `random` as there. */
export function explainStream(streams: Streams, facts: StreamFacts, random: () => number): StreamExplanation | Missing {
  const { table } = streams
  const listener = listenerOf(streams, facts)
  const decision = listener === undefined ? NO_LISTENER : decide(streams, listener, facts, random)
  if (decision.type === 'missing') return decision
  const isStream = listener !== undefined && decision.type !== 'requests'
  const hosts = isStream ? decodedHosts(table, listener, hostnameOf(facts.serverName)) : []
  if ('shards' in hosts) return hosts
  const [winner, ...others] = hosts.flatMap((host) => host.matches.slice(0, 1).map((match) => ofHost(host, match)))
  return {
    type: 'explanation',
    decision,
    listener,
    otherListeners: table.root.listeners
      .filter((other) => other !== listener)
      .map((other) => ({ listener: other, why: whyNotListener(other, facts) })),
    hostnames: hosts.map(({ hostname }) => hostname),
    winner,
    others: others.map((other) => ({ ...other, why: ['a more specific hostname comes before it'] })),
  }
}

function listenerOf(streams: Streams, { protocol, port, serverName }: StreamFacts): Listener | undefined {
  if (protocol === 'tls') return streams.tlsListener(port, serverName)
  return streams.plainListener(protocol === 'tcp' ? Protocol.TCP : Protocol.UDP, port)
}

function decide(
  streams: Streams,
  listener: Listener,
  { serverName }: StreamFacts,
  random: () => number,
): StreamDecision | { readonly type: 'requests' } {
  return listener.protocol === Protocol.HTTPS ? { type: 'requests' } : streams.decide(listener, serverName, random)
}

/** Nothing but the hostname counts: what its one match wants is said by it. */
const ofHost = (host: Host, match: Host['matches'][number]): ExplainedMatch => ({
  ...explained(host, match, 0),
  wants: host.hostname === '' ? [] : [`server name: '${host.hostname}'`],
})

function whyNotListener({ protocol, port, hostname }: Listener, facts: StreamFacts): string {
  const wanted = protocolName(protocol)
  const isWanted = wanted === facts.protocol || (facts.protocol === 'tls' && protocol === Protocol.HTTPS)
  if (!isWanted) return `protocol is ${facts.protocol}, wants ${wanted}`
  if (port !== facts.port) return `port is ${facts.port}, wants ${port}`
  const asked = hostnameOf(facts.serverName)
  return covers(hostname, asked) ? 'another listener comes before it' : `server name is '${asked}', wants '${hostname}'`
}
