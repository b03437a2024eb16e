import { type ClientHttp2Session, type ClientSessionOptions, connect, type ServerSessionOptions } from 'node:http2'
import type { Socket } from 'node:net'
import { ExchangeError } from '../exchange.ts'
import type { Http2Exchange } from './exchange.ts'
import { maxRequestHead } from './head.ts'
import type { Http2ClientLimits } from './limits.ts'

export interface Http2ConnectionOwner {
  /** There may be room for another request. */
  widened(): void
  /** No more requests: those under way go on. */
  retired(connection: Http2Connection): void
  closed(connection: Http2Connection): void
}

/** What is assumed of an origin of which nothing is known, until its SETTINGS come. RFC 9113 section 6.5.2 recommends no less. */
const streamsAtFirst = 100
const unlimited = Number.POSITIVE_INFINITY

/** One connection to an origin. */
export class Http2Connection {
  readonly #session: ClientHttp2Session
  readonly #socket: Socket
  readonly #owner: Http2ConnectionOwner
  readonly #limits: Http2ClientLimits
  readonly #clock: { readonly now: number }
  readonly #exchanges = new Set<Http2Exchange>()
  /** How many requests the origin, or a limit, lets be under way at once. */
  streams: number
  /** Whether the origin has said so. */
  isSettled = false
  /** By the origin's GOAWAY, the last stream that it worked on; undefined: it has sent none. */
  lastStreamId: number | undefined
  /** Of a request's head, what the origin says it takes. */
  #headBytes = unlimited
  #served = 0
  #isRetired = false
  /** Since when there are no requests. */
  #idleSince: number
  /** When a part of an answer last came, or the first to be waited for, and when a PING last went out. */
  #heardAt: number
  #pingedAt = 0
  /** Bytes that had come when the PING went out that is not answered yet. */
  #bytesAtPing: number | undefined

  /** `socket` is connected, and speaks HTTP/2. `streams`: what another connection to the origin has. */
  constructor(
    socket: Socket,
    streams: number,
    owner: Http2ConnectionOwner,
    limits: Http2ClientLimits,
    clock: { readonly now: number },
  ) {
    this.#socket = socket
    this.#owner = owner
    this.#limits = limits
    this.#clock = clock
    this.#idleSince = clock.now
    this.#heardAt = clock.now
    this.streams = Math.min(streams, streamsAtFirst, limits.streamsPerConnection)
    this.#session = connect(noAuthority, sessionOptions(socket, limits))
    this.#session.setLocalWindowSize(limits.connectionWindow)
    this.#session.on('remoteSettings', ({ maxConcurrentStreams = unlimited, maxHeaderListSize = unlimited }) => {
      this.streams = Math.min(maxConcurrentStreams, limits.streamsPerConnection)
      this.#headBytes = maxHeaderListSize
      this.isSettled = true
      owner.widened()
    })
    this.#session.on('goaway', (_code, lastStreamId) => {
      this.lastStreamId = lastStreamId
      this.#retire()
    })
    // Each stream has it too.
    this.#session.on('error', () => {})
    socket.on('close', () => owner.closed(this))
  }

  get room(): number {
    return this.#isRetired || this.#session.closed ? 0 : this.streams - this.#exchanges.size
  }

  serve(exchange: Http2Exchange): void {
    if (exchange.head.size > this.#headBytes) {
      exchange.fail('invalid-request', `a head of more than ${this.#headBytes} bytes`)
      return
    }
    if (this.#exchanges.size === 0) this.#heardAt = this.#clock.now
    this.#exchanges.add(exchange)
    const { hasBody } = exchange.request
    const stream = this.#session.request(exchange.head.fields, { endStream: !hasBody, waitForTrailers: hasBody })
    exchange.start(stream, this)
    this.#served++
    if (this.#served >= this.#limits.requestsPerConnection) this.close()
  }

  released(exchange: Http2Exchange): void {
    this.#exchanges.delete(exchange)
    this.#idleSince = this.#clock.now
  }

  /** A part of an answer has come. */
  heard(): void {
    this.#heardAt = this.#clock.now
  }

  /** Takes no more requests, and closes after the last. */
  close(): void {
    this.#retire()
    this.#session.close()
  }

  sweep(): void {
    const { idleTimeout, idleConnectionTimeout } = this.#limits
    const { now } = this.#clock
    for (const exchange of this.#exchanges) if (now - exchange.activeAt >= idleTimeout) exchange.expire()
    if (this.#exchanges.size > 0) this.#checkLife()
    else if (now - this.#idleSince >= idleConnectionTimeout) {
      // Closed before, it still has something to say that nobody reads.
      if (this.#session.closed) this.#socket.destroy()
      else this.close()
    }
  }

  /** RFC 9113 section 6.7. */
  #checkLife(): void {
    const { pingAfter, pingTimeout, pingAgainAfter } = this.#limits
    const { now } = this.#clock
    if (this.#bytesAtPing !== undefined) {
      if (this.#socket.bytesRead > this.#bytesAtPing) this.#bytesAtPing = undefined
      else if (now - this.#pingedAt >= pingTimeout) {
        this.#socket.destroy(new ExchangeError('connection-lost', 'the origin answers no PING', true))
      }
      return
    }
    const due = this.#pingedAt > this.#heardAt ? this.#pingedAt + pingAgainAfter : this.#heardAt + pingAfter
    if (now < due || this.#session.destroyed) return
    this.#pingedAt = now
    this.#bytesAtPing = this.#socket.bytesRead
    this.#session.ping(() => {})
  }

  #retire(): void {
    if (this.#isRetired) return
    this.#isRetired = true
    this.#owner.retired(this)
  }
}

/** For a default that no request makes use of. */
const noAuthority = new URL('http://localhost')

/** The types do not know yet that clients have strictSingleValueFields too. */
const sessionOptions = (
  socket: Socket,
  limits: Http2ClientLimits,
): ClientSessionOptions & Pick<ServerSessionOptions, 'strictSingleValueFields'> => ({
  createConnection: () => socket,
  settings: { enablePush: false, initialWindowSize: limits.streamWindow, maxHeaderListSize: limits.headBytes },
  maxHeaderListPairs: limits.headLines,
  maxSendHeaderBlockLength: 2 * maxRequestHead,
  // Space around a value is no reason to lose the header, nor is a field that stands twice a reason to refuse the request.
  strictFieldWhitespaceValidation: false,
  strictSingleValueFields: false,
})
