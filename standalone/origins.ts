import { AppProtocol, type Backend, type Endpoint } from '../proto/gen/route_table.ts'
import type { Exchange, RequestHead, ResponseSink } from './exchange.ts'
import type { OriginClient } from './origin-client.ts'

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

/** Only manifests decide, and nothing that a client sends: docs/decisions/backend-protocols.md. */
export function createOrigins({ http1, http2 }: OriginClients): Origins {
  return {
    open: ({ protocol, tls }, endpoint, request, sink) =>
      (protocol === AppProtocol.H2C ? http2 : http1).open({ endpoint, tls }, request, sink),
    close: () => {
      http1.close()
      http2.close()
    },
  }
}
