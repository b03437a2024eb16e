import { internalPrefix } from '../../engine/origin-token.ts'
import { ordinaryNames } from '../front-end/names.ts'
import { hopByHop, type RawHeaders } from '../raw-headers.ts'

/** What one look at the lines of a request's head finds. Of fields that came in several lines, the last. */
export class Http1Fields {
  /** Those that may pass on: without what concerns this connection only, without Host and Expect, which are answered here,
   *  and without Landfall's own. Content-Length stays even if Connection names it, for it frames the body that follows. */
  endToEnd: string[] = []
  hosts = 0
  host = ''
  codings = 0
  coding = ''
  length: string | undefined
  upgrade: string | undefined
  expect: string | undefined
  /** TE lists "trailers". */
  takesTrailers = false

  constructor(lines: RawHeaders) {
    let connection: string | undefined
    for (let at = 0; at + 1 < lines.length; at += 2) {
      const name = lines[at] ?? ''
      const value = lines[at + 1] ?? ''
      if (isOrdinary(name)) {
        this.endToEnd.push(name, value)
        continue
      }
      const lower = name.toLowerCase()
      if (lower === 'connection') connection = connection === undefined ? value : `${connection},${value}`
      else this.#take(lower, name, value)
    }
    if (this.takesTrailers) this.endToEnd.push('TE', 'trailers')
    if (connection !== undefined && !isUsual.test(connection)) this.#leaveOut(connection)
  }

  #take(lower: string, name: string, value: string): void {
    switch (lower) {
      case 'host':
        this.hosts++
        this.host = value
        return
      case 'transfer-encoding':
        this.codings++
        this.coding = value
        return
      case 'expect':
        this.expect = value
        return
      case 'upgrade':
        this.upgrade = value
        return
      case 'te':
        if (listsTrailers.test(value)) this.takesTrailers = true
        return
      case 'content-length':
        this.length = value
        break
      default:
        if (hopByHop.has(lower) || lower.startsWith(internalPrefix)) return
    }
    this.endToEnd.push(name, value)
  }

  /** RFC 9110 section 7.6.1. */
  #leaveOut(connection: string): void {
    const named = new Set(connection.split(',').map((name) => name.trim().toLowerCase()))
    const kept: string[] = []
    for (let at = 0; at + 1 < this.endToEnd.length; at += 2) {
      const [name = '', value = ''] = [this.endToEnd[at], this.endToEnd[at + 1]]
      const lower = name.toLowerCase()
      if (!named.has(lower) || isProtected(lower)) kept.push(name, value)
    }
    this.endToEnd = kept
  }
}

/** What the body's reader relies on, and what a trusted proxy in front has said. */
const isProtected = (lower: string): boolean =>
  lower === 'content-length' || lower === 'te' || lower.startsWith('x-forwarded-')

const listsTrailers = /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i
/** A Connection header that names no field which endToEnd could have. */
const isUsual = /^(?:keep-alive|close|upgrade|te)(?:, ?(?:keep-alive|close|upgrade|te))*$/i

const isOrdinary = ordinaryNames([...hopByHop, 'host', 'expect', 'content-length'], internalPrefix)
