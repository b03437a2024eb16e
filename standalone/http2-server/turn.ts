import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Why } from '../../engine/decision.ts'
import type { Exchange, ExchangeError, ResponseSink } from '../exchange.ts'
import { isContinue } from '../front-end/admission.ts'
import { answerLines, answerText, answerTo } from '../front-end/answer.ts'
import { bodyLength, unknownLength, withoutLength } from '../front-end/length.ts'
import { safeTrailers } from '../front-end/trailers.ts'
import { tellFailed, tellRefused } from '../front-end/unhandled.ts'
import { byName, type RawHeaders } from '../raw-headers.ts'
import { admit, understood } from './admission.ts'
import type { Http2Connection } from './connection.ts'
import { Http2Fields } from './fields.ts'
import { resetStream } from './reset.ts'
import { joinStream } from './tunnel.ts'
import { withoutAccept } from './websocket.ts'

const none: RawHeaders = []

/** One request and its answer: a stream. RFC 9113 section 8.1. */
export class Http2Turn implements ResponseSink {
  readonly #connection: Http2Connection
  readonly #stream: ServerHttp2Stream
  readonly #lines: RawHeaders
  readonly #fields: Http2Fields
  /** What the origin of a WebSocket is to prove that it has read. */
  #webSocketKey: string | undefined
  #exchange: Exchange | undefined
  /** Trailers of the request. */
  #received: RawHeaders = none
  /** The exchange has been told of the request's end. */
  #isWhole = false
  /** The exchange does not take more of the request for now. */
  #isPaused = false
  /** The client does not take more of the answer for now. */
  #isBlocked = false
  /** The exchange is over, for good or bad. */
  #isOver = false
  /** The head of the answer, which waits for what came together with it. */
  #head: string[] | undefined
  /** The first piece of its body, which does so, too. */
  #held: Buffer | undefined
  #hasBody = true
  /** Bytes of the answer's body that are still due. */
  #left = unknownLength
  #trailers: RawHeaders = none

  constructor(connection: Http2Connection, stream: ServerHttp2Stream, lines: RawHeaders) {
    this.#connection = connection
    this.#stream = stream
    this.#lines = lines
    this.#fields = new Http2Fields(lines)
    stream.on('error', () => {
      // 'close' follows.
    })
    stream.on('close', () => this.#closed())
    stream.setTimeout(connection.server.limits.idleTimeout, () => this.#silent())
  }

  start(hasBody: boolean): void {
    const { server, arrival } = this.#connection
    const stream = this.#stream
    this.#webSocketKey = this.#fields.protocol === undefined ? undefined : server.webSocketKey()
    const key = this.#webSocketKey ?? ''
    const request = admit(this.#fields, this.#lines, hasBody, key, server.limits.targetLength, arrival)
    if ('fault' in request) {
      tellRefused(server, arrival, request, understood(this.#fields, server.limits.targetLength))
      this.#refuse(request.status, 'bad-request')
      return
    }
    try {
      this.#exchange = server.handler(request, this)
    } catch (error) {
      tellFailed(server, arrival, error, understood(this.#fields, server.limits.targetLength))
      this.#refuse(500, 'internal-error')
      return
    }
    if (!request.hasBody) {
      this.#endRequest(none)
      return
    }
    stream.on('data', (chunk: Buffer) => this.#receive(chunk))
    stream.on('trailers', (_headers, _flags, rawTrailers: RawHeaders) => {
      this.#received = safeTrailers(rawTrailers)
    })
    stream.on('end', () => this.#receiveEnd())
    if (isContinue(this.#fields.expect)) setImmediate(() => this.#invite())
  }

  informational(status: number, headers: RawHeaders): void {
    if (this.#isOver || this.#head !== undefined || this.#stream.headersSent) return
    try {
      this.#stream.additionalHeaders({ ':status': status, ...byName(headers) })
    } catch {
      // What the origin hints at cannot be written: it was a hint.
    }
  }

  head(status: number, _reason: string, headers: RawHeaders): void {
    if (this.#isOver) return
    const length = bodyLength(headers)
    if (length === undefined) {
      this.#spoiled()
      return
    }
    this.#hasBody = !(status === 204 || status === 205 || status === 304 || this.#fields.method === 'HEAD')
    if (this.#hasBody) this.#left = length
    // RFC 9110 section 8.6.
    this.#head = [':status', `${status}`, ...(status === 204 ? withoutLength(headers) : headers)]
    process.nextTick(flush, this)
  }

  data(chunk: Buffer): boolean {
    if (this.#isOver || !this.#hasBody) return true
    if (this.#left !== unknownLength) {
      this.#left -= chunk.length
      if (this.#left < 0) {
        this.#exchange?.abort()
        this.#break()
        return true
      }
    }
    if (this.#head !== undefined && this.#held === undefined) {
      this.#held = chunk
      return true
    }
    this.flush()
    if (this.#isOver) return true
    this.#isBlocked = !this.#stream.write(chunk)
    return !this.#isBlocked
  }

  end(trailers: RawHeaders): void {
    if (this.#isOver) return
    if (this.#left > 0) {
      this.#break()
      return
    }
    this.#trailers = safeTrailers(trailers)
    const held = this.#held
    if (this.#head === undefined || this.#trailers.length > 0) {
      this.flush()
      if (!this.#isOver) this.#stream.end()
    } else if (this.#respond(held === undefined ? 'nothing' : 'all') && held !== undefined) this.#stream.end(held)
    if (this.#isOver) return
    this.#isOver = true
    if (this.#isWhole) return
    this.#exchange?.abort()
    this.#discard()
  }

  upgraded(_reason: string, headers: RawHeaders, socket: Duplex, rest: Buffer): void {
    const lines = this.#webSocketKey === undefined ? undefined : withoutAccept(headers, this.#webSocketKey)
    if (this.#isOver || lines === undefined) {
      socket.destroy()
      if (!this.#isOver) this.#refuse(502, 'invalid-response')
      return
    }
    this.#head = [':status', '200', ...lines]
    if (!this.#respond('more')) {
      socket.destroy()
      return
    }
    this.#isOver = true
    joinStream(this.#stream, socket, rest, this.#connection.server.limits.tunnelIdleTimeout)
  }

  failed(error: ExchangeError): void {
    if (this.#isOver) return
    const { status, why } = answerTo(error)
    if (this.#stream.headersSent) this.#break()
    else this.#refuse(status, why)
  }

  drain(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#stream.resume()
  }

  /** Everything that came by now goes out. */
  flush(): void {
    if (this.#isOver || this.#head === undefined) return
    const held = this.#held
    this.#held = undefined
    if (this.#respond('more') && held !== undefined) this.#stream.write(held)
  }

  #receive(chunk: Buffer): void {
    if (this.#isOver || this.#exchange?.write(chunk) !== false) return
    this.#isPaused = true
    this.#stream.pause()
  }

  #receiveEnd(): void {
    // A reset ends the stream, too, and is not the end of the request.
    if (!this.#isOver && !this.#stream.closed) this.#endRequest(this.#received)
  }

  #endRequest(trailers: RawHeaders): void {
    this.#isWhole = true
    this.#exchange?.end(trailers)
  }

  /** For clients that wait with their body until they are told to send it: not those that were answered at once.
   *  RFC 9110 section 10.1.1. */
  #invite(): void {
    if (!this.#isOver) this.informational(100, none)
  }

  /** Sends the head, behind which there comes nothing, all that is left at once, or more than is known by now. False when the
   *  exchange is over because the head cannot be sent. */
  #respond(rest: 'nothing' | 'all' | 'more'): boolean {
    const stream = this.#stream
    const head = this.#head ?? []
    this.#head = undefined
    if (stream.closed) return false
    const endStream = rest === 'nothing'
    // Also where no trailers follow: without them, node:http2 would end a stream that is to be reset as if it were whole.
    const waitForTrailers = rest === 'more' && this.#hasBody
    if (waitForTrailers) {
      stream.on('wantTrailers', () => this.#sendTrailers())
      stream.on('drain', () => this.#drained())
    }
    try {
      stream.respond(head, { endStream, waitForTrailers })
      return true
    } catch {
      // What has no place in HTTP/2: a status below 200 or above 599, fields of a connection.
      this.#spoiled()
      return false
    }
  }

  #sendTrailers(): void {
    try {
      this.#stream.sendTrailers(byName(this.#trailers))
    } catch {
      resetStream(this.#stream, constants.NGHTTP2_INTERNAL_ERROR)
    }
  }

  #drained(): void {
    if (!this.#isBlocked) return
    this.#isBlocked = false
    if (!this.#isOver) this.#exchange?.resume()
  }

  #spoiled(): void {
    this.#exchange?.abort({ status: 502, why: 'invalid-response' })
    this.#refuse(502, 'invalid-response')
  }

  /** An answer of the front end's own. */
  #refuse(status: number, why: Why): void {
    this.#isOver = true
    this.#head = undefined
    const stream = this.#stream
    if (stream.closed) return
    const lines = [':status', `${status}`, ...answerLines(status, why)]
    if (this.#fields.method === 'HEAD') stream.respond(lines, { endStream: true })
    else {
      stream.respond(lines)
      stream.end(answerText(status, why))
    }
    if (!this.#isWhole) this.#discard()
  }

  /** Ends an answer that is not whole so that it cannot be taken for whole. RFC 9113 section 8.1. */
  #break(): void {
    this.#isOver = true
    this.#connection.server.counters.broken++
    resetStream(this.#stream, constants.NGHTTP2_INTERNAL_ERROR)
  }

  /** Reads what nobody wants any more for a while, then asks the client to stop. RFC 9113 section 8.1. */
  #discard(): void {
    const stream = this.#stream
    stream.resume()
    const enough = setTimeout(
      () => stream.close(constants.NGHTTP2_NO_ERROR),
      this.#connection.server.limits.lingerTimeout,
    )
    stream.on('close', () => clearTimeout(enough))
  }

  /** Nothing has passed for `idleTimeout`. */
  #silent(): void {
    const isWaitedFor = this.#isBlocked || this.#isOver || !(this.#isWhole || this.#isPaused)
    if (isWaitedFor) resetStream(this.#stream, constants.NGHTTP2_CANCEL)
    else this.#stream.setTimeout(this.#connection.server.limits.idleTimeout, () => this.#silent())
  }

  #closed(): void {
    this.#connection.done()
    if (this.#isOver) return
    this.#isOver = true
    this.#connection.server.counters.abandoned++
    this.#exchange?.abort()
  }
}

const flush = (turn: Http2Turn): void => turn.flush()
