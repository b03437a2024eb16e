import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { closingAnswer } from '../front-end/answer.ts'
import type { FrontEndHost } from '../front-end/front-end.ts'
import type { Arrival } from '../front-end/request.ts'
import { discardBody } from './discard.ts'
import { watchHalfClosed } from './half-closed.ts'
import type { Http1Limits } from './limits.ts'
import type { Http1Answer, Http1Message } from './message.ts'
import { Http1Turn } from './turn.ts'

/** How long a request in a pipeline may hold up all that comes behind it on its connection, in milliseconds. */
const longestStall = 1_000

export interface Http1Host extends FrontEndHost<Http1Limits> {
  readonly isClosing: boolean
  /** Names the reason on answers of the front end's own. */
  readonly reasonHeader: string
}

/** One client's connection: its requests one after the other, and how it ends. */
export class Http1Connection {
  readonly server: Http1Host
  readonly arrival: Arrival
  readonly #socket: Socket
  /** No request is taken any more: the client has been told so. */
  isLast = false
  #turn: Http1Turn | undefined
  readonly #waiting: Http1Turn[] = []
  /** The answer to bytes that are no request, owed behind those to the requests before them. */
  #fault: number | undefined

  constructor(server: Http1Host, socket: Socket, arrival: Arrival) {
    this.server = server
    this.arrival = arrival
    this.#socket = socket
    // How node:http ends a connection. A client that still sends must get to read the answer: RFC 9112 section 9.6.
    socket.destroySoon = () => this.#linger()
    socket.on('drain', () => this.#turn?.drained())
    socket.on('pause', () => this.#stalled())
    socket.on('end', () => this.#halfClosed())
    socket.on('close', () => this.#closed())
  }

  /** Whether no request is to come behind those that are here. */
  get isEnding(): boolean {
    return this.server.isClosing || (this.#socket.readableEnded && this.#waiting.length === 0)
  }

  /** `early` is given for a request for an upgrade. */
  take(message: Http1Message, answer: Http1Answer, early: Buffer | undefined): void {
    if (this.isLast) return
    const turn = new Http1Turn(this, message, answer, early)
    if (this.#turn === undefined) this.#begin(turn)
    else if (early !== undefined || this.#waiting.length >= this.server.limits.pipelined) this.#socket.destroy()
    else this.#waiting.push(turn)
  }

  /** The answer is out. */
  done({ message }: Http1Turn): void {
    const { counters, limits } = this.server
    this.#turn = undefined
    counters.active--
    discardBody(message, limits.lingerTimeout)
    if (this.isLast) return
    const next = this.#waiting.shift()
    if (next !== undefined) this.#begin(next)
    else if (this.#fault !== undefined) this.#refuse(this.#fault)
  }

  /** The client's bytes cannot be understood any more. */
  malformed(status: number): void {
    if (this.#fault !== undefined || this.isLast) return
    this.#fault = status
    const last = this.#waiting.at(-1) ?? this.#turn
    if (last === undefined) this.#refuse(status)
    else if (last.message.complete) return
    else if (last === this.#turn) last.fail(status)
    else this.#waiting.pop()
  }

  /** The client asks for a tunnel to anywhere. RFC 9110 section 9.3.6. */
  connect(): void {
    if (this.#turn === undefined && !this.isLast) this.#refuse(501, 'CONNECT')
    else this.#socket.destroy()
  }

  /** Nothing has passed for `idleTimeout`, or between requests for `keepAliveTimeout`. */
  silent(): void {
    if (this.#turn === undefined) this.#socket.destroy()
    else if (this.#turn.waitsForClient) this.#turn.fail(408)
    else this.#socket.setTimeout(this.server.limits.idleTimeout)
  }

  /** Ends the connection at once, in the middle of an answer; with a reset where a mere end would pass for the answer's. */
  cut(isEndOfAnswer: boolean): void {
    // TLS tells an end from a cut: a close_notify comes before the one only (RFC 8446 section 6.1). Unix sockets know no reset.
    const isTcp = !(this.#socket instanceof TLSSocket) && this.#socket.remoteFamily !== undefined
    if (isEndOfAnswer && isTcp) this.#socket.resetAndDestroy()
    else this.#socket.destroy()
  }

  #begin(turn: Http1Turn): void {
    this.#turn = turn
    this.server.counters.requests++
    this.server.counters.active++
    turn.start()
    if (this.#socket.readableEnded) this.#halfClosed()
  }

  #refuse(status: number, method?: string): void {
    this.isLast = true
    this.server.counters.refused++
    const { arrival } = this
    this.server.observe({ arrival, status, why: 'bad-request', method, authority: undefined, path: undefined })
    this.#socket.write(closingAnswer(status, 'bad-request', this.server.reasonHeader), 'latin1')
    this.#linger()
  }

  #linger(): void {
    this.#socket.end()
    const enough = setTimeout(() => this.#socket.destroy(), this.server.limits.lingerTimeout)
    this.#socket.on('close', () => clearTimeout(enough))
  }

  #halfClosed(): void {
    const turn = this.#turn
    if (turn?.isAwaited !== true) return
    // Before TLS 1.3 a close_notify is for both directions, and no client of HTTP closes one only. RFC 5246 section 7.2.1.
    if (this.#socket instanceof TLSSocket) this.#socket.destroy()
    else {
      const written = this.#socket.bytesWritten
      // Before its answer, a client of HTTP/1.0 can be sent nothing, and gets the benefit of the doubt.
      if (turn.probe()) watchHalfClosed(this.#socket, written, () => turn.isAwaited)
    }
  }

  /** No byte is read until a request has its turn that is larger than what is kept of it; nor would it be seen that its client
   *  has left. */
  #stalled(): void {
    const turn = this.#turn
    if (turn === undefined || this.#waiting.length === 0) return
    setTimeout(() => {
      if (this.#turn === turn && this.#socket.isPaused() && !turn.waitsForClient) this.#socket.destroy()
    }, longestStall)
  }

  #closed(): void {
    if (this.#turn === undefined) return
    this.server.counters.active--
    this.#turn.leave()
    this.#turn = undefined
  }
}
