import { type FrontEnd, type FrontEndOptions, noCounts } from '../front-end/front-end.ts'
import { Http2Connection } from './connection.ts'
import { type Http2Limits, http2Limits } from './limits.ts'

export interface Http2ServerOptions extends FrontEndOptions<Http2Limits> {
  /** A new Sec-WebSocket-Key: 16 random bytes in base64. RFC 6455 section 4.1. */
  readonly webSocketKey: () => string
}

/** Serves HTTP/2: with prior knowledge in the clear, and where TLS has agreed on it. */
export function createHttp2Server(options: Http2ServerOptions): FrontEnd {
  const { handler, log, observe = () => {}, webSocketKey } = options
  const limits = { ...http2Limits, ...options.limits }
  const counters = noCounts()
  const host = { handler, log, observe, limits, counters, webSocketKey }
  const connections = new Set<Http2Connection>()
  let whenEmpty = (): void => {}

  return {
    counters,
    take: (socket, peer, entrance) => {
      // Its 'close' has passed.
      if (socket.destroyed) return
      counters.connections++
      counters.open++
      const connection = new Http2Connection(host, socket, { version: 'HTTP/2', peer, ...entrance }, () => {
        counters.open--
        connections.delete(connection)
        if (connections.size === 0) whenEmpty()
      })
      connections.add(connection)
    },
    close: async (grace) => {
      const before = whenEmpty
      const empty = new Promise<void>((resolve) => {
        whenEmpty = () => {
          before()
          resolve()
        }
      })
      const cut = setTimeout(() => {
        for (const connection of connections) connection.cut()
      }, grace)
      for (const connection of connections) connection.close()
      if (connections.size > 0) await empty
      clearTimeout(cut)
    },
  }
}
