import { type FrontEnd, type FrontEndOptions, hostOf } from '../front-end/front-end.ts'
import { OpenConnections } from '../front-end/open-connections.ts'
import { Http2Connection } from './connection.ts'
import { type Http2Limits, http2Limits } from './limits.ts'

export interface Http2ServerOptions extends FrontEndOptions<Http2Limits> {
  /** A new Sec-WebSocket-Key: 16 random bytes in base64. RFC 6455 section 4.1. */
  readonly webSocketKey: () => string
}

/** Serves HTTP/2: with prior knowledge in the clear, and where TLS has agreed on it. */
export function createHttp2Server(options: Http2ServerOptions): FrontEnd {
  const host = { ...hostOf(options, http2Limits), webSocketKey: options.webSocketKey }
  const connections = new OpenConnections<Http2Connection>(host.counters)

  return {
    counters: host.counters,
    take: (socket, peer, entrance) => {
      // Its 'close' has passed.
      if (socket.destroyed) return
      const arrival = { version: 'HTTP/2', peer, ...entrance } as const
      connections.opened(socket, new Http2Connection(host, socket, arrival, () => connections.closed(socket)))
    },
    close: async (grace) => {
      for (const connection of connections.values()) connection.close()
      await connections.emptied(grace, (connection) => connection.cut())
    },
  }
}
