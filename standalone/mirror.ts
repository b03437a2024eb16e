import type { Exchange, ResponseSink } from './exchange.ts'
import type { RawHeaders } from './raw-headers.ts'

/** How much of a request's body a mirror may lag behind before it is given up, in bytes. */
const maxLag = 1024 * 1024
/** A mirror that has not answered by then is given up, in milliseconds. */
const mirrorTimeout = 10_000

/** A copy of a request on its way to a mirror. The origin sets the pace alone, and what the mirror answers is dropped. */
export class Mirror {
  readonly #exchange: Exchange
  readonly #timer: NodeJS.Timeout
  /** Pieces of the body that the mirror does not take yet; undefined while it takes everything. */
  #waiting: Buffer[] | undefined
  #lag = 0
  #trailers: RawHeaders | undefined
  #isOver = false

  constructor(open: (sink: ResponseSink) => Exchange) {
    const sink: ResponseSink = {
      informational: () => {},
      head: () => {},
      data: () => true,
      end: () => this.#finish(),
      upgraded: (_reason, _headers, socket) => {
        socket.destroy()
        this.#finish()
      },
      failed: () => this.#finish(),
      drain: () => this.#drain(),
    }
    this.#exchange = open(sink)
    this.#timer = setTimeout(() => this.abort(), mirrorTimeout)
  }

  write(chunk: Buffer): void {
    if (this.#isOver) return
    if (this.#waiting === undefined) {
      if (!this.#exchange.write(chunk)) this.#waiting = []
      return
    }
    this.#lag += chunk.length
    if (this.#lag > maxLag) this.abort()
    else this.#waiting.push(chunk)
  }

  end(trailers: RawHeaders): void {
    if (this.#isOver) return
    if (this.#waiting === undefined || this.#waiting.length === 0) this.#exchange.end(trailers)
    else this.#trailers = trailers
  }

  abort(): void {
    if (this.#isOver) return
    this.#finish()
    this.#exchange.abort()
  }

  #drain(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    this.#lag = 0
    for (const chunk of waiting) this.write(chunk)
    if (this.#trailers !== undefined) this.end(this.#trailers)
  }

  #finish(): void {
    this.#isOver = true
    this.#waiting = undefined
    clearTimeout(this.#timer)
  }
}
