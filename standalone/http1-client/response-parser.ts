import { endToEnd, type RawHeaders } from '../raw-headers.ts'
import { Http1ChunkedBody } from './chunked-body.ts'
import { mayBegin, type ResponseHead, readResponseHead } from './response-head.ts'
import { Http1Section, malformed, unfinished } from './section.ts'

/** Bytes. */
export interface ResponseLimits {
  /** Of a response's head, with the heads of all 1xx in front of it. */
  readonly headBytes: number
  /** Of a line with a chunk's size and extensions. */
  readonly chunkLineBytes: number
  readonly trailerBytes: number
}

/** `more`: the response goes on. `upgrade`: behind `at` is no HTTP any more. */
export type ReadOutcome = 'more' | 'end' | 'upgrade' | 'malformed'

/**
 * Reads the responses of one connection. It is strict wherever leniency would let an origin, or who can make it write
 * something, choose where a response ends. What a call of read() found stands in the fields until the next.
 */
export class Http1ResponseParser {
  /** 1xx, but for 100 and 101. */
  readonly informational: ResponseHead[] = []
  /** That of the response itself. */
  head: ResponseHead | undefined
  /** The data is bytes[dataStart..dataEnd). */
  dataStart = 0
  dataEnd = 0
  trailers: RawHeaders = noFields
  /** Behind what the response took of the bytes; what follows is not its own. */
  at = 0
  /** What is wrong, for a log. */
  fault = ''
  readonly #limits: ResponseLimits
  readonly #isOwn: boolean
  readonly #section = new Http1Section()
  readonly #chunked: Http1ChunkedBody
  #part: 'head' | 'sized' | 'chunked' | 'trailers' | 'until-close' | 'nothing' = 'nothing'
  #isHead = false
  #upgrade: string | undefined
  /** Bytes of the heads before this one. */
  #headBytes = 0
  /** What is missing of a body of known length. */
  #left = 0

  /** `isOwn`: of Landfall's own, so that what begins with "landfall-" is its to say. */
  constructor(limits: ResponseLimits, isOwn = false) {
    this.#limits = limits
    this.#isOwn = isOwn
    this.#chunked = new Http1ChunkedBody(limits.chunkLineBytes)
  }

  /** The next response is the answer to a request with `method`, which asked for `upgrade`. RFC 9112 section 6.3. */
  expect(method: string, upgrade: string | undefined): void {
    this.#part = 'head'
    this.#isHead = method === 'HEAD'
    this.#upgrade = upgrade
    this.#headBytes = 0
    this.trailers = noFields
    this.#section.reset()
  }

  /** Reads bytes[0..length) and may move them about. */
  read(bytes: Buffer, length: number): ReadOutcome {
    this.informational.length = 0
    this.head = undefined
    this.at = 0
    this.dataStart = 0
    this.dataEnd = 0
    while (this.#part === 'head') {
      const outcome = this.#readHead(bytes, length)
      if (outcome !== undefined) return outcome
    }
    if (this.#part === 'sized' || this.#part === 'until-close') {
      const end = this.#part === 'sized' ? Math.min(length, this.at + this.#left) : length
      this.dataStart = this.at
      this.dataEnd = end
      this.#left -= end - this.at
      this.at = end
      if (this.#part === 'sized' && this.#left === 0) this.#part = 'nothing'
    } else if (this.#part === 'chunked') {
      this.dataStart = this.at
      const outcome = this.#chunked.read(bytes, this.at, length)
      if (outcome === 'malformed') return this.#refuse('a malformed chunk')
      this.dataEnd = this.#chunked.dataEnd
      this.at = this.#chunked.at
      if (outcome === 'last') {
        this.#part = 'trailers'
        this.#section.reset()
      }
    }
    if (this.#part === 'trailers') return this.#readTrailers(bytes, length)
    return this.#part === 'nothing' ? 'end' : 'more'
  }

  /** Whether the response is whole if the origin sends no more. */
  get endsHere(): boolean {
    return this.#part === 'until-close'
  }

  /** undefined: go on. */
  #readHead(bytes: Buffer, length: number): ReadOutcome | undefined {
    const section = this.#section
    const at = section.take(bytes, this.at, length, this.#limits.headBytes - this.#headBytes)
    if (at === malformed) return this.#refuse('a malformed head, or one that is too long')
    if (!mayBegin(section)) return this.#refuse('no HTTP/1.1')
    if (at === unfinished) return 'more'
    this.at = at
    this.#headBytes += section.length
    const head = readResponseHead(section, this.#isOwn)
    section.reset()
    if (typeof head === 'string') return this.#refuse(head)
    if (head.status < 200) return this.#takeInformational(head)
    this.head = head
    this.#part = this.#bodyOf(head)
    return undefined
  }

  #takeInformational(head: ResponseHead): ReadOutcome | undefined {
    if (head.status === 101) {
      if (this.#upgrade === undefined || head.upgrade?.toLowerCase() !== this.#upgrade) {
        return this.#refuse('101 without an upgrade that was asked for')
      }
      this.head = head
      this.#part = 'nothing'
      return 'upgrade'
    }
    // RFC 9110 section 15.2.1: whoever forwards a request has taken Expect out of it or answers it himself.
    if (head.status !== 100) this.informational.push(head)
    return undefined
  }

  /** RFC 9112 section 6.3. */
  #bodyOf(head: ResponseHead): 'nothing' | 'chunked' | 'sized' | 'until-close' {
    if (this.#isHead || head.status === 204 || head.status === 304) return 'nothing'
    if (head.isChunked) {
      this.#chunked.reset()
      return 'chunked'
    }
    if (head.length === undefined) return 'until-close'
    this.#left = head.length
    return head.length === 0 ? 'nothing' : 'sized'
  }

  #readTrailers(bytes: Buffer, length: number): ReadOutcome {
    const at = this.#section.take(bytes, this.at, length, this.#limits.trailerBytes)
    if (at === malformed) return this.#refuse('malformed trailers, or too many')
    if (at === unfinished) return 'more'
    this.at = at
    this.#part = 'nothing'
    if (this.#section.lines > 0) {
      const fields = this.#section.fields(this.#section.text(), 0)
      if (fields === undefined) return this.#refuse('a malformed trailer line')
      if (fields.some(isFraming)) return this.#refuse('framing among the trailers')
      this.trailers = endToEnd(fields)
    }
    return 'end'
  }

  #refuse(fault: string): 'malformed' {
    this.fault = fault
    this.#part = 'nothing'
    return 'malformed'
  }
}

const noFields: RawHeaders = []

/** Of names and values the former. RFC 9110 section 6.5.1. */
const isFraming = (text: string, at: number): boolean =>
  at % 2 === 0 && /^(?:content-length|transfer-encoding)$/i.test(text)
