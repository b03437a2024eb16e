import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { errorHeader, type OriginError } from '../../engine/origin-token.ts'
import type { FrontEndCounters } from '../front-end/front-end.ts'
import type { Http1ClientLimits } from '../http1-client/limits.ts'
import { createHttp1Server } from '../http1-server/http1-server.ts'
import type { Http1Limits } from '../http1-server/limits.ts'
import { ConnectorClients } from './clients.ts'
import { createConnectorHandler } from './handler.ts'
import type { ConnectorTable } from './table.ts'
import { createTokenCheck, type OriginKeys } from './token-check.ts'

export interface ConnectorOptions {
  /** Asked for every request, as table is, so that both may change while the connector runs. */
  readonly keys: () => OriginKeys
  readonly table: () => ConnectorTable
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly log: (event: string, fields: Readonly<Record<string, string | number>>) => void
  readonly limits?: Partial<ConnectorLimits>
  /** Of the clients that speak HTTP/1.1 to origins. */
  readonly http1?: Partial<Http1ClientLimits>
}

/** Times in milliseconds. */
export interface ConnectorLimits extends Http1Limits {
  readonly connections: number
}

export const connectorLimits = {
  connections: 8192,
  // As long as a head may be: what is too long for Landfall was refused in front of the Worker.
  targetLength: 65_536,
  // Uploads come at the pace of clients behind the Worker.
  idleTimeout: 330_000,
  // workerd forgets the last message of a WebSocket, mostly its Close, when the connection ends together with it.
  tunnelEndDelay: 50,
} as const satisfies Partial<ConnectorLimits>

/** Counted since the start, but for `open` and `active`, which are now. */
export interface ConnectorCounters extends FrontEndCounters {
  /** Connections closed at once because there were too many. */
  readonly dropped: number
  /** What the connector answered itself to requests that could be read. */
  readonly errors: Readonly<Record<OriginError, number>>
}

export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string }

export interface Connector {
  readonly counters: ConnectorCounters
  /** The address as workerd's `external` services take it: "127.0.0.1:9000", "unix:/run/landfall.sock". */
  listen(address: ListenAddress): Promise<string>
  /** Takes no more connections, lets what is under way end within `grace` milliseconds, then cuts it. */
  close(grace: number): Promise<void>
}

/** Takes requests from Landfall's Worker and sends each to the endpoint that its token names. */
export function createConnector(options: ConnectorOptions): Connector {
  const { keys, table, now, log } = options
  const limits = { ...connectorLimits, ...options.limits }
  const clients = new ConnectorClients((name) => table().keyPairs.get(name), options.http1 ?? {})
  const errors = noErrors()
  let dropped = 0
  const handler = createConnectorHandler({ check: createTokenCheck(keys, now), table, clients, errors, log })
  const frontEnd = createHttp1Server({ handler, log, limits, reasonHeader: errorHeader })

  const server = createServer({ noDelay: true }, (socket: Socket) => {
    const { remoteAddress = '', remotePort = 0 } = socket
    // workerd ends its direction when it has given up the answer, too. 'error' is followed by 'close'.
    socket.on('end', () => socket.destroy())
    socket.on('error', () => {})
    const peer = { address: remoteAddress, port: remotePort, tls: undefined }
    frontEnd.take(socket, peer, { port: 0, scheme: 'http' })
  })
  server.maxConnections = limits.connections
  server.on('drop', () => dropped++)
  server.on('error', (error) => log('accept-failed', { message: error.message }))

  return {
    get counters() {
      return { ...frontEnd.counters, dropped, errors }
    },
    listen: async (address) => {
      server.listen(address)
      await once(server, 'listening')
      const bound = server.address()
      if (bound === null || typeof bound === 'string') return `unix:${bound}`
      return bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`
    },
    close: async (grace) => {
      const closed = new Promise((resolve) => server.close(resolve))
      await frontEnd.close(grace)
      await closed
      clients.close()
    },
  }
}

const noErrors = (): Record<OriginError, number> => ({
  refused: 0,
  'bad-request': 0,
  overloaded: 0,
  'connect-failed': 0,
  'tls-failed': 0,
  'connection-lost': 0,
  'invalid-response': 0,
  timeout: 0,
})
