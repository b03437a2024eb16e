import type { OnReadOpts, Socket } from 'node:net'
import type { BackendTls, Endpoint } from '../proto/gen/route_table.ts'
import type { Exchange, ExchangeError, RequestHead, ResponseSink } from './exchange.ts'

/** One endpoint of a backend, and how it is spoken to. */
export interface Origin {
  readonly endpoint: Endpoint
  /** BackendTLSPolicy; undefined: in the clear. */
  readonly tls: BackendTls | undefined
}

/** Sends requests to origins by one version of HTTP. Keeps connections, each for origins that are equal. */
export interface OriginClient {
  open(origin: Origin, request: RequestHead, sink: ResponseSink): Exchange
  /** Closes idle connections; exchanges under way go on. */
  close(): void
}

/**
 * Opens a connection to an origin: in the clear, or by TLS with `protocols` for ALPN and the certificate checked. The
 * socket has TCP_NODELAY, and nothing may be written before `ready`, which is called once, after this has returned:
 * with nothing when the connection stands, or with an error of kind connect-failed or tls-failed, and then the socket is
 * destroyed. How long to wait is the caller's choice, who destroys the socket and may then hear nothing. `onread` takes
 * what is read in place of 'data' events, as in net.connect.
 */
export type Connect = (
  origin: Origin,
  protocols: readonly ('h2' | 'http/1.1')[],
  ready: (error: ExchangeError | undefined) => void,
  onread?: OnReadOpts,
) => Socket
