import type { RequestHead } from '../exchange.ts'
import { isText, isToken } from '../http1-syntax.ts'
import type { RawHeaders } from '../raw-headers.ts'

/** A request's head as it goes out in Latin-1, and how the body behind it is framed. */
export interface RequestText {
  readonly text: string
  /** Bytes of the body; undefined: it is chunked. */
  readonly length: number | undefined
}

/** The head of `request`, or why it cannot be written: no server may see more or fewer requests than the one. */
export function requestText(request: RequestHead): RequestText | string {
  const { method, target, authority, headers, hasBody, upgrade } = request
  if (!isToken(method) || method === 'CONNECT') return 'a method that cannot be sent on'
  if (!isTarget(target)) return 'a target that cannot be written'
  if (!isAuthority(authority)) return 'an authority that cannot be written'
  if (upgrade !== undefined && hasBody) return 'an upgrade with a body'
  let text = `${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\n`
  let length: string | undefined
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] ?? ''
    const value = headers[at + 1] ?? ''
    if (!isToken(name) || !isText(value)) return 'a header that cannot be written'
    if (lengths[name.length] === 1) {
      const lower = name.toLowerCase()
      if (ofThisHop.has(lower)) return `${name} among the end-to-end headers`
      if (lower === 'content-length') {
        if (length !== undefined || !/^[0-9]{1,15}$/.test(value)) return 'a malformed Content-Length'
        length = value
      }
    }
    text += `${name}: ${value}\r\n`
  }
  if (upgrade !== undefined) text += `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`
  if (length !== undefined) {
    if (!hasBody && Number(length) > 0) return 'a Content-Length without a body'
    return { text: `${text}\r\n`, length: Number(length) }
  }
  if (hasBody) return { text: `${text}Transfer-Encoding: chunked\r\n\r\n`, length: undefined }
  return { text: bodyless.has(method) ? `${text}\r\n` : `${text}Content-Length: 0\r\n\r\n`, length: 0 }
}

/** What ends a chunked body; undefined if a trailer cannot be written. RFC 9112 section 7.1.2. */
export function lastChunk(trailers: RawHeaders): string | undefined {
  let text = '0\r\n'
  for (let at = 0; at + 1 < trailers.length; at += 2) {
    const [name = '', value = ''] = [trailers[at], trailers[at + 1]]
    if (!isToken(name) || !isText(value) || neverTrailing.has(name.toLowerCase())) return undefined
    text += `${name}: ${value}\r\n`
  }
  return `${text}\r\n`
}

/** RFC 9112 sections 3.2 and 3.2.4, without looking closer: what a front end let in goes out as it came. */
const isTarget = (target: string): boolean => /^[\x21-\x7e\x80-\xff]+$/.test(target)
const isAuthority = (authority: string): boolean => /^[\x21-\x7e\x80-\xff]*$/.test(authority)

/** What the client writes itself. */
const ofThisHop: ReadonlySet<string> = new Set(['host', 'connection', 'upgrade', 'transfer-encoding'])
/** Lengths of the names that are looked at more closely. */
const lengths = new Uint8Array(256)
for (const name of ['content-length', ...ofThisHop]) lengths[name.length] = 1

/** RFC 9110 section 6.5.1. */
const neverTrailing: ReadonlySet<string> = new Set(['content-length', ...ofThisHop])

/** RFC 9110 section 8.6: of requests without a body, those of other methods say so. */
const bodyless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'DELETE'])
