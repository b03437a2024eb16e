import type { Exchange, ExchangeError, ResponseSink } from '../standalone/exchange.ts'
import type { RawHeaders } from '../standalone/raw-headers.ts'

/** Writes down what a sink is told, and fails the test that tells it something out of turn. */
export class ResponseRecord implements ResponseSink {
  readonly informed: { readonly status: number; readonly headers: RawHeaders }[] = []
  readonly chunks: Buffer[] = []
  answer: { readonly status: number; readonly reason: string; readonly headers: RawHeaders } | undefined
  trailers: RawHeaders | undefined
  error: ExchangeError | undefined
  drains = 0
  /** Pieces after which data() says to wait. */
  appetite = Number.POSITIVE_INFINITY
  /** Something that was told though nothing was to be told any more, or not yet. */
  readonly outOfTurn: string[] = []
  #isSilent = true
  #isBlocked = false
  readonly #changed: (() => void)[] = []

  /** To be called when the exchange has been opened: nothing may be told before. */
  listen(): this {
    this.#isSilent = false
    return this
  }

  /** To be called with Exchange.abort. */
  silence(): void {
    this.#isSilent = true
  }

  /** Takes so many more pieces. */
  eat(exchange: Exchange, pieces = Number.POSITIVE_INFINITY): void {
    this.appetite = this.chunks.length + pieces
    this.#isBlocked = false
    exchange.resume()
  }

  get body(): string {
    return Buffer.concat(this.chunks).toString('latin1')
  }

  informational(status: number, headers: RawHeaders): void {
    this.#note('informational', this.answer === undefined)
    this.informed.push({ status, headers })
  }

  head(status: number, reason: string, headers: RawHeaders): void {
    this.#note('head', this.answer === undefined)
    this.answer = { status, reason, headers }
  }

  data(chunk: Buffer): boolean {
    this.#note('data', this.answer !== undefined && !this.#isBlocked)
    this.chunks.push(chunk)
    this.#isBlocked = this.chunks.length >= this.appetite
    return !this.#isBlocked
  }

  end(trailers: RawHeaders): void {
    this.#note('end', this.answer !== undefined)
    this.trailers = trailers
    this.#isSilent = true
  }

  upgraded(): void {
    this.#note('upgraded', false)
  }

  failed(error: ExchangeError): void {
    this.#note('failed', true)
    this.error = error
    this.#isSilent = true
  }

  drain(): void {
    this.#note('drain', true)
    this.drains++
  }

  /** Resolves when `met` is, which is looked at whenever something is told. */
  async until(met: (record: ResponseRecord) => boolean): Promise<ResponseRecord> {
    while (!met(this)) await new Promise<void>((resolve) => this.#changed.push(resolve))
    return this
  }

  ended(): Promise<ResponseRecord> {
    return this.until(({ trailers, error }) => trailers !== undefined || error !== undefined)
  }

  #note(what: string, isInTurn: boolean): void {
    if (this.#isSilent || !isInTurn) this.outOfTurn.push(what)
    // The caller writes it down first.
    queueMicrotask(() => {
      for (const one of this.#changed.splice(0)) one()
    })
  }
}
