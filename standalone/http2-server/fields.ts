import { internalPrefix } from '../../engine/origin-token.ts'
import { ordinaryNames } from '../front-end/names.ts'
import { hopByHop, type RawHeaders } from '../raw-headers.ts'

/** What one look at a request's field lines finds. nghttp2 has seen to it that names are in lower case, that pseudo fields
 *  and Host come once, the former in front, that none is of the connection, and that TE, if there is one, says "trailers".
 *  RFC 9113 section 8. */
export class Http2Fields {
  /** Those that may pass on: without Host and Expect, which are answered here, and without Landfall's own. */
  readonly endToEnd: string[] = []
  method = ''
  path = ''
  scheme = ''
  /** Of an extended CONNECT. RFC 8441 section 4. */
  protocol: string | undefined
  authority: string | undefined
  host: string | undefined
  expect: string | undefined

  constructor(lines: RawHeaders) {
    let cookie: string | undefined
    for (let at = 0; at + 1 < lines.length; at += 2) {
      const name = lines[at] ?? ''
      const value = lines[at + 1] ?? ''
      if (name.charCodeAt(0) === colon) this.#takePseudo(name, value)
      else if (isOrdinary(name)) this.endToEnd.push(name, value)
      // RFC 9113 section 8.2.3.
      else if (name === 'cookie') cookie = cookie === undefined ? value : `${cookie}; ${value}`
      else if (name === 'host') this.host = value
      else if (name === 'expect') this.expect = value
      else if (name === 'te' || !(hopByHop.has(name) || name.startsWith(internalPrefix)))
        this.endToEnd.push(name, value)
    }
    if (cookie !== undefined) this.endToEnd.push('cookie', cookie)
  }

  #takePseudo(name: string, value: string): void {
    switch (name) {
      case ':method':
        this.method = value
        return
      case ':path':
        this.path = value
        return
      case ':scheme':
        this.scheme = value
        return
      case ':authority':
        this.authority = value
        return
      case ':protocol':
        this.protocol = value
    }
  }
}

const colon = 0x3a

const isOrdinary = ordinaryNames([...hopByHop, 'host', 'expect', 'cookie'], internalPrefix)
