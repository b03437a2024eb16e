/** Times in milliseconds. */
export interface Http2ClientLimits {
  /** Until the connection stands, TLS included. */
  readonly connectTimeout: number
  /** How long a request waits for one of the streams that an origin has. */
  readonly queueTimeout: number
  /** Of an exchange, without anything in either direction. */
  readonly idleTimeout: number
  /** How long a connection without streams is kept. */
  readonly idleConnectionTimeout: number
  /** A connection on which requests wait and nothing comes is asked for a sign of life after this time, … */
  readonly pingAfter: number
  /** … is dead when not a byte comes within this time, … */
  readonly pingTimeout: number
  /** … and else asked again after this time. gRPC servers close a connection for a third PING in 5 minutes that brings no
   *  answer to a request in between. */
  readonly pingAgainAfter: number
  /** All times but connectTimeout are counted in these: a process that was held up takes nobody for dead. */
  readonly sweepInterval: number
  /** Waiting and under way; more are not sent. */
  readonly requestsPerOrigin: number
  readonly connectionsPerOrigin: number
  /** Even if the origin lets a connection have more. */
  readonly streamsPerConnection: number
  /** A connection has 2^30 stream numbers. */
  readonly requestsPerConnection: number
  /** Of the head or the trailers of a response, as RFC 9113 section 6.5.2 counts SETTINGS_MAX_HEADER_LIST_SIZE. */
  readonly headBytes: number
  readonly headLines: number
  /** Of what is read ahead of a response's reader. */
  readonly streamWindow: number
  readonly connectionWindow: number
}

export const http2ClientLimits: Http2ClientLimits = {
  connectTimeout: 5_000,
  queueTimeout: 10_000,
  idleTimeout: 300_000,
  idleConnectionTimeout: 60_000,
  pingAfter: 10_000,
  pingTimeout: 10_000,
  pingAgainAfter: 310_000,
  sweepInterval: 1_000,
  requestsPerOrigin: 1024,
  connectionsPerOrigin: 16,
  streamsPerConnection: 1024,
  requestsPerConnection: 2 ** 29,
  headBytes: 65_536,
  headLines: 1_000,
  streamWindow: 262_144,
  connectionWindow: 4_194_304,
}
