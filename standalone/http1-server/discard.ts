import type { IncomingMessage } from 'node:http'

/** Reads on past the end of the response, so that a client which still sends gets to read it, and the connection can be used
 *  again; after `lingerTimeout` milliseconds the connection is cut. */
export function discardBody(request: IncomingMessage, lingerTimeout: number): void {
  if (request.complete || request.destroyed) return
  const enough = setTimeout(() => request.socket.destroy(), lingerTimeout)
  request.on('close', () => clearTimeout(enough))
  request.resume()
}
