import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Why } from '../../engine/decision.ts'
import type { Exchange, ExchangeError, ResponseSink } from '../exchange.ts'
import { answerLines, answerText, answerTo } from '../front-end/answer.ts'
import { bodyLength, unknownLength, withoutLength } from '../front-end/length.ts'
import { asPairs, safeTrailers } from '../front-end/trailers.ts'
import { tellFailed, tellRefused } from '../front-end/unhandled.ts'
import type { RawHeaders } from '../raw-headers.ts'
import { admit, understood } from './admission.ts'
import type { Http1Connection } from './connection.ts'
import type { Http1Answer, Http1Message } from './message.ts'
import { openTunnel, watchUpgrade } from './upgrade.ts'

const nothing = Buffer.alloc(0)
const none: RawHeaders = []
/** Bytes of a body that is better copied than written apart. */
const smallBody = 4_096

/** One request of a connection and its answer. Turns of a connection come one after the other. */
export class Http1Turn implements ResponseSink {
  readonly message: Http1Message
  readonly #connection: Http1Connection
  readonly #answer: Http1Answer
  /** What came behind the head of a request for an upgrade. */
  readonly #early: Buffer | undefined
  #watched: (() => Buffer) | undefined
  #exchange: Exchange | undefined
  /** The exchange has been told of the request's end. */
  #isWhole = false
  /** The exchange does not take more of the request for now. */
  #isPaused = false
  /** The client has been asked for the body that it waits with. */
  #isInvited = false
  /** The client does not take more of the answer for now. */
  #isBlocked = false
  /** The exchange is over, for good or bad. */
  #isOver = false
  /** Bytes of the answer's body that are still due. */
  #left = unknownLength
  /** The first piece of the answer, which waits for the rest of what came together with it. */
  #held: Buffer | undefined
  #isFlushed = false

  /** `early` is given for a request for an upgrade. */
  constructor(connection: Http1Connection, message: Http1Message, answer: Http1Answer, early: Buffer | undefined) {
    this.#connection = connection
    this.message = message
    this.#answer = answer
    this.#early = early
    message.turn = this
    answer.turn = this
  }

  start(): void {
    const { message } = this
    const { server, arrival } = this.#connection
    // Otherwise node:http does so.
    if (this.#early !== undefined) this.#answer.assignSocket(this.#socket)
    this.#answer.on('finish', onFinish)
    const upgrade = this.#early && 'websocket'
    const request = admit(message, upgrade, server.limits.targetLength, arrival)
    if ('fault' in request) {
      tellRefused(server, arrival, request, understood(message, server.limits.targetLength))
      this.#refuse(request.status, 'bad-request')
      return
    }
    if (upgrade !== undefined) this.#watched = watchUpgrade(this.#socket)
    try {
      this.#exchange = server.handler(request, this)
    } catch (error) {
      tellFailed(server, arrival, error, understood(message, server.limits.targetLength))
      this.#refuse(500, 'internal-error')
      return
    }
    if (!request.hasBody) this.#endRequest(none)
    else {
      message.on('data', onData)
      message.on('end', onEnd)
      if (message.expectsContinue) setImmediate(sendContinue, this)
    }
  }

  /** Whether it is the client that something is waited for from. */
  get waitsForClient(): boolean {
    return this.#isBlocked || this.#isOver || !(this.#isWhole || this.#isPaused)
  }

  /** Whether the client has said all it has to say, and waits for the answer. */
  get isAwaited(): boolean {
    return this.#isWhole && !this.#isOver && this.#early === undefined
  }

  receive(chunk: Buffer): void {
    if (this.#isOver || this.#exchange?.write(chunk) !== false) return
    this.#isPaused = true
    this.message.pause()
  }

  receiveEnd(): void {
    if (!this.#isOver) this.#endRequest(safeTrailers(this.message.rawTrailers))
  }

  /** The client's socket takes more. */
  drained(): void {
    if (!this.#isBlocked) return
    this.#isBlocked = false
    if (!this.#isOver) this.#exchange?.resume()
  }

  /** The client was silent for too long, or what it sends has become unreadable. */
  fail(status: number): void {
    const isBegun = this.#answer.headersSent
    if (!this.#isOver) this.#exchange?.abort(isBegun ? undefined : { status, why: 'bad-request' })
    if (isBegun) this.#break()
    else this.#refuse(status, 'bad-request')
  }

  /** The connection is gone. */
  leave(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#connection.server.counters.abandoned++
    this.#exchange?.abort()
  }

  /** For clients that wait with their body until they are told to send it: not those that were answered at once.
   *  RFC 9110 section 10.1.1. */
  invite(): void {
    if (this.#isOver || this.#answer.headersSent) return
    this.#isInvited = true
    this.#answer.writeContinue()
  }

  /** Sends what a client that is still there passes over, unless it is being sent its answer. False where nothing can be sent.
   *  RFC 9110 section 15.2.1. */
  probe(): boolean {
    if (this.#answer.headersSent) return true
    if (this.message.httpVersionMinor === 0) return false
    this.#answer.writeContinue()
    return true
  }

  /** Everything that came by now goes out. */
  flush(): void {
    if (this.#isFlushed || this.#isOver) return
    this.#isFlushed = true
    // Not flushHeaders(): it writes the head as UTF-8, and header bytes above 0x7f change.
    this.#answer.write(this.#held ?? nothing)
    this.#held = undefined
  }

  finish(): void {
    if (this.#early !== undefined) {
      this.#answer.detachSocket(this.#socket)
      this.#socket.destroySoon()
    }
    this.#connection.done(this)
  }

  informational(status: number, headers: RawHeaders): void {
    if (this.#isOver || this.message.httpVersionMinor === 0 || this.#answer.headersSent) return
    try {
      this.#answer.writeInformation(status, headers)
    } catch {
      // What the origin hints at cannot be written: it was a hint.
    }
  }

  head(status: number, reason: string, headers: RawHeaders): void {
    if (this.#isOver) return
    const length = bodyLength(headers)
    if (length !== undefined && status !== 304 && this.message.method !== 'HEAD') this.#left = length
    // RFC 9110 section 8.6.
    const lines = status === 204 ? withoutLength(headers) : [...headers]
    if (!this.#keepsAlive()) this.#close(lines)
    // It goes without saying in HTTP/1.1.
    else if (this.message.httpVersionMinor === 1) this.#answer.removeHeader('Connection')
    if (length !== undefined && this.#write(status, reason, lines)) return
    this.#exchange?.abort({ status: 502, why: 'invalid-response' })
    this.#refuse(502, 'invalid-response')
  }

  data(chunk: Buffer): boolean {
    if (this.#isOver) return true
    if (this.#left !== unknownLength) {
      this.#left -= chunk.length
      if (this.#left < 0) {
        this.#exchange?.abort()
        this.#break()
        return true
      }
    }
    if (!this.#isFlushed && this.#held === undefined) {
      this.#held = chunk
      return true
    }
    this.flush()
    this.#isBlocked = !this.#answer.write(chunk)
    return !this.#isBlocked
  }

  end(trailers: RawHeaders): void {
    if (this.#isOver) return
    if (this.#left > 0) {
      this.#break()
      return
    }
    this.#isOver = true
    if (!this.#isWhole) this.#exchange?.abort()
    const answer = this.#answer
    if (trailers.length > 0 && answer.chunkedEncoding && this.message.fields.takesTrailers) {
      try {
        answer.addTrailers(asPairs(safeTrailers(trailers)))
      } catch {
        this.#break()
        return
      }
    }
    const held = this.#held
    if (held === undefined) answer.end()
    // One write of head and body together costs less than two.
    else if (held.length <= smallBody) answer.end(held.toString('latin1'), 'latin1')
    else answer.end(held)
  }

  upgraded(reason: string, headers: RawHeaders, socket: Duplex, rest: Buffer): void {
    if (this.#isOver || this.#early === undefined) {
      socket.destroy()
      if (!this.#isOver) this.#refuse(502, 'invalid-response')
      return
    }
    this.#isOver = true
    const early = Buffer.concat([this.#early, this.#watched?.() ?? nothing])
    this.#answer.detachSocket(this.#socket)
    openTunnel(this.#socket, early, { reason, headers, socket, rest }, this.#connection.server.limits)
  }

  failed(error: ExchangeError): void {
    if (this.#isOver) return
    const { status, why } = answerTo(error)
    if (this.#answer.headersSent) this.#break()
    else this.#refuse(status, why)
  }

  drain(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.message.resume()
  }

  get #socket(): Socket {
    return this.message.socket
  }

  #write(status: number, reason: string, lines: string[]): boolean {
    try {
      if (reason === '') this.#answer.writeHead(status, lines)
      else this.#answer.writeHead(status, reason, lines)
    } catch {
      // What has no place in HTTP/1.1: a status below 100, control characters.
      return false
    }
    process.nextTick(flush, this)
    return true
  }

  /** Whether another request may follow: not when the end of this answer is that of the connection, and not when the rest of
   *  the request may never come, because its client waits to be asked for it. RFC 9110 section 10.1.1. */
  #keepsAlive(): boolean {
    if (!this.#answer.shouldKeepAlive || this.#connection.isEnding || this.#early !== undefined) return false
    if (this.message.httpVersionMinor === 0 && this.#left === unknownLength) return false
    return this.#isInvited || !this.message.expectsContinue
  }

  #close(lines: string[]): void {
    this.#connection.isLast = true
    this.#answer.shouldKeepAlive = false
    lines.push('Connection', 'close')
  }

  #endRequest(trailers: RawHeaders): void {
    this.#isWhole = true
    this.#exchange?.end(trailers)
  }

  /** An answer of the front end's own. Behind what is malformed, the next request may begin elsewhere than it seems to. */
  #refuse(status: number, why: Why): void {
    this.#isOver = true
    const lines = answerLines(status, why, this.#connection.server.reasonHeader)
    this.#close(lines)
    this.#answer.writeHead(status, STATUS_CODES[status] ?? '', lines)
    this.#answer.end(answerText(status, why))
  }

  /** Ends an answer that is not whole so that it cannot be taken for whole. */
  #break(): void {
    this.#isOver = true
    this.#connection.server.counters.broken++
    const { chunkedEncoding } = this.#answer
    this.#connection.cut(!chunkedEncoding && this.#left === unknownLength)
  }
}

// One function each for the events of all turns.

function onData(this: Http1Message, chunk: Buffer): void {
  this.turn?.receive(chunk)
}

function onEnd(this: Http1Message): void {
  this.turn?.receiveEnd()
}

function onFinish(this: Http1Answer): void {
  this.turn?.finish()
}

const flush = (turn: Http1Turn): void => turn.flush()
const sendContinue = (turn: Http1Turn): void => turn.invite()
