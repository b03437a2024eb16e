import type { OnReadOpts } from 'node:net'

/** Bytes. A connection that mostly waits keeps the small one. */
const small = 8_192
const large = 65_536

/** What a socket's bytes are read into, again and again: large while there is much to read. */
export class ReadBuffer implements OnReadOpts {
  readonly #take: (bytes: Uint8Array) => boolean
  #current = Buffer.allocUnsafeSlow(small)
  #size = small

  /** `take` gets what was read; on false the socket stops reading, and what was read stays as it is until it resumes. */
  constructor(take: (bytes: Uint8Array) => boolean) {
    this.#take = take
  }

  /** Node.js asks before the first read and after each. */
  readonly buffer = (): Uint8Array => {
    if (this.#current.length !== this.#size) this.#current = Buffer.allocUnsafeSlow(this.#size)
    return this.#current
  }

  readonly callback = (length: number): boolean => {
    const bytes = this.#current
    if (length === bytes.length) this.#size = large
    else if (length < small) this.#size = small
    return this.#take(bytes.subarray(0, length))
  }
}
