import type { BackendTls, Endpoint } from '../proto/gen/route_table.ts'
import type { Exchange, RequestHead, ResponseSink } from './exchange.ts'

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
