import process from 'node:process'
import type { Reading } from '../control/project.ts'
import { explainStream, type StreamExplanation, type StreamFacts } from '../engine/explain-stream.ts'
import { hostPort } from '../engine/host-port.ts'
import type { Router } from '../engine/router.ts'
import { chooseTls, Streams } from '../engine/streams.ts'
import { formatField } from '../kube/problem.ts'
import { type Listener, Protocol } from '../proto/gen/route_table.ts'
import { endpointsOf, listenerLine, lostLines, routeLines } from './explain-lines.ts'
import { bad, good, printJson, strong } from './terminal.ts'
import { UsageError } from './usage.ts'

/** A connection that is asked about, or a client that sends datagrams. */
export interface AskedStream {
  readonly facts: StreamFacts
  /** As the URL has it: for TLS the server name, otherwise an address. */
  readonly host: string
}

/** A URL that is not of HTTP: tls://host:port, tcp://host:port or udp://host:port; undefined for any other. */
export function streamOf(url: string, port: number | undefined): AskedStream | undefined {
  const parts = /^(tls|tcp|udp):\/\/(\[[0-9a-f:.]+\]|[^:/?#[\]@]*)(?::(\d{1,5}))?\/?$/i.exec(url)
  if (parts === null) return undefined
  const [, scheme = '', host = '', ownPort] = parts
  const name = scheme.toLowerCase()
  const protocol = name === 'tls' || name === 'udp' ? name : 'tcp'
  const wanted = port ?? (ownPort === undefined ? undefined : Number(ownPort))
  if (wanted === undefined) throw new UsageError(`which port? Write ${protocol}://host:port`)
  // RFC 6066 section 3: a server name is no address.
  const isAddress = host.startsWith('[') || /^[0-9.]+$/.test(host)
  return {
    facts: { protocol, port: wanted, serverName: protocol === 'tls' && !isAddress ? host : '' },
    host: host.replace(/^\[|\]$/g, ''),
  }
}

/** Exits with 1 when Landfall would close the connection, or drop the datagram. */
export function explainStreamTo(
  asked: AskedStream,
  routers: readonly Router[],
  reading: Reading,
  isJson: boolean,
): void {
  const streams = streamsFor(asked, routers)
  const explanation = explainStream(streams, asked.facts, Math.random)
  if (explanation.type === 'missing') throw new Error('a router with its whole table misses something')
  const later = laterRoutes(explanation.listener, streams.gateway, reading)
  if (isJson) printJson({ gateway: streams.gateway, ...explanation, laterRoutes: later })
  else process.stdout.write(`${text(explanation, streams, asked, later, reading).join('\n')}\n`)
  if (explanation.decision.type === 'refuse') process.exitCode = 1
}

/** The Gateway that takes it, as the data plane has it; otherwise the first, which says why not. */
function streamsFor({ facts, host }: AskedStream, routers: readonly Router[]): Streams {
  const all = routers.map(({ table }) => new Streams(table)).sort((a, b) => (a.gateway < b.gateway ? -1 : 1))
  const streams = takenBy(all, facts, host) ?? all[0]
  if (streams === undefined) throw new Error('no router is given')
  return streams
}

function takenBy(
  all: readonly Streams[],
  { protocol, port, serverName }: StreamFacts,
  host: string,
): Streams | undefined {
  if (protocol === 'tls') return chooseTls(all, port, serverName)?.streams
  const takers = all.filter((streams) => streams.plainListener(plainProtocols[protocol], port) !== undefined)
  return takers.find(({ table: { root } }) => root.addresses.includes(host)) ?? takers[0]
}

const plainProtocols = { tcp: Protocol.TCP, udp: Protocol.UDP } as const

/** A route that is attached to the listener, and gets not all that it wants of it. */
interface LaterRoute {
  /** "TLSRoute namespace/name". */
  readonly route: string
  readonly why: string
}

/** Nothing tells for which of a listener's routes a connection is: the oldest of a hostname has them all. */
function laterRoutes(listener: Listener | undefined, gateway: string, { compiled }: Reading): readonly LaterRoute[] {
  return compiled.routes.flatMap(({ route, parents, findings }) => {
    const here = parents.filter(
      (parent) => parent.gateway === gateway && parent.attachments.some((each) => each.listener === listener?.id),
    )
    const fields = new Set(here.map(({ path }) => formatField(path)))
    const lost = findings.filter(({ reason, path }) => reason === 'NoTraffic' && fields.has(formatField(path)))
    const { kind, metadata } = route
    return lost.map(({ message }) => ({ route: `${kind} ${metadata.namespace}/${metadata.name}`, why: message }))
  })
}

function text(
  { decision, listener, winner, others, otherListeners }: StreamExplanation,
  { gateway }: Streams,
  { facts, host }: AskedStream,
  later: readonly LaterRoute[],
  reading: Reading,
): string[] {
  const { protocol, port } = facts
  const lines = [
    strong(`${protocol}://${hostPort(host, port)}`),
    `  Gateway   ${gateway}`,
    ...(listener === undefined ? [] : [listenerLine(listener)]),
    ...(listener?.tls === undefined
      ? []
      : [`  TLS       ${listener.tls.passthrough ? 'passes through' : 'ends here'}`]),
    ...(winner === undefined ? [] : routeLines(winner, protocol === 'udp' ? 'clients' : 'connections', reading)),
    `  answer    ${answer(decision, protocol)}`,
    ...lostLines(others, reading),
  ]
  if (later.length > 0) lines.push('Routes that came too late for this listener:')
  for (const { route, why } of later) lines.push(`  ${route}: ${why}`)
  if (listener === undefined)
    for (const other of otherListeners) lines.push(`  listener ${other.listener.id}: ${other.why}`)
  return lines
}

function answer(decision: StreamExplanation['decision'], protocol: StreamFacts['protocol']): string {
  switch (decision.type) {
    case 'forward': {
      const { backend, tls } = decision
      const way = tls === undefined ? '' : ` by TLS as ${tls.hostname}`
      return good(`passes on to ${backend.key} at ${endpointsOf(backend)}${way}`)
    }
    case 'requests':
      return good('reads HTTP; ask with https:// what happens to a request')
    case 'refuse':
      return bad(`${protocol === 'udp' ? 'drops the datagram' : 'closes the connection'}: ${decision.why}`)
  }
}
