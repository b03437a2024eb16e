import { connect as openSocket } from 'cloudflare:sockets'
import { ClientHelloReader } from '../engine/client-hello.ts'
import type { Router } from '../engine/router.ts'
import { choosePlain, chooseTls, type StreamDecision, type StreamPlace, Streams } from '../engine/streams.ts'
import { type Backend, Protocol } from '../proto/gen/route_table.ts'
import { decideColdly } from './cold-decision.ts'
import type { SocketProps } from './config.ts'
import type { Worker } from './worker.ts'

/** Milliseconds until it is clear where a connection belongs. */
const beginningTimeout = 10_000
/** Bytes of a server name with the end of its line: RFC 1035 section 2.3.4. */
const longestLine = 254
/** Endpoints that are tried. */
const maxTries = 3

const nothing = new Uint8Array()

/**
 * Passes a connection on that one's own workerd has accepted: TLS by the server name of its ClientHello and without looking
 * further, what was within TLS that has ended in front of the Worker by the server name it is told, TCP as it is. What has
 * nowhere to go is closed, before any handshake that the Worker sees.
 */
export async function passOn(client: Socket, props: SocketProps, worker: Worker, ctx: ExecutionContext): Promise<void> {
  try {
    const begin = beginnings[props.protocol ?? 'tcp']
    const early = begin === undefined ? { bytes: nothing, serverName: '' } : await readBeginning(client, begin())
    const backend = early && (await backendFor(early.serverName, props, worker, ctx))
    const origin = backend && (await connectTo(backend, worker))
    if (early === undefined || origin === undefined) return
    if (early.bytes.length > 0) {
      const writer = origin.writable.getWriter()
      await writer.write(early.bytes)
      writer.releaseLock()
    }
    await Promise.all([client.readable.pipeTo(origin.writable), origin.readable.pipeTo(client.writable)])
  } catch {
    // Either end was lost; the other follows.
  } finally {
    await client.close().catch(() => undefined)
  }
}

/** What a client has said, and the server name in it. */
interface Early {
  /** What is to go on to the origin. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly serverName: string
}

/** Is given all that has come so far, again and again, until it is enough. */
type Beginning = (bytes: Uint8Array<ArrayBuffer>) => Early | 'fault' | undefined

const beginnings: Readonly<Record<NonNullable<SocketProps['protocol']>, (() => Beginning) | undefined>> = {
  tls: () => {
    const reader = new ClientHelloReader()
    return (bytes) => {
      const verdict = reader.read(bytes)
      if (verdict === undefined) return undefined
      return verdict.type === 'hello' ? { bytes, serverName: verdict.hello.serverName } : 'fault'
    }
  },
  'ended-tls': () => (bytes) => {
    const end = bytes.indexOf(lineFeed)
    if (end === -1) return bytes.length < longestLine ? undefined : 'fault'
    return { bytes: bytes.subarray(end + 1), serverName: new TextDecoder().decode(bytes.subarray(0, end)) }
  },
  tcp: undefined,
}

const lineFeed = 0x0a

/** undefined for what a client must not begin with. */
async function readBeginning(client: Socket, beginning: Beginning): Promise<Early | undefined> {
  const reader: ReadableStreamDefaultReader<Uint8Array> = client.readable.getReader()
  const overdue = setTimeout(() => client.close(), beginningTimeout)
  let bytes = nothing
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return undefined
      const longer = new Uint8Array(bytes.length + value.length)
      longer.set(bytes)
      longer.set(value, bytes.length)
      bytes = longer
      const early = beginning(bytes)
      if (early !== undefined) return early === 'fault' ? undefined : early
    }
  } finally {
    clearTimeout(overdue)
    reader.releaseLock()
  }
}

async function backendFor(
  serverName: string,
  { gateways, port = 0, protocol }: SocketProps,
  worker: Worker,
  ctx: ExecutionContext,
): Promise<Backend | undefined> {
  const { tables, upstreams } = worker
  const now = upstreams.now()
  const routers = (await tables.current(now, ctx)).filter(({ gateway }) => gateways?.includes(gateway) !== false)
  const place = placeOf(routers.map(streamsOf), protocol, port, serverName)
  const router = routers.find(({ gateway }) => gateway === place?.streams.gateway)
  if (place === undefined || router === undefined) return undefined
  const decide = (): StreamDecision => place.streams.decide(place.listener, serverName, upstreams.random)
  const decision = await decideColdly(decide, { router, worker, now, ctx })
  // A policy's TLS is not the Worker's to speak: connect() trusts what the web trusts.
  return decision.type === 'forward' && decision.tls === undefined ? decision.backend : undefined
}

/** The listener that a connection belongs to; undefined also for one that would have to end TLS, or not to end it. */
function placeOf(
  all: readonly Streams[],
  protocol: SocketProps['protocol'],
  port: number,
  serverName: string,
): StreamPlace | undefined {
  if (protocol !== 'tls' && protocol !== 'ended-tls') return choosePlain(all, Protocol.TCP, port)
  const place = chooseTls(all, port, serverName)
  const isPassthrough = place?.listener.tls?.passthrough === true
  return place?.listener.protocol === Protocol.TLS && isPassthrough === (protocol === 'tls') ? place : undefined
}

/** A router's table never changes. */
const known = new WeakMap<Router, Streams>()

function streamsOf(router: Router): Streams {
  const streams = known.get(router) ?? new Streams(router.table)
  known.set(router, streams)
  return streams
}

/** A connection to one of the backend's endpoints; undefined when none takes one. */
async function connectTo(backend: Backend, { upstreams }: Worker): Promise<Socket | undefined> {
  const endpoints = upstreams.balancer.of(backend)
  const tried = new Set<number>()
  while (tried.size < maxTries) {
    const index = endpoints.pick(upstreams.now(), upstreams.random, tried)
    const endpoint = index === undefined ? undefined : backend.endpoints[index]
    if (index === undefined || endpoint === undefined || tried.has(index)) return undefined
    tried.add(index)
    endpoints.started(index)
    const socket = openSocket({ hostname: endpoint.address, port: endpoint.port }, { allowHalfOpen: true })
    try {
      await socket.opened
      endpoints.finished(index, 'answered', upstreams.now())
      return socket
    } catch {
      endpoints.finished(index, 'connect-failed', upstreams.now())
    }
  }
  return undefined
}
