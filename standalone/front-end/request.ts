import type { ClientRequest, Peer } from '../handler.ts'
import type { RawHeaders } from '../raw-headers.ts'
import type { Target } from '../target.ts'
import type { Entrance } from './front-end.ts'

/** What is the same for all requests of a connection. */
export interface Arrival extends Entrance {
  readonly version: ClientRequest['version']
  readonly peer: Peer
}

/** What a front end has made of a request's head. */
export interface FrontEndHead {
  readonly method: string
  readonly authority: string
  readonly target: Target
  /** All lines, as they came. */
  readonly received: RawHeaders
  /** Those of them that may pass on. */
  readonly endToEnd: RawHeaders
  readonly hasBody: boolean
  readonly upgrade: 'websocket' | undefined
}

export class FrontEndRequest implements ClientRequest {
  readonly version: ClientRequest['version']
  readonly peer: Peer
  readonly scheme: 'http' | 'https'
  readonly port: number
  readonly method: string
  readonly authority: string
  readonly target: string
  readonly path: string
  readonly query: string
  readonly headers: RawHeaders
  readonly hasBody: boolean
  readonly upgrade: 'websocket' | undefined
  readonly #received: RawHeaders

  constructor(arrival: Arrival, head: FrontEndHead) {
    this.version = arrival.version
    this.peer = arrival.peer
    this.scheme = arrival.scheme
    this.port = arrival.port
    this.method = head.method
    this.authority = head.authority
    this.target = head.target.text
    this.path = head.target.path
    this.query = head.target.query
    this.headers = head.endToEnd
    this.hasBody = head.hasBody
    this.upgrade = head.upgrade
    this.#received = head.received
  }

  /** Also of headers that do not pass on: a route may match on any. */
  header(name: string): string | undefined {
    if (name === 'host') return this.authority
    const received = this.#received
    let joined: string | undefined
    for (let at = 0; at < received.length; at += 2) {
      const line = received[at]
      if (line?.length !== name.length || line.toLowerCase() !== name) continue
      // RFC 9113 section 8.2.3, RFC 6265 section 5.4.
      joined = joined === undefined ? received[at + 1] : `${joined}${name === 'cookie' ? '; ' : ','}${received[at + 1]}`
    }
    return joined
  }
}
