import { AppProtocol, type Backend, type Endpoint } from '../proto/gen/route_table.ts'
import { type Exchange, ExchangeError, type RequestHead, type ResponseSink } from './exchange.ts'
import type { OriginClient } from './origin-client.ts'
import { soonAnswered } from './soon-answered.ts'

/** The ways to all endpoints of a table, each by the protocol that its backend speaks. */
export interface Origins {
  open(backend: Backend, endpoint: Endpoint, request: RequestHead, sink: ResponseSink): Exchange
  /** Closes idle connections; exchanges under way go on. */
  close(): void
}

export interface OriginClients {
  readonly http1: OriginClient
  readonly http2: OriginClient
}

/** Only manifests decide, and nothing that a client sends: docs/decisions/backend-protocols.md. Without `http2` it is not
 *  spoken. */
export function createOrigins(http1: OriginClient, http2: OriginClient | undefined): Origins {
  return {
    open: ({ protocol, tls }, endpoint, request, sink) => {
      const client = protocol === AppProtocol.H2C ? http2 : http1
      if (client !== undefined) return client.open({ endpoint, tls }, request, sink)
      return soonAnswered(() => sink.failed(new ExchangeError('connect-failed', 'HTTP/2 is not spoken', true)))
    },
    close: () => {
      http1.close()
      http2?.close()
    },
  }
}
