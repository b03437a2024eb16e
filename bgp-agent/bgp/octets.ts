/** The end of the bytes came before that of what they were said to hold. */
export class ShortError extends Error {
  override readonly name = 'ShortError'
}

/** Reads big-endian fields in order. Everything throws ShortError rather than read past the end. */
export class Octets {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  u8(): number {
    return this.#next(1)
  }

  u16(): number {
    return this.#next(2)
  }

  u32(): number {
    return this.#next(4)
  }

  /** A view, not a copy. */
  take(length: number): Uint8Array {
    if (length > this.left) throw new ShortError(`${length} octets wanted where ${this.left} are left`)
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  rest(): Uint8Array {
    return this.take(this.left)
  }

  #next(length: number): number {
    let value = 0
    for (const octet of this.take(length)) value = value * 256 + octet
    return value
  }
}

export const u16 = (value: number): readonly number[] => [(value >>> 8) & 0xff, value & 0xff]
export const u32 = (value: number): readonly number[] => [
  (value >>> 24) & 0xff,
  (value >>> 16) & 0xff,
  (value >>> 8) & 0xff,
  value & 0xff,
]
