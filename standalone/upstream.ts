import type { Duplex, Readable } from 'node:stream'
import type { Endpoint } from '../proto/gen/route_table.ts'
import type { RawHeaders } from './raw-headers.ts'

/** How a request reaches an endpoint: one implementation a protocol. */
export interface Upstream {
  send(request: UpstreamRequest): Exchange
  /** Closes idle connections; exchanges under way go on. */
  close(): void
}

export interface UpstreamRequest {
  readonly endpoint: Endpoint
  readonly method: string
  /** Path and query as they are to stand on the wire. */
  readonly target: string
  /** End to end, Host among them, and Content-Length where the length of the body is known. */
  readonly headers: RawHeaders
  readonly body: Readable | undefined
  /** The only protocol that may be upgraded to; such a request has no body. */
  readonly upgrade: 'websocket' | undefined
}

export interface Exchange {
  /** Rejects with an UpstreamError. */
  readonly answer: Promise<UpstreamResponse | UpstreamUpgrade>
  /** Ends the exchange wherever it stands, and frees what it holds. */
  abort(): void
}

export interface UpstreamResponse {
  readonly type: 'response'
  readonly status: number
  readonly reason: string
  /** As received. */
  readonly headers: RawHeaders
  /** Fails with an UpstreamError if the origin goes away before the end. Trailers are left out: no Worker can pass them on. */
  readonly body: Readable
}

export interface UpstreamUpgrade {
  readonly type: 'upgrade'
  readonly reason: string
  readonly headers: RawHeaders
  readonly socket: Duplex
  /** What came behind the response's head: the first bytes of the new protocol. */
  readonly rest: Buffer
}

export class UpstreamError extends Error {
  override readonly name = 'UpstreamError'
  readonly kind: 'overloaded' | 'connect-failed' | 'connection-lost' | 'invalid-response' | 'timeout'

  constructor(kind: UpstreamError['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}
