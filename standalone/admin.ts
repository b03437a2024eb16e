import { once } from 'node:events'
import { createServer } from 'node:http'

/** Asked for each request. */
export interface AdminSource {
  /** Whether the data plane serves: a table is loaded, its sockets are open and it is not being stopped. */
  readonly isReady: () => boolean
  /** In the Prometheus text format. */
  readonly metrics: () => Promise<string>
}

export interface Admin {
  readonly port: number
  close(): void
}

/** /healthz, /readyz and /metrics for people and probes; not for the network at large. */
export async function startAdmin(host: string, port: number, source: AdminSource): Promise<Admin> {
  const server = createServer(async ({ url = '', method }, response) => {
    const [path] = url.split('?')
    const answer = (status: number, text: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { 'content-type': type }).end(text)
    }
    if (method !== 'GET' && method !== 'HEAD') answer(405, '405 method not allowed\n')
    else if (path === '/healthz') answer(200, 'ok\n')
    else if (path === '/readyz') {
      if (source.isReady()) answer(200, 'ready\n')
      else answer(503, 'not ready\n')
    } else if (path === '/metrics') answer(200, await source.metrics(), 'text/plain; version=0.0.4; charset=utf-8')
    else answer(404, '404 not found\n')
  })
  // Not shared with another process, as ports of Gateways are: who asks must know whom.
  server.listen({ port, host })
  await once(server, 'listening')
  // Where no file descriptor is left. Node.js goes on to accept.
  server.on('error', () => {})
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
