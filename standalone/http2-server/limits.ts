/** Times in milliseconds, sizes in bytes. */
export interface Http2Limits {
  readonly streams: number
  /** Of a head as RFC 9113 section 6.5.2 counts: 32 bytes for each field are added. */
  readonly headBytes: number
  readonly headFields: number
  readonly targetLength: number
  /** Of a stream's upload that nobody takes. */
  readonly streamWindow: number
  /** Of all uploads on their way. */
  readonly connectionWindow: number
  /** For the first head of a connection. */
  readonly headTimeout: number
  /** Of a connection without a stream. */
  readonly keepAliveTimeout: number
  /** Of a stream, without a byte, while it is the client's turn to send or to read. */
  readonly idleTimeout: number
  /** How long a client that has its answer may go on sending, and one that was asked to close the connection may keep it. */
  readonly lingerTimeout: number
  readonly tunnelIdleTimeout: number
  /** Streams that a client may make useless at once, and how many more each second. */
  readonly resetBurst: number
  readonly resetRate: number
}

export const http2Limits: Http2Limits = {
  streams: 128,
  headBytes: 65_536,
  headFields: 512,
  targetLength: 16_384,
  streamWindow: 262_144,
  connectionWindow: 1_048_576,
  headTimeout: 10_000,
  keepAliveTimeout: 300_000,
  idleTimeout: 60_000,
  lingerTimeout: 2_000,
  tunnelIdleTimeout: 3_600_000,
  resetBurst: 1_000,
  resetRate: 33,
}
