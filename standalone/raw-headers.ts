import { internalPrefix } from '../engine/origin-token.ts'

/** Header lines as they stood on the wire: name, value, name, value, … in Latin-1, so that order, case, duplicates and
 *  bytes above 0x7f survive. */
export type RawHeaders = readonly string[]

/** Fields of one connection only. RFC 9110 section 7.6.1, with the two Proxy- fields of section 11.7 and RFC 7540's
 *  HTTP2-Settings. */
export const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'proxy-authenticate',
  'proxy-authorization',
])

/** The headers that may pass on to the next hop: without those of this connection, those that Connection names, Landfall's
 *  own, and `others` (lower case). Content-Length stays even if Connection names it: it frames the body that follows. */
export function endToEnd(headers: RawHeaders, others: ReadonlySet<string> = nothing): string[] {
  const named = connectionNamed(headers)
  const kept: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [name = '', value = ''] = [headers[at], headers[at + 1]]
    const lower = name.toLowerCase()
    if (hopByHop.has(lower) || others.has(lower) || lower.startsWith(internalPrefix)) continue
    if (named?.has(lower) && lower !== 'content-length') continue
    kept.push(name, value)
  }
  return kept
}

const nothing: ReadonlySet<string> = new Set()

function connectionNamed(headers: RawHeaders): ReadonlySet<string> | undefined {
  const values = valuesOf(headers, 'connection')
  if (values.length === 0) return undefined
  return new Set(values.flatMap((value) => value.toLowerCase().split(',')).map((name) => name.trim()))
}

/** All lines but those of one field; `name` in lower case. */
export function without(headers: RawHeaders, name: string): string[] {
  const kept: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [line = '', value = ''] = [headers[at], headers[at + 1]]
    if (line.length !== name.length || line.toLowerCase() !== name) kept.push(line, value)
  }
  return kept
}

/** The values of each field by its name in lower case, as node:http2 takes trailers and hints. */
export function byName(headers: RawHeaders): Record<string, string[]> {
  const fields = new Map<string, string[]>()
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [name = '', value = ''] = [headers[at]?.toLowerCase(), headers[at + 1]]
    const values = fields.get(name)
    if (values === undefined) fields.set(name, [value])
    else values.push(value)
  }
  return Object.fromEntries(fields)
}

/** As HTTP/1.1 writes them. RFC 9112 section 5. */
export function written(headers: RawHeaders): string {
  let text = ''
  for (let at = 0; at + 1 < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`
  return text
}

/** The value of every line of a field; `name` in lower case. */
export function valuesOf(headers: RawHeaders, name: string): readonly string[] {
  const values: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const value = headers[at + 1]
    if (value !== undefined && headers[at]?.length === name.length && headers[at]?.toLowerCase() === name)
      values.push(value)
  }
  return values
}
