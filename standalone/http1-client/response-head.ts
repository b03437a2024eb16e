import { internalPrefix } from '../../engine/origin-token.ts'
import { Octet, octets } from '../http1-syntax.ts'
import { endToEnd, hopByHop, type RawHeaders } from '../raw-headers.ts'
import type { Http1Section } from './section.ts'

/** A response's status line and fields, and what they say of the connection. */
export interface ResponseHead {
  readonly status: number
  readonly reason: string
  /** End to end, with Content-Length unless the response can have none. */
  readonly headers: RawHeaders
  /** Content-Length. */
  readonly length: number | undefined
  /** Transfer-Encoding: chunked. */
  readonly isChunked: boolean
  /** Whether the origin lets the connection serve once more. */
  readonly isPersistent: boolean
  /** Value of Upgrade, where Connection names it. */
  readonly upgrade: string | undefined
  /** Value of Keep-Alive. */
  readonly keepAlive: string | undefined
}

/** The head that stands in `section`, or what is wrong with it. RFC 9112 sections 4 to 6. Fields of Landfall's own are dropped
 *  unless the origin `isOwn`. */
export function readResponseHead(section: Http1Section, isOwn: boolean): ResponseHead | string {
  const text = section.text()
  const status = readStatus(section)
  if (status === undefined) return 'a malformed status line'
  const fields = section.fields(text, 1)
  if (fields === undefined) return 'a malformed header line'

  let length: string | undefined
  let coding: string | undefined
  let connection: string | undefined
  let upgrade: string | undefined
  let keepAlive: string | undefined
  let kept = 0
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? ''
    const value = fields[at + 1] ?? ''
    if (mayMatter(name)) {
      const lower = name.toLowerCase()
      if (lower === 'content-length') {
        // RFC 9112 section 6.3, rule 5: equal ones are one, others leave open where the response ends.
        if (length !== undefined && length !== value) return 'two lengths'
        const isRepeated = length !== undefined
        length = value
        if (isRepeated || hasNoLength(status)) continue
      } else if (hopByHop.has(lower)) {
        if (lower === 'connection') connection = connection === undefined ? value : `${connection},${value}`
        else if (lower === 'transfer-encoding') coding = coding === undefined ? value : `${coding},${value}`
        else if (lower === 'upgrade') upgrade = upgrade === undefined ? value : `${upgrade},${value}`
        else if (lower === 'keep-alive') keepAlive = value
        continue
      } else if (!isOwn && lower.startsWith(internalPrefix)) continue
    }
    fields[kept++] = name
    fields[kept++] = value
  }
  fields.length = kept

  if (length !== undefined && !isLength(length)) return 'a malformed Content-Length'
  const isOld = section.byte(7) === zero
  if (coding !== undefined) {
    // RFC 9112 sections 6.1 and 6.3: with a Content-Length, or in HTTP/1.0, another reader may see another end.
    if (length !== undefined) return 'both Transfer-Encoding and Content-Length'
    if (isOld) return 'Transfer-Encoding in HTTP/1.0'
    if (coding.toLowerCase() !== 'chunked') return 'a Transfer-Encoding other than chunked'
  }
  const options = connection === undefined ? none : optionsOf(connection)
  return {
    status,
    reason: text.slice(13, section.firstEnd),
    headers:
      options === none || options === alive || options === close
        ? fields
        : endToEnd(['Connection', connection ?? '', ...fields]),
    length: length === undefined ? undefined : Number(length),
    isChunked: coding !== undefined,
    isPersistent: !isOld && !options.has('close'),
    upgrade: options.has('upgrade') ? upgrade : undefined,
    keepAlive,
  }
}

const zero = 0x30
const space = 0x20

/** RFC 9112 section 4, with or without the space in front of an empty reason. */
function readStatus(section: Http1Section): number | undefined {
  for (let at = 0; at < version.length; at++) if (section.byte(at) !== version[at]) return undefined
  const minor = section.byte(7) - zero
  if (minor !== 0 && minor !== 1) return undefined
  if (section.byte(8) !== space) return undefined
  const [hundreds, tens, ones] = [section.byte(9) - zero, section.byte(10) - zero, section.byte(11) - zero]
  if (hundreds < 1 || hundreds > 9 || tens < 0 || tens > 9 || ones < 0 || ones > 9) return undefined
  const end = section.firstEnd
  if (end > 12 && section.byte(12) !== space) return undefined
  for (let at = 13; at < end; at++) if (((octets[section.byte(at)] ?? 0) & Octet.text) === 0) return undefined
  return 100 * hundreds + 10 * tens + ones
}

const version = Buffer.from('HTTP/1.')

/** Whether a response begins like this as far as it came. */
export function mayBegin(section: Http1Section): boolean {
  for (let at = 0; at < version.length && at < section.length; at++) if (section.byte(at) !== version[at]) return false
  return true
}

/** RFC 9110 section 8.6. */
const hasNoLength = (status: number): boolean => status < 200 || status === 204

/** More digits are more than a number can tell apart. */
const isLength = (value: string): boolean => /^[0-9]{1,15}$/.test(value)

/** Lengths of the names that are looked at more closely. */
const lengths = new Uint8Array(256)
for (const name of ['content-length', ...hopByHop]) lengths[name.length] = 1

const mayMatter = (name: string): boolean => lengths[name.length] === 1 || (name.charCodeAt(0) | space) === 0x6c

const none: ReadonlySet<string> = new Set()
const alive: ReadonlySet<string> = new Set(['keep-alive'])
const close: ReadonlySet<string> = new Set(['close'])

/** RFC 9110 section 7.6.1. */
function optionsOf(connection: string): ReadonlySet<string> {
  const lower = connection.toLowerCase()
  if (lower === 'keep-alive') return alive
  if (lower === 'close') return close
  return new Set(lower.split(',').map((option) => option.trim()))
}
