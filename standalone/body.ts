import type { IncomingMessage, OutgoingMessage } from 'node:http'
import type { Readable } from 'node:stream'

const nothing = Buffer.alloc(0)

/** Sends a body on as fast as its reader takes it, and its end after `endDelay` milliseconds. A body that lets its first byte
 *  wait does not hold back the head; what happens when either side fails is the caller's. */
export function sendBody(body: Readable, message: OutgoingMessage, endDelay: () => number = () => 0): void {
  // Not flushHeaders(): it writes the head as UTF-8, and header bytes above 0x7f change.
  const head = setImmediate(() => {
    if (!message.destroyed) message.write(nothing)
  })
  body.on('data', (chunk: Buffer) => {
    clearImmediate(head)
    if (!message.destroyed && !message.write(chunk)) body.pause()
  })
  message.on('drain', () => body.resume())
  body.on('end', () => {
    clearImmediate(head)
    const delay = endDelay()
    if (delay === 0) message.end()
    else setTimeout(() => message.destroyed || message.end(), delay)
  })
}

/** Reads on past the end of the response, so that a client which still sends gets to read it, and the connection can be used
 *  again; after `lingerTimeout` milliseconds the connection is cut. */
export function discardBody(request: IncomingMessage, lingerTimeout: number): void {
  if (request.complete || request.destroyed) return
  const enough = setTimeout(() => request.socket.destroy(), lingerTimeout)
  request.on('close', () => clearTimeout(enough))
  request.resume()
}
