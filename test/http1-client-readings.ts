import { createRequire } from 'node:module'
import { http1ClientLimits } from '../standalone/http1-client/limits.ts'
import { Http1ResponseParser, type ReadOutcome } from '../standalone/http1-client/response-parser.ts'
import { endToEnd, type RawHeaders } from '../standalone/raw-headers.ts'
import type { Input } from './http1-client-inputs.ts'

/** What a parser makes of the first response in an input, and of the connection's end behind it. */
export interface Reading {
  /** `open`: the response was still to go on. */
  readonly verdict: 'whole' | 'upgrade' | 'open' | 'refused'
  /** For people. */
  readonly fault: string
  readonly informational: readonly (readonly [status: number, headers: RawHeaders])[]
  readonly status: number | undefined
  readonly reason: string | undefined
  readonly headers: RawHeaders | undefined
  readonly body: string
  readonly trailers: RawHeaders
  /** Whether another response may follow on the connection. */
  readonly isPersistent: boolean
}

export interface OwnReading extends Reading {
  /** Characters that the response took; undefined where only the connection's end ended it. */
  readonly length: number | undefined
}

/** Reads with Landfall's own parser. */
export function readOwn({ text, method, upgrade, cuts }: Input): OwnReading {
  const parser = new Http1ResponseParser(http1ClientLimits)
  parser.expect(method, upgrade)
  const informational: (readonly [number, RawHeaders])[] = []
  let head: Http1ResponseParser['head']
  let body = ''
  let outcome: ReadOutcome = 'more'
  let length = 0
  for (const piece of pieces(text, cuts)) {
    outcome = parser.read(piece, piece.length)
    if (outcome === 'malformed') break
    for (const { status, headers } of parser.informational) informational.push([status, headers])
    head ??= parser.head
    body += piece.toString('latin1', parser.dataStart, parser.dataEnd)
    length += outcome === 'more' ? piece.length : parser.at
    if (outcome !== 'more') break
  }
  const isClosed = outcome === 'more' && parser.endsHere
  return {
    verdict:
      outcome === 'malformed'
        ? 'refused'
        : outcome === 'upgrade'
          ? 'upgrade'
          : outcome === 'end' || isClosed
            ? 'whole'
            : 'open',
    fault: parser.fault,
    informational,
    status: head?.status,
    reason: head?.reason,
    headers: head?.headers,
    body,
    trailers: parser.trailers,
    isPersistent: outcome === 'end' && head?.isPersistent === true,
    length: isClosed ? undefined : length,
  }
}

/** What Node.js has of llhttp. Documented nowhere, but the parser that its http module uses. */
interface NodeParser {
  initialize(type: number, resource: object, maxHeaderSize: number, lenientFlags: number): void
  /** Bytes that were read, or what is wrong with them. */
  execute(bytes: Buffer): number | Error
  finish(): Error | undefined
  [callback: number]: (...values: never) => unknown
}
interface NodeParserClass {
  new (): NodeParser
  readonly RESPONSE: number
  readonly kLenientNone: number
  readonly kOnHeaders: number
  readonly kOnHeadersComplete: number
  readonly kOnBody: number
  readonly kOnMessageComplete: number
}
const { HTTPParser }: { HTTPParser: NodeParserClass } = createRequire(import.meta.url)('node:_http_common')

/** Reads with the parser of Node.js, in its strict mode, as its http client does. */
export function readNode(input: Input): Reading {
  const reader = new NodeReader(input.method)
  for (const piece of pieces(input.text, input.cuts)) if (reader.verdict === 'open') reader.read(piece)
  return reader.close()
}

class NodeReader {
  verdict: Reading['verdict'] = 'open'
  readonly #isHead: boolean
  readonly #parser = new HTTPParser()
  readonly #informational: (readonly [number, RawHeaders])[] = []
  /** Header lines that come apart from their head, because there are more than 32, and trailers. */
  #lines: string[] = []
  #head: { status: number; reason: string; headers: RawHeaders; isPersistent: boolean } | undefined
  #body = ''
  #fault = ''

  constructor(method: string) {
    this.#isHead = method === 'HEAD'
    const parser = this.#parser
    parser.initialize(HTTPParser.RESPONSE, {}, http1ClientLimits.headBytes, HTTPParser.kLenientNone)
    parser[HTTPParser.kOnHeaders] = (lines: string[]) => {
      if (this.verdict === 'open') this.#lines.push(...lines)
    }
    parser[HTTPParser.kOnHeadersComplete] = this.#takeHead
    parser[HTTPParser.kOnBody] = (bytes: Buffer) => {
      if (this.verdict === 'open') this.#body += bytes.toString('latin1')
    }
    parser[HTTPParser.kOnMessageComplete] = () => this.#takeEnd()
  }

  read(bytes: Buffer): void {
    const result = this.#parser.execute(bytes)
    if (this.verdict !== 'open' || typeof result === 'number') return
    this.verdict = 'refused'
    this.#fault = 'reason' in result ? `${result.reason}` : result.message
  }

  close(): Reading {
    const isPersistent = this.verdict === 'whole' && this.#head?.isPersistent === true
    if (this.verdict === 'open') this.#parser.finish()
    return {
      verdict: this.verdict,
      fault: this.#fault,
      informational: this.#informational,
      status: this.#head?.status,
      reason: this.#head?.reason,
      headers: this.#head && relevant(this.#head.headers, this.#head.status),
      body: this.#body,
      trailers: endToEnd(this.#lines, nothing),
      isPersistent,
    }
  }

  /** Returns whether no body follows (1), or no HTTP (2). */
  readonly #takeHead = (
    _major: number,
    _minor: number,
    lines: string[] | undefined,
    _method: undefined,
    _url: undefined,
    status: number,
    reason: string,
    isUpgrade: boolean,
    isPersistent: boolean,
  ): number => {
    if (this.verdict !== 'open') return 0
    this.#head = { status, reason, headers: [...this.#lines, ...(lines ?? [])], isPersistent }
    this.#lines = []
    if (isUpgrade) return 2
    return this.#isHead || status < 200 ? 1 : 0
  }

  #takeEnd(): void {
    const head = this.#head
    if (this.verdict !== 'open' || head === undefined) return
    if (head.status === 101) this.verdict = 'upgrade'
    else if (head.status >= 200) this.verdict = 'whole'
    else {
      if (head.status !== 100) this.#informational.push([head.status, relevant(head.headers, head.status)])
      this.#head = undefined
      this.#lines = []
    }
  }
}

function pieces(text: string, cuts: readonly number[]): Buffer[] {
  return [0, ...cuts]
    .map((start, index) => Buffer.from(text.slice(start, cuts[index]), 'latin1'))
    .filter(({ length }) => length > 0)
}

/** What a response passes on: end to end, one Content-Length, none where there can be none. RFC 9110 section 8.6. */
function relevant(headers: RawHeaders, status: number): RawHeaders {
  return endToEnd(headers, status < 200 || status === 204 ? length : nothing)
}

const nothing: ReadonlySet<string> = new Set()
const length: ReadonlySet<string> = new Set(['content-length'])
