/** Takes chunked coding off a body, up to and with the last chunk; trailers are not its own. RFC 9112 section 7.1. */
export class Http1ChunkedBody {
  /** Behind what read() has taken. */
  at = 0
  /** Behind the data that read() has found. */
  dataEnd = 0
  readonly #lineBytes: number
  #expects: Expected = 'size'
  /** Of the chunk, as far as it is known; then what is missing of it. */
  #size = 0
  /** Of the line with the chunk's size. */
  #line = 0
  #extension = ''

  /** `lineBytes`: of a line with a chunk's size and extensions. */
  constructor(lineBytes: number) {
    this.#lineBytes = lineBytes
  }

  reset(): void {
    this.#startChunk()
  }

  /** Reads bytes[from..end) and moves the data in it together, so that it stands in bytes[from..dataEnd). */
  read(bytes: Buffer, from: number, end: number): 'more' | 'last' | 'malformed' {
    this.dataEnd = from
    let at = from
    while (at < end) {
      if (this.#expects === 'data') {
        const length = Math.min(this.#size, end - at)
        if (at !== this.dataEnd) bytes.copyWithin(this.dataEnd, at, at + length)
        this.dataEnd += length
        at += length
        this.#size -= length
        if (this.#size === 0) this.#expects = 'data-cr'
        continue
      }
      if (!this.#take(bytes[at++] ?? 0)) return 'malformed'
      if (this.#expects === 'nothing') {
        this.at = at
        return 'last'
      }
    }
    this.at = at
    return 'more'
  }

  #take(byte: number): boolean {
    switch (this.#expects) {
      case 'size':
        return this.#takeSize(byte)
      case 'extension':
        if (++this.#line > this.#lineBytes) return false
        if (byte !== cr) this.#extension += String.fromCharCode(byte)
        else if (extensions.test(this.#extension)) this.#expects = 'size-lf'
        else return false
        return true
      case 'size-lf':
        this.#expects = this.#size === 0 ? 'nothing' : 'data'
        return byte === lf
      case 'data-cr':
        this.#expects = 'data-lf'
        return byte === cr
      default:
        this.#startChunk()
        return byte === lf
    }
  }

  #takeSize(byte: number): boolean {
    if (++this.#line > this.#lineBytes) return false
    const digit = digits[byte] ?? none
    if (digit !== none) {
      this.#size = 16 * this.#size + digit
      return this.#size <= Number.MAX_SAFE_INTEGER
    }
    if (this.#line === 1) return false
    if (byte === cr) this.#expects = 'size-lf'
    else if (byte === semicolon) {
      this.#expects = 'extension'
      this.#extension = ';'
    } else return false
    return true
  }

  #startChunk(): void {
    this.#expects = 'size'
    this.#size = 0
    this.#line = 0
  }
}

type Expected = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'nothing'

const lf = 0x0a
const cr = 0x0d
const semicolon = 0x3b

const none = 0xff
/** By byte: the value of a hexadecimal digit. */
const digits = new Uint8Array(256).fill(none)
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  digits[digit.charCodeAt(0)] = value
  digits[digit.toUpperCase().charCodeAt(0)] = value
}

const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
/** RFC 9110 section 5.6.4. */
const quoted = '"(?:[\\t !\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"'
/** chunk-ext of RFC 9112 section 7.1.1, without the blanks that section calls bad. They say nothing to a proxy. */
const extensions = new RegExp(`^(?:;${token}(?:=(?:${token}|${quoted}))?)+$`)
