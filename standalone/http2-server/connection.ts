import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { FrontEndHost } from '../front-end/front-end.ts'
import type { Arrival } from '../front-end/request.ts'
import type { RawHeaders } from '../raw-headers.ts'
import type { Http2Limits } from './limits.ts'
import { Http2Turn } from './turn.ts'

export interface Http2Host extends FrontEndHost<Http2Limits> {
  /** A new Sec-WebSocket-Key. */
  readonly webSocketKey: () => string
}

/** GOAWAY, NO_ERROR, that names the highest stream there can be, and so refuses none. RFC 9113 section 6.8. */
const notice = Buffer.from('0000080700000000007fffffff00000000', 'hex')

export class Http2Connection {
  readonly server: Http2Host
  readonly arrival: Arrival
  readonly #socket: Socket
  readonly #session: ServerHttp2Session
  #streams = 0
  #isUsed = false
  #idle: NodeJS.Timeout

  constructor(server: Http2Host, socket: Socket, arrival: Arrival, closed: () => void) {
    const { limits } = server
    this.server = server
    this.arrival = arrival
    this.#socket = socket
    const session = performServerHandshake(socket, {
      settings: {
        maxConcurrentStreams: limits.streams,
        maxHeaderListSize: limits.headBytes,
        initialWindowSize: limits.streamWindow,
        enableConnectProtocol: true,
      },
      maxHeaderListPairs: limits.headFields,
      streamResetBurst: limits.resetBurst,
      streamResetRate: limits.resetRate,
      // An origin may send two lines of what should be one.
      strictSingleValueFields: false,
    })
    this.#session = session
    this.#idle = setTimeout(() => this.#silent(), limits.headTimeout)
    session.on('connect', () => {
      if (!session.destroyed) session.setLocalWindowSize(limits.connectionWindow)
    })
    session.on('stream', (stream, _headers, flags, lines) => this.#take(stream, flags, lines))
    session.on('error', (error) =>
      server.log('connection-failed', { peer: arrival.peer.address, message: error.message }),
    )
    // HTTP/2 does not know clients that only listen.
    socket.on('end', () => this.cut())
    socket.on('close', () => {
      clearTimeout(this.#idle)
      closed()
    })
  }

  /** A stream is over. */
  done(): void {
    this.server.counters.active--
    this.#streams--
    if (this.#streams === 0 && !this.#socket.destroyed) this.#idle.refresh()
  }

  /** Asks the client to open no more streams, waits until it must have heard, and closes when the last stream is over.
   *  RFC 9113 section 6.8. */
  close(): void {
    const session = this.#session
    if (session.closed || session.destroyed) return
    // node:http2 passes over streams behind a GOAWAY of its own, which clients must open anew: so that there are none, it does
    // not send the first. Within TLS it cannot be helped, for nobody else may write there.
    if (this.#socket instanceof TLSSocket) session.close()
    else {
      this.#socket.write(notice)
      session.ping(() => session.close())
    }
  }

  /** By the socket, which ends the session: one that is destroyed while it writes waits for that write, for ever where the
   *  client has left, and keeps its memory even when its socket is closed. */
  cut(): void {
    this.#socket.destroy()
  }

  #take(stream: ServerHttp2Stream, flags: number, lines: RawHeaders): void {
    const { counters, limits } = this.server
    counters.requests++
    counters.active++
    this.#streams++
    if (!this.#isUsed) {
      this.#isUsed = true
      clearTimeout(this.#idle)
      this.#idle = setTimeout(() => this.#silent(), limits.keepAliveTimeout)
    }
    new Http2Turn(this, stream, lines).start((flags & constants.NGHTTP2_FLAG_END_STREAM) === 0)
  }

  /** No stream for a while: asks the client to close the connection, then closes it. */
  #silent(): void {
    if (this.#streams > 0) return
    this.#session.close()
    this.#idle = setTimeout(() => {
      if (this.#streams === 0) this.cut()
    }, this.server.limits.lingerTimeout)
  }
}
