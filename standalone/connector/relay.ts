import type { Duplex } from 'node:stream'
import { type Exchange, ExchangeError, type ResponseSink } from '../exchange.ts'
import type { RawHeaders } from '../raw-headers.ts'

/** How long the end of a chunked upload waits whose response has begun, in milliseconds. When its client goes away then, workerd
 *  ends the upload as if it were whole and closes the connection behind it: the origin is told of the end only if that stays. */
const uploadEndDelay = 20

const noTrailers: RawHeaders = []

export interface RelayOptions {
  /** Milliseconds for the whole exchange, but for what passes behind an upgrade. */
  readonly timeout: number | undefined
  /** Whether the upload says its length. */
  readonly hasLength: boolean
  /** The response has not begun: the sink is to be answered. */
  readonly failed: (error: ExchangeError) => void
  /** The response had begun, and the sink is told so. */
  readonly broken: (error: ExchangeError) => void
}

/** A request of a Worker and its response, within their time. Trailers and 1xx stay behind: no Worker has them. */
export class Relay implements Exchange {
  readonly #exchange: Exchange
  readonly #hasLength: boolean
  readonly #answer: RelayAnswer
  #ending: NodeJS.Timeout | undefined

  constructor(open: (sink: ResponseSink) => Exchange, sink: ResponseSink, options: RelayOptions) {
    const expire = (error: ExchangeError): void => {
      this.#exchange.abort()
      this.#answer.failed(error)
    }
    this.#hasLength = options.hasLength
    this.#answer = new RelayAnswer(sink, options, expire, () => clearTimeout(this.#ending))
    this.#exchange = open(this.#answer)
  }

  write(chunk: Buffer): boolean {
    return this.#exchange.write(chunk)
  }

  end(): void {
    if (this.#answer.hasBegun && !this.#hasLength)
      this.#ending = setTimeout(() => this.#exchange.end(noTrailers), uploadEndDelay)
    else this.#exchange.end(noTrailers)
  }

  resume(): void {
    this.#exchange.resume()
  }

  abort(): void {
    this.#answer.finish()
    this.#exchange.abort()
  }
}

class RelayAnswer implements ResponseSink {
  hasBegun = false
  readonly #sink: ResponseSink
  readonly #options: RelayOptions
  readonly #finished: () => void
  readonly #overdue: NodeJS.Timeout | undefined

  constructor(sink: ResponseSink, options: RelayOptions, expire: (error: ExchangeError) => void, finished: () => void) {
    const { timeout } = options
    this.#sink = sink
    this.#options = options
    this.#finished = finished
    this.#overdue =
      timeout === undefined
        ? undefined
        : setTimeout(() => expire(new ExchangeError('timeout', `no end after ${timeout} ms`, false)), timeout)
  }

  informational(): void {}

  head(status: number, reason: string, headers: RawHeaders): void {
    this.hasBegun = true
    this.#sink.head(status, reason, headers)
  }

  data(chunk: Buffer): boolean {
    return this.#sink.data(chunk)
  }

  end(): void {
    this.finish()
    this.#sink.end(noTrailers)
  }

  upgraded(reason: string, headers: RawHeaders, socket: Duplex, rest: Buffer): void {
    this.finish()
    this.#sink.upgraded(reason, headers, socket, rest)
  }

  failed(error: ExchangeError): void {
    this.finish()
    if (this.hasBegun) {
      this.#options.broken(error)
      this.#sink.failed(error)
    } else this.#options.failed(error)
  }

  drain(): void {
    this.#sink.drain()
  }

  /** Nothing is timed any more. */
  finish(): void {
    clearTimeout(this.#overdue)
    this.#finished()
  }
}
