import { Agent, type ClientRequest, type ClientRequestArgs, type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Endpoint } from '../proto/gen/route_table.ts'
import { sendBody } from './body.ts'
import { type RawHeaders, valuesOf } from './raw-headers.ts'
import {
  type Exchange,
  type Upstream,
  UpstreamError,
  type UpstreamRequest,
  type UpstreamResponse,
  type UpstreamUpgrade,
} from './upstream.ts'

/** Times in milliseconds. */
export interface Http1Limits {
  readonly connectTimeout: number
  /** Without a byte in either direction, from the request's first. */
  readonly idleTimeout: number
  /** How long a connection waits for its next request. Shorter than origins wait, so that a request seldom meets a
   *  closing one: Node.js and Apache httpd close after 5 s. An origin's own Keep-Alive header can only shorten it. */
  readonly reuseTimeout: number
  /** More are not sent. Tunnels do not count. */
  readonly requestsPerEndpoint: number
  readonly idleSocketsPerEndpoint: number
  /** How long the end of a chunked upload waits whose response has begun. When its client goes away then, workerd ends the
   *  upload as if it were whole and closes the connection behind it: the origin is told of the end only if that stays. */
  readonly uploadEndDelay: number
  /** Of a response's head. */
  readonly headBytes: number
}

export const http1Limits: Http1Limits = {
  connectTimeout: 5_000,
  idleTimeout: 300_000,
  reuseTimeout: 4_000,
  requestsPerEndpoint: 1024,
  idleSocketsPerEndpoint: 64,
  uploadEndDelay: 20,
  headBytes: 65_536,
}

export function createHttp1Upstream(limits: Http1Limits = http1Limits): Upstream {
  const pools = { kept: new OriginAgent(limits, true), fresh: new OriginAgent(limits, false) }
  return {
    send: (order) => new Http1Exchange(order, limits, pools),
    close: () => {
      for (const sockets of Object.values(pools.kept.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
    },
  }
}

/** An Agent keeps its connections by address and port, so that one serves all endpoints. */
class OriginAgent extends Agent {
  readonly #limits: Http1Limits

  constructor(limits: Http1Limits, keepAlive: boolean) {
    super({ keepAlive, maxFreeSockets: limits.idleSocketsPerEndpoint, timeout: limits.reuseTimeout })
    this.#limits = limits
  }

  /** In place of maxSockets, which queues what is too much, and keeps what is aborted in that queue. */
  isFull({ address, port }: Endpoint): boolean {
    const used = this.sockets[this.getName({ host: address, port })]
    return used !== undefined && used.length >= this.#limits.requestsPerEndpoint
  }

  override createConnection(options: ClientRequestArgs, done?: (error: Error | null, stream: Duplex) => void) {
    const socket = super.createConnection(options, done)
    const overdue = setTimeout(() => {
      socket?.destroy(new UpstreamError('connect-failed', `no connection after ${this.#limits.connectTimeout} ms`))
    }, this.#limits.connectTimeout)
    socket?.once('connect', () => clearTimeout(overdue))
    socket?.once('close', () => clearTimeout(overdue))
    return socket
  }
}

class Http1Exchange implements Exchange {
  readonly answer: Promise<UpstreamResponse | UpstreamUpgrade>
  readonly #order: UpstreamRequest
  readonly #limits: Http1Limits
  #outgoing: ClientRequest | undefined
  #aborted = false

  constructor(order: UpstreamRequest, limits: Http1Limits, pools: Readonly<Record<'kept' | 'fresh', OriginAgent>>) {
    this.#order = order
    this.#limits = limits
    this.answer = new Promise((resolve, reject) => {
      if (pools.kept.isFull(order.endpoint)) throw new UpstreamError('overloaded', 'too many requests under way')
      this.#send(pools.kept, resolve, (error, unheard) => {
        if (unheard && !this.#aborted && isReplayable(order)) this.#send(pools.fresh, resolve, reject)
        else reject(error)
      })
    })
  }

  abort(): void {
    this.#aborted = true
    this.#outgoing?.destroy()
  }

  /** `fail` is told whether a connection that had served before was lost with no byte of an answer. */
  #send(
    agent: Agent,
    answer: (answer: UpstreamResponse | UpstreamUpgrade) => void,
    fail: (error: UpstreamError, unheard: boolean) => void,
  ): void {
    const { endpoint, method, target, body, upgrade } = this.#order
    const outgoing = request({
      agent,
      host: endpoint.address,
      port: endpoint.port,
      method,
      path: target,
      headers: wireHeaders(this.#order),
      timeout: this.#limits.idleTimeout,
      maxHeaderSize: this.#limits.headBytes,
    })
    this.#outgoing = outgoing
    // Node.js leaves out headers above a count without a word; their bytes are bounded already.
    outgoing.maxHeadersCount = 0

    let heard = 0
    let answered = false
    outgoing.on('socket', (socket) => {
      heard = socket.bytesRead
    })
    outgoing.on('timeout', () => outgoing.destroy(new UpstreamError('timeout', 'the origin is silent')))
    outgoing.on('error', (error) => {
      const failure = upstreamError(error)
      const unheard = outgoing.reusedSocket && outgoing.socket?.bytesRead === heard
      fail(failure, unheard && failure.kind === 'connection-lost')
    })
    outgoing.on('response', (incoming) => {
      const coding = incoming.headers['transfer-encoding']
      if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
        outgoing.destroy(new UpstreamError('invalid-response', `Transfer-Encoding: ${coding}`))
        return
      }
      // An origin that answers before the end of an upload may be left with half of it, and must not take that for the whole.
      answered = true
      incoming.on('end', () => {
        if (!outgoing.writableFinished) outgoing.destroy()
      })
      answer({ type: 'response', ...head(incoming), body: incoming })
    })
    outgoing.on('upgrade', (incoming, socket, rest) => {
      if (incoming.headers.upgrade?.toLowerCase() === upgrade)
        answer({ type: 'upgrade', ...head(incoming), socket, rest })
      else {
        socket.destroy()
        fail(new UpstreamError('invalid-response', `101 with Upgrade: ${incoming.headers.upgrade}`), false)
      }
    })
    if (body === undefined) outgoing.end()
    else sendBody(body, outgoing, () => (answered && !hasLength(this.#order) ? this.#limits.uploadEndDelay : 0))
  }
}

const head = (incoming: IncomingMessage) => ({
  status: incoming.statusCode ?? 0,
  reason: incoming.statusMessage ?? '',
  headers: incoming.rawHeaders,
})

/** RFC 9110 section 9.2.2: a proxy does not repeat a request that is not idempotent. */
const isReplayable = (order: UpstreamRequest): boolean =>
  order.body === undefined && ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'].includes(order.method)

/** RFC 9110 section 8.6: of requests without a body, those of other methods say so. */
const bodyless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'DELETE'])

const hasLength = ({ headers }: Pick<UpstreamRequest, 'headers'>): boolean =>
  valuesOf(headers, 'content-length').length > 0

/** Given a header list, Node.js adds Connection: keep-alive, and chunked coding where framing is missing and the method may
 *  have a body. */
function wireHeaders({ headers, method, body, upgrade }: UpstreamRequest): RawHeaders {
  if (upgrade !== undefined) return [...headers, 'Connection', 'Upgrade', 'Upgrade', upgrade]
  if (body === undefined && bodyless.has(method)) return headers
  if (hasLength({ headers })) return headers
  return body === undefined ? [...headers, 'Content-Length', '0'] : [...headers, 'Transfer-Encoding', 'chunked']
}

function upstreamError(error: Error & { readonly code?: string; readonly syscall?: string }): UpstreamError {
  if (error instanceof UpstreamError) return error
  const message = error.message
  if (error.syscall === 'connect') return new UpstreamError('connect-failed', message)
  const malformed = error.code?.startsWith('HPE_') && error.code !== 'HPE_INVALID_EOF_STATE'
  return new UpstreamError(malformed ? 'invalid-response' : 'connection-lost', message)
}
