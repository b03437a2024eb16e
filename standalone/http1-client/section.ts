import { Octet, octets } from '../http1-syntax.ts'

/** What Http1Section.take answers in place of a position. */
export const unfinished = -1
export const malformed = -2

const lf = 0x0a
const cr = 0x0d
const tab = 0x09
const space = 0x20
const colon = 0x3a

/**
 * Lines up to an empty one: the head of a message, or the trailer section of a chunked body. RFC 9112 sections 2.1 and
 * 7.1.2. They are looked at where they were read, and copied only if they come in pieces.
 */
export class Http1Section {
  /** Bytes of the whole section so far. */
  length = 0
  /** Of lines, the last and empty one not among them. */
  lines = 0
  #bytes: Buffer = nothing
  #start = 0
  /** Behind the last character of each line, counted from `#start`. */
  readonly #ends: number[] = []
  /** Where the line begins that has no end yet. */
  #line = 0
  #isPartial = false

  reset(): void {
    this.length = 0
    this.lines = 0
    this.#line = 0
    this.#isPartial = false
    this.#bytes = nothing
  }

  /** Takes bytes[from..end) up to the end of the section, and returns where that is; `unfinished` if there is more to
   *  come, `malformed` if there is a control character other than CRLF and HTAB, or more than `limit` bytes. The bytes
   *  must stay as they are until fields() has been called. */
  take(bytes: Buffer, from: number, end: number, limit: number): number {
    const before = this.length
    const stop = Math.min(end, from + limit - before)
    if (this.#isPartial) this.#keep(bytes, from, stop)
    else {
      this.#bytes = bytes
      this.#start = from
    }
    const found = this.#scan(before, before + stop - from)
    if (found !== unfinished) return found === malformed ? malformed : from + found - before
    if (before + stop - from === limit) return malformed
    if (!this.#isPartial) {
      this.#isPartial = true
      this.#bytes = nothing
      this.#start = 0
      this.#keep(bytes, from, stop)
    }
    this.length = before + stop - from
    return unfinished
  }

  /** The characters of all lines. */
  text(): string {
    const end = this.lines === 0 ? 0 : (this.#ends[this.lines - 1] ?? 0)
    return this.#bytes.toString('latin1', this.#start, this.#start + end)
  }

  /** Where the first line ends in text(). */
  get firstEnd(): number {
    return this.lines === 0 ? 0 : (this.#ends[0] ?? 0)
  }

  byte(at: number): number {
    return this.#bytes[this.#start + at] ?? 0
  }

  /** The fields from line `first` on: name, value, name, value; undefined if one is malformed. RFC 9112 section 5. */
  fields(text: string, first: number): string[] | undefined {
    const bytes = this.#bytes
    const start = this.#start
    const fields: string[] = []
    let at = first === 0 ? 0 : (this.#ends[first - 1] ?? 0) + 2
    for (let line = first; line < this.lines; line++) {
      const name = at
      while (((octets[bytes[start + at] ?? 0] ?? 0) & Octet.token) !== 0) at++
      const nameEnd = at
      if (nameEnd === name || bytes[start + at] !== colon) return undefined
      at++
      const lineEnd = this.#ends[line] ?? 0
      while (at < lineEnd && isBlank(bytes[start + at])) at++
      const value = at
      let valueEnd = lineEnd
      while (valueEnd > value && isBlank(bytes[start + valueEnd - 1])) valueEnd--
      for (; at < valueEnd; at++) if (((octets[bytes[start + at] ?? 0] ?? 0) & Octet.text) === 0) return undefined
      fields.push(text.substring(name, nameEnd), text.substring(value, valueEnd))
      at = lineEnd + 2
    }
    return fields
  }

  /** Looks through the section's bytes [from..end), and returns what take() does, counted from the section's start. */
  #scan(from: number, end: number): number {
    const bytes = this.#bytes
    const start = this.#start
    if (from > 0 && from < end && bytes[start + from - 1] === cr && bytes[start + from] !== lf) return malformed
    for (let at = from; at < end; at++) {
      const byte = bytes[start + at] ?? 0
      if (byte >= space || byte === tab) continue
      if (byte === cr) {
        if (at + 1 < end && bytes[start + at + 1] !== lf) return malformed
      } else {
        const lineEnd = at - 1
        if (byte !== lf || lineEnd < this.#line || bytes[start + lineEnd] !== cr) return malformed
        if (lineEnd === this.#line) {
          this.length = at + 1
          return at + 1
        }
        this.#ends[this.lines++] = lineEnd
        this.#line = at + 1
      }
    }
    return unfinished
  }

  #keep(bytes: Buffer, from: number, end: number): void {
    const length = this.length + end - from
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(512, 2 * length))
      this.#bytes.copy(larger, 0, 0, this.length)
      this.#bytes = larger
    }
    bytes.copy(this.#bytes, this.length, from, end)
  }
}

const nothing = Buffer.alloc(0)

const isBlank = (byte: number | undefined): boolean => byte === space || byte === tab
