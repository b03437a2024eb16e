import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/** Has a server listen on a free port of 127.0.0.1. Resolves with the port. */
export async function listenOnFreePort(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  return bound !== null && typeof bound === 'object' ? bound.port : 0
}

/** A port of 127.0.0.1 on which nobody listens at the moment, for a process that cannot be asked which it got. */
export async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listenOnFreePort(server)
  server.close()
  await once(server, 'close')
  return port
}
