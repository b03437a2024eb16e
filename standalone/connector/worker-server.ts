import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { hostPort } from '../../engine/host-port.ts'
import type { FrontEnd, FrontEndCounters } from '../front-end/front-end.ts'
import { createHttp1Server, type Http1ServerOptions } from '../http1-server/http1-server.ts'
import type { Http1Limits } from '../http1-server/limits.ts'

/** Times in milliseconds. */
export interface WorkerServerLimits extends Http1Limits {
  readonly connections: number
}

const workerServerLimits = {
  connections: 8192,
  // As long as a head may be: what is too long for Landfall was refused in front of the Worker.
  targetLength: 65_536,
  // Uploads come at the pace of clients behind the Worker.
  idleTimeout: 330_000,
  // workerd forgets the last message of a WebSocket, mostly its Close, when the connection ends together with it.
  tunnelEndDelay: 50,
} as const satisfies Partial<WorkerServerLimits>

export interface WorkerServerOptions extends Pick<Http1ServerOptions, 'handler' | 'log' | 'reasonHeader'> {
  readonly limits?: Partial<WorkerServerLimits>
}

export interface WorkerServerCounters extends FrontEndCounters {
  /** Connections closed at once because there were too many. */
  readonly dropped: number
}

export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string }

/** Takes requests of Workers, over connections of its own. */
export interface WorkerServer {
  readonly counters: WorkerServerCounters
  /** The address as workerd's `external` services take it: "127.0.0.1:9000", "unix:/run/landfall.sock". */
  listen(address: ListenAddress): Promise<string>
  /** Takes no more connections, lets what is under way end within `grace` milliseconds, then cuts it. */
  close(grace: number): Promise<void>
}

export function createWorkerServer({ limits: wanted, ...options }: WorkerServerOptions): WorkerServer {
  const limits = { ...workerServerLimits, ...wanted }
  const frontEnd: FrontEnd = createHttp1Server({ ...options, limits })
  let dropped = 0

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
  server.on('error', (error) => options.log('accept-failed', { message: error.message }))

  return {
    get counters() {
      return { ...frontEnd.counters, dropped }
    },
    listen: async (address) => {
      server.listen(address)
      await once(server, 'listening')
      const bound = server.address()
      if (bound === null || typeof bound === 'string') return `unix:${bound}`
      return hostPort(bound.address, bound.port)
    },
    close: async (grace) => {
      const closed = new Promise((resolve) => server.close(resolve))
      await frontEnd.close(grace)
      await closed
    },
  }
}
