import type { TunnelLimits } from './upgrade.ts'

/** Times in milliseconds, sizes in bytes. */
export interface Http1Limits extends TunnelLimits {
  /** Of a head, its request line and its trailers counted in. */
  readonly headBytes: number
  readonly targetLength: number
  /** For a head, from its first byte; for the first one, from the connection's beginning. */
  readonly headTimeout: number
  /** Between two requests. */
  readonly keepAliveTimeout: number
  /** Without a byte, while it is the client's turn to send or to read. */
  readonly idleTimeout: number
  /** Requests that wait for the answers to those before them. */
  readonly pipelined: number
  /** How long a client that has its answer may go on sending. */
  readonly lingerTimeout: number
}

export const http1Limits: Http1Limits = {
  headBytes: 65_536,
  targetLength: 16_384,
  headTimeout: 10_000,
  keepAliveTimeout: 75_000,
  idleTimeout: 60_000,
  pipelined: 128,
  lingerTimeout: 2_000,
  tunnelIdleTimeout: 3_600_000,
  tunnelEndDelay: 0,
}
