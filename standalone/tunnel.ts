import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { endToEnd, type RawHeaders } from './raw-headers.ts'
import type { UpstreamUpgrade } from './upstream.ts'

/** Destroys a socket that nobody reads when its peer ends it; early bytes stay in its buffer. The result ends the watch. */
export function watchEnd(socket: Socket): () => void {
  const readable = () => {
    // Reading nothing from an empty buffer lets 'end' come.
    if (socket.readableLength === 0) socket.read(0)
  }
  const end = () => socket.destroy()
  socket.on('readable', readable)
  socket.on('end', end)
  return () => {
    socket.off('readable', readable)
    socket.off('end', end)
  }
}

/** Answers a client's upgrade with the origin's 101 and joins the two until either ends. `rest` is what the client sent
 *  behind its request; `idleTimeout` is in milliseconds without a byte either way. */
export function openTunnel(client: Socket, rest: Buffer, answer: UpstreamUpgrade, idleTimeout: number): void {
  client.setTimeout(idleTimeout, () => client.destroy())
  client.setKeepAlive(true, 60_000)
  client.write(switchingProtocols(answer.reason, answer.headers), 'latin1')
  client.write(answer.rest)
  answer.socket.write(rest)
  client.pipe(answer.socket)
  answer.socket.pipe(client)
  closeAfter(client, answer.socket)
  closeAfter(answer.socket, client)
}

/** Closes `other` once it has sent on what `one` still gave. */
function closeAfter(one: Duplex, other: Duplex): void {
  // 'close' follows.
  one.on('error', () => {})
  one.on('close', () => {
    if (other.writableFinished) other.destroy()
    else other.end(() => other.destroy())
  })
}

/** RFC 9110 section 15.2.2. */
function switchingProtocols(reason: string, headers: RawHeaders): string {
  let head = `HTTP/1.1 101 ${reason}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
  const kept = endToEnd(headers, noBody)
  for (let at = 0; at < kept.length; at += 2) head += `${kept[at]}: ${kept[at + 1]}\r\n`
  return `${head}\r\n`
}

const noBody: ReadonlySet<string> = new Set(['content-length'])
