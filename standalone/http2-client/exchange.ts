import { type ClientHttp2Stream, constants } from 'node:http2'
import { type Exchange, ExchangeError, type ExchangeFault, type RequestHead, type ResponseSink } from '../exchange.ts'
import { type RawHeaders, valuesOf } from '../raw-headers.ts'
import type { Http2Connection } from './connection.ts'
import { type RequestFields, responseLines, trailerFields } from './head.ts'
import { lossOf } from './loss.ts'
import type { Http2Surroundings } from './pool.ts'

export interface Http2ExchangeOwner {
  /** The exchange waits for no stream any more, or its stream is closed. Called once. */
  released(exchange: Http2Exchange): void
}

/** One request on one stream, for which it may have to wait. */
export class Http2Exchange implements Exchange {
  readonly request: RequestHead
  readonly head: RequestFields
  /** Where its stream is; undefined until there is one. */
  connection: Http2Connection | undefined
  /** When something last passed in either direction. */
  activeAt: number
  readonly #sink: ResponseSink
  readonly #owner: Http2ExchangeOwner
  readonly #clock: { readonly now: number }
  readonly #headBytes: number
  #stream: ClientHttp2Stream | undefined
  #isReleased = false
  /** The sink hears nothing more. */
  #isOver = false
  #failing: NodeJS.Immediate | undefined
  #error: Error | undefined

  /** Of the request's body, until there is a stream. */
  #held: Buffer[] = []
  /** Bytes of the request's body that are still to come; undefined: nobody said. */
  #missing: number | undefined
  /** undefined: the body is not whole. */
  #requestTrailers: RawHeaders | undefined

  #isHeard = false
  #isAnswered = false
  /** The sink takes no data: it has no head yet, or it has said so. */
  #isBlocked = true
  /** What came meanwhile, and is not with node:http2 any more. */
  #unread: Buffer[] = []
  /** The whole response has come, … */
  #isWhole = false
  /** … though nothing but its Content-Length can say so. */
  #isReset = false
  /** Bytes of the response's body, and what the head said of them. */
  #received = 0
  #length: number | undefined
  /** … and node:http2 has told it all. */
  #isTold = false
  #responseTrailers: RawHeaders = []

  constructor(
    request: RequestHead,
    head: RequestFields,
    sink: ResponseSink,
    owner: Http2ExchangeOwner,
    { clock, limits }: Pick<Http2Surroundings, 'clock' | 'limits'>,
  ) {
    this.request = request
    this.head = head
    this.#missing = head.length
    if (!request.hasBody) this.#requestTrailers = []
    this.#sink = sink
    this.#owner = owner
    this.#clock = clock
    this.#headBytes = limits.headBytes
    this.activeAt = clock.now
  }

  write(chunk: Buffer): boolean {
    if (this.#isOver) return true
    this.activeAt = this.#clock.now
    if (this.#missing !== undefined) {
      this.#missing -= chunk.length
      if (this.#missing < 0) {
        this.fail('invalid-request', 'a body longer than its Content-Length')
        return true
      }
    }
    if (this.#stream === undefined) {
      this.#held.push(chunk)
      return false
    }
    return this.#stream.closed || this.#stream.write(chunk)
  }

  end(trailers: RawHeaders): void {
    if (this.#isOver || this.#requestTrailers !== undefined) return
    this.activeAt = this.#clock.now
    if (this.#missing !== undefined && this.#missing > 0) {
      this.fail('invalid-request', 'a body shorter than its Content-Length')
      return
    }
    this.#requestTrailers = trailers
    this.#stream?.end()
  }

  resume(): void {
    if (this.#isOver || !this.#isAnswered || !this.#isBlocked) return
    this.activeAt = this.#clock.now
    this.#unblock()
  }

  abort(): void {
    clearImmediate(this.#failing)
    if (this.#isOver) return
    this.#isOver = true
    this.#drop()
  }

  /** Goes on with a stream for `head`, and with what has come of the body by now. */
  start(stream: ClientHttp2Stream, connection: Http2Connection): void {
    this.#stream = stream
    this.connection = connection
    this.activeAt = this.#clock.now
    this.#watchEnd(stream)
    stream.on('headers', (headers, _flags, received) => this.#inform(headers[':status'] ?? 0, received))
    stream.on('response', (headers, _flags, received) => this.#answer(headers[':status'] ?? 0, received))
    stream.on('data', (chunk: Buffer) => this.#receive(chunk, stream))
    stream.on('trailers', (_headers, _flags, received) => {
      this.#responseTrailers = this.#read(received) ?? []
    })
    stream.on('end', () => this.#told())
    stream.on('error', (error) => {
      this.#error ??= error
    })
    stream.on('close', () => this.#closed(stream, connection))
    if (this.request.hasBody) this.#send(stream)
  }

  /** Not now, because whoever tells the exchange something may not expect an answer from within. */
  fail(kind: ExchangeFault, message: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#drop()
    this.#failing = setImmediate(() => this.#sink.failed(new ExchangeError(kind, message, !this.#isHeard)))
  }

  /** Nothing has passed for too long. */
  expire(): void {
    if (this.#isOver) this.#drop()
    else this.fail('timeout', 'nothing has passed for too long')
  }

  #send(stream: ClientHttp2Stream): void {
    stream.on('wantTrailers', () => stream.sendTrailers(trailerFields(this.#requestTrailers ?? [])))
    stream.on('drain', () => {
      this.activeAt = this.#clock.now
      if (!this.#isOver && this.#requestTrailers === undefined) this.#sink.drain()
    })
    const held = this.#held
    this.#held = []
    let takesMore = true
    for (const chunk of held) takesMore = stream.write(chunk)
    if (this.#requestTrailers !== undefined) stream.end()
    else if (held.length > 0 && takesMore) this.#sink.drain()
  }

  /** node:http2 pushes null for the end of a response and for its failure: `closed` and `rstCode` tell then which it is.
   *  RFC 9113 section 8.1 has a response end with END_STREAM; servers of Node.js end whole ones with RST_STREAM NO_ERROR when
   *  there is much to send. What a slow reader has not taken of it is taken over here: node:http2 would forget it with the
   *  connection. */
  #watchEnd(stream: ClientHttp2Stream): void {
    const push = stream.push
    stream.push = (chunk, encoding) => {
      const isEnd = chunk === null && (!stream.closed || stream.rstCode === constants.NGHTTP2_NO_ERROR)
      if (!isEnd || this.#isWhole) return push.call(stream, chunk, encoding)
      this.#isWhole = true
      this.#isReset = stream.closed
      while (stream.readableLength > 0) stream.read()
      const takesMore = push.call(stream, null)
      stream.resume()
      return takesMore
    }
  }

  #inform(status: number, received: readonly string[]): void {
    // RFC 9110 section 15.2.1: a body is sent without waiting for 100, which so says nothing.
    if (this.#isOver || status === 100) return
    const lines = this.#read(received)
    if (lines !== undefined) this.#sink.informational(status, lines)
  }

  #answer(status: number, received: readonly string[]): void {
    if (this.#isOver) return
    const lines = this.#read(received)
    if (lines === undefined) return
    this.#isAnswered = true
    if (this.request.method !== 'HEAD' && status !== 304) this.#length = contentLength(lines)
    this.#sink.head(status, '', lines)
    if (!this.#isOver) this.#unblock()
  }

  #read(received: readonly string[]): RawHeaders | undefined {
    const lines = responseLines(received, this.#headBytes)
    if (lines === undefined) this.fail('invalid-response', `a head of more than ${this.#headBytes} bytes`)
    else this.#hear()
    return lines
  }

  #receive(chunk: Buffer, stream: ClientHttp2Stream): void {
    if (this.#isOver) return
    this.#hear()
    this.#received += chunk.length
    if (this.#isBlocked) this.#unread.push(chunk)
    else if (!this.#sink.data(chunk) && !this.#isOver) {
      this.#isBlocked = true
      stream.pause()
    }
  }

  #unblock(): void {
    const unread = this.#unread
    this.#isBlocked = false
    this.#unread = []
    for (const [at, chunk] of unread.entries()) {
      if (!this.#sink.data(chunk)) this.#isBlocked = true
      if (this.#isOver) return
      if (this.#isBlocked) {
        this.#unread = unread.slice(at + 1)
        break
      }
    }
    if (this.#isTold) this.#complete()
    else if (this.#isBlocked) this.#stream?.pause()
    else this.#stream?.resume()
  }

  #told(): void {
    if (this.#isReset && this.#received !== (this.#length ?? this.#received)) this.#isWhole = false
    if (!this.#isWhole || !this.#isAnswered) return
    this.#isTold = true
    this.#complete()
  }

  #complete(): void {
    if (this.#isOver || this.#unread.length > 0) return
    this.#isOver = true
    this.#sink.end(this.#responseTrailers)
    // Whoever answers early must not take half a body for the whole.
    if (this.#requestTrailers === undefined) this.#drop()
  }

  #closed(stream: ClientHttp2Stream, connection: Http2Connection): void {
    this.#release()
    this.#told()
    if (this.#isOver || this.#isTold) return
    this.#isOver = true
    this.#sink.failed(lossOf(stream, this.#error, connection.lastStreamId, !this.#isHeard))
  }

  #hear(): void {
    this.#isHeard = true
    this.activeAt = this.#clock.now
    this.connection?.heard()
  }

  #drop(): void {
    const stream = this.#stream
    if (stream === undefined) this.#release()
    // Not now: while node:http2 is telling something, it would send END_STREAM before the reset, and make half a body a whole one.
    else setImmediate(() => stream.close(constants.NGHTTP2_CANCEL))
  }

  #release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#owner.released(this)
  }
}

/** undefined: there is none. node:http2 lets no other pass than one number. */
function contentLength(lines: RawHeaders): number | undefined {
  const [value] = valuesOf(lines, 'content-length')
  return value === undefined ? undefined : Number(value)
}
