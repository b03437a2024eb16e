import type { ResponseLimits } from './response-parser.ts'

/** Times in milliseconds. */
export interface Http1ClientLimits extends ResponseLimits {
  /** Until the connection stands, TLS included. */
  readonly connectTimeout: number
  /** Without a byte in either direction. */
  readonly idleTimeout: number
  /** How long a connection waits for its next request. Shorter than origins wait, so that a request seldom meets a
   *  closing one: Node.js and Apache httpd close after 5 s. An origin's own Keep-Alive can only shorten it. */
  readonly reuseTimeout: number
  /** More are not sent. Tunnels do not count. */
  readonly requestsPerOrigin: number
  readonly idleConnectionsPerOrigin: number
}

export const http1ClientLimits: Http1ClientLimits = {
  connectTimeout: 5_000,
  idleTimeout: 300_000,
  reuseTimeout: 4_000,
  requestsPerOrigin: 1024,
  idleConnectionsPerOrigin: 64,
  headBytes: 65_536,
  chunkLineBytes: 1_024,
  trailerBytes: 16_384,
}
