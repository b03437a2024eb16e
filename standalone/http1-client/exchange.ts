import { type Exchange, ExchangeError, isRepeatable, type RequestHead, type ResponseSink } from '../exchange.ts'
import type { RawHeaders } from '../raw-headers.ts'
import type { Http1Connection } from './connection.ts'
import { lastChunk, type RequestText } from './request-head.ts'

/** One request and its response over HTTP/1.1. Holds the request's body to its length. */
export class Http1Exchange implements Exchange {
  readonly request: RequestHead
  readonly head: RequestText
  readonly sink: ResponseSink
  /** What carries it now; undefined: nothing more will be read or written. */
  connection: Http1Connection | undefined
  /** The sink is to hear nothing more. */
  isOver = false
  /** A byte of the answer came. */
  isHeard = false
  /** The request has been written to its end. */
  isSent: boolean
  /** Bytes of the body that are still to come. */
  #left: number

  constructor(request: RequestHead, head: RequestText, sink: ResponseSink) {
    this.request = request
    this.head = head
    this.sink = sink
    this.isSent = !request.hasBody
    this.#left = head.length ?? Number.POSITIVE_INFINITY
  }

  get mayRepeat(): boolean {
    return !this.isHeard && isRepeatable(this.request)
  }

  write(chunk: Buffer): boolean {
    if (this.connection === undefined || chunk.length === 0) return true
    if (this.isSent || chunk.length > this.#left) {
      this.#refuse('more body than Content-Length says')
      return true
    }
    this.#left -= chunk.length
    return this.head.length === undefined ? this.connection.writeChunk(chunk) : this.connection.write(chunk)
  }

  end(trailers: RawHeaders): void {
    if (this.connection === undefined || this.isSent) return
    const isChunked = this.head.length === undefined
    // Where Content-Length frames the body, there is no place for trailers.
    const text = isChunked ? lastChunk(trailers) : ''
    if (text === undefined) this.#refuse('a trailer that cannot be written')
    else if (!isChunked && this.#left > 0) this.#refuse('less body than Content-Length says')
    else {
      this.isSent = true
      this.connection.writeEnd(text)
    }
  }

  resume(): void {
    this.connection?.resume()
  }

  abort(): void {
    this.isOver = true
    this.connection?.destroy()
  }

  finish(trailers: RawHeaders): void {
    if (this.isOver) return
    this.isOver = true
    this.sink.end(trailers)
  }

  fail(error: ExchangeError): void {
    if (this.isOver) return
    this.isOver = true
    this.sink.failed(error)
  }

  /** For what goes wrong while the caller is still about to do something. */
  failSoon(error: ExchangeError): void {
    process.nextTick(() => this.fail(error))
  }

  #refuse(fault: string): void {
    this.connection?.destroy()
    this.failSoon(new ExchangeError('invalid-request', fault, !this.isHeard))
  }
}
