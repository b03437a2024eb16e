import { internalPrefix } from '../../engine/origin-token.ts'
import type { RequestHead } from '../exchange.ts'
import { isText, isToken } from '../http1-syntax.ts'
import { byName, type RawHeaders } from '../raw-headers.ts'

/** A request's head as node:http2 takes it, and the length of the body where it is said. */
export interface RequestFields {
  /** Pseudo-header fields first. Names are put in lower case by node:http2. */
  readonly fields: string[]
  /** As RFC 9113 section 6.5.2 counts it, in bytes. */
  readonly size: number
  /** Bytes; undefined: nobody knows. */
  readonly length: number | undefined
}

/** Bytes of a head: more than front ends let in and filters add, and less than servers close a connection for, which has
 *  others' requests on it. Those by nghttp2 do after 8 CONTINUATION frames of 16 kB, or for one field of more than 64 kB. */
export const maxRequestHead = 131_072
const maxField = 65_536

/** Of four pseudo-header fields, what is not their values. */
const pseudoFieldBytes = ':method:scheme:authority:path'.length + 4 * 32

/** The head of `request`, or why it cannot be written. RFC 9113 section 8.3.1. */
export function requestFields(request: RequestHead, scheme: 'http' | 'https'): RequestFields | string {
  const { method, target, authority, headers, hasBody, upgrade } = request
  if (upgrade !== undefined) return `an upgrade to ${upgrade}, which HTTP/2 does not have`
  if (!isToken(method) || method === 'CONNECT') return 'a method that cannot be sent on'
  if (!isTarget(target)) return 'a target that cannot be written'
  if (!isAuthority(authority)) return 'an authority that cannot be written'
  const fields = [':method', method, ':scheme', scheme, ':authority', authority, ':path', target]
  let length: number | undefined
  let size = method.length + target.length + authority.length + scheme.length + pseudoFieldBytes
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] ?? ''
    const value = headers[at + 1] ?? ''
    if (!isToken(name) || !isText(value)) return 'a header that cannot be written'
    if (name.length + value.length > maxField) return `a header of more than ${maxField} bytes`
    size += name.length + value.length + 32
    switch (name.toLowerCase()) {
      case 'content-length':
        if (length !== undefined || !/^[0-9]{1,15}$/.test(value)) return 'a malformed Content-Length'
        length = Number(value)
        if (length > 0 && !hasBody) return 'a Content-Length without a body'
        break
      case 'te':
        // RFC 9113 section 8.2.2: nothing else. gRPC servers ask for it.
        if (/(?:^|,)[ \t]*trailers[ \t]*(?:[,;]|$)/i.test(value)) fields.push('te', 'trailers')
        continue
      case 'connection':
      case 'host':
      case 'http2-settings':
      case 'keep-alive':
      case 'proxy-connection':
      case 'transfer-encoding':
      case 'upgrade':
        continue
    }
    fields.push(name, value)
  }
  if (size > maxRequestHead) return `a head of more than ${maxRequestHead} bytes`
  return { fields, size, length }
}

/** What servers reset a stream for is refused here: to a gateway, resets are the origin's fault. */
const isTarget = (text: string): boolean => /^[\x21-\x7e\x80-\xff]+$/.test(text)
/** RFC 3986 section 3.2.2, and a user in front, without looking closer. */
const isAuthority = (text: string): boolean => /^[A-Za-z0-9\-._~!$&'()*+,;=%:@[\]]+$/.test(text)

/** Trailers as node:http2 takes them, without those that cannot be written, or that only a head may
 *  have. RFC 9110 section 6.5.1. */
export function trailerFields(trailers: RawHeaders): Record<string, string[]> {
  const kept: string[] = []
  for (let at = 0; at + 1 < trailers.length; at += 2) {
    const [name = '', value = ''] = [trailers[at], trailers[at + 1]]
    if (isToken(name) && isText(value) && !neverTrailing.has(name.toLowerCase())) kept.push(name, value)
  }
  return byName(kept)
}

const neverTrailing: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

/** Header lines from a list of node:http2, which begins with the pseudo-header fields, without Landfall's own; undefined if
 *  they are larger than `maxBytes`, as RFC 9113 section 6.5.2 counts them. node:http2 begins to count only when its SETTINGS
 *  are acknowledged. */
export function responseLines(received: readonly string[], maxBytes: number): RawHeaders | undefined {
  const lines: string[] = []
  let size = 0
  for (let at = 0; at + 1 < received.length; at += 2) {
    const [name = '', value = ''] = [received[at], received[at + 1]]
    size += name.length + value.length + 32
    // RFC 9113 section 8.2.1 has no space around a value, but it does no harm in HTTP/1.1.
    if (!name.startsWith(':') && !name.startsWith(internalPrefix)) lines.push(name, value.trim())
  }
  return size > maxBytes ? undefined : lines
}
