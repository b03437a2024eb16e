import { internalPrefix } from '../../engine/origin-token.ts'
import { hopByHop, type RawHeaders } from '../raw-headers.ts'

/** Fields that frame, route, authenticate or change a message, or say what its content is: whoever reads them behind the
 *  content, perhaps among the headers, must not be told something new. RFC 9110 section 6.5.1. */
const notInTrailers: ReadonlySet<string> = new Set([
  ...hopByHop,
  'content-length',
  'host',
  'expect',
  'max-forwards',
  'cache-control',
  'pragma',
  'range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'authorization',
  'www-authenticate',
  'cookie',
  'set-cookie',
  'age',
  'expires',
  'date',
  'location',
  'retry-after',
  'vary',
  'content-encoding',
  'content-type',
  'content-range',
  'forwarded',
])

/** The trailers that may pass on. */
export function safeTrailers(trailers: RawHeaders): RawHeaders {
  if (trailers.length === 0) return trailers
  const safe: string[] = []
  for (let at = 0; at + 1 < trailers.length; at += 2) {
    const [name = '', value = ''] = [trailers[at], trailers[at + 1]]
    const lower = name.toLowerCase()
    if (notInTrailers.has(lower) || lower.startsWith('x-forwarded-') || lower.startsWith(internalPrefix)) continue
    safe.push(name, value)
  }
  return safe
}

/** Lines as node:http takes trailers. */
export function asPairs(lines: RawHeaders): [string, string][] {
  const pairs: [string, string][] = []
  for (let at = 0; at + 1 < lines.length; at += 2) pairs.push([lines[at] ?? '', lines[at + 1] ?? ''])
  return pairs
}
