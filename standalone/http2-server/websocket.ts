import { createHash } from 'node:crypto'
import { type RawHeaders, valuesOf, without } from '../raw-headers.ts'

const accept = 'sec-websocket-accept'

/** An origin's answer to an upgrade without what was only between the two: proof that it has read `key`, which was made up for
 *  it. undefined if the proof is none, or there is none. RFC 6455 section 4.1, RFC 8441 section 5.1. */
export const withoutAccept = (headers: RawHeaders, key: string): string[] | undefined =>
  valuesOf(headers, accept).at(-1) === acceptOf(key) ? without(headers, accept) : undefined

/** RFC 6455 section 4.2.2. */
const acceptOf = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
