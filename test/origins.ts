import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Endpoint } from '../proto/gen/route_table.ts'
import { RawConnection } from './raw-connection.ts'

/** A server on a free port of 127.0.0.1 that stands for a backend's endpoint. */
export interface Origin {
  readonly endpoint: Endpoint
  /** Every connection so far, with the bytes that came over it. */
  readonly connections: readonly RawConnection[]
  close(): Promise<void>
}

/** An origin of the odd kind: `serve` is called for each connection and speaks TCP. */
export const startOrigin = (serve: (connection: RawConnection) => void | Promise<void>): Promise<Origin> => {
  const connections: RawConnection[] = []
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    const connection = new RawConnection(socket)
    connections.push(connection)
    // A peer that closes while the origin waits for more is not the origin's fault.
    Promise.resolve(serve(connection)).catch(() => socket.destroy())
  })
  return listening(server, connections)
}

/** As startOrigin(), until the test is over. */
export async function startOriginUntilEnd(serve: Parameters<typeof startOrigin>[0]): Promise<Origin> {
  const origin = await startOrigin(serve)
  onTestFinished(() => origin.close())
  return origin
}

/** An origin that is a real server: node:http. */
export const startHttpOrigin = (listener: RequestListener): Promise<Origin> => listening(createServer(listener), [])

/** An endpoint where nothing listens. */
export async function closedEndpoint(): Promise<Endpoint> {
  const origin = await startOrigin(() => {})
  await origin.close()
  return origin.endpoint
}

async function listening(server: Server, connections: readonly RawConnection[]): Promise<Origin> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0
  return {
    endpoint: { address: '127.0.0.1', port },
    connections,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const ok = 'HTTP/1.1 200 OK\r\n'
const sized = (body: string) => `${ok}Content-Length: ${body.length}\r\n\r\n${body}`

/** Answers every request with the request as it came: head, and body with its coding. */
export async function echo(connection: RawConnection): Promise<void> {
  for (;;) {
    const { head, body } = await connection.message()
    connection.write(sized(head + body))
  }
}

/** Answers every request with the same bytes. */
export const answer = (bytes: string) => async (connection: RawConnection) => {
  for (;;) {
    await connection.message()
    connection.write(bytes)
  }
}

/** Answers a request's head at once and leaves its body where it is. */
export const answerEarly = (bytes: string) => async (connection: RawConnection) => {
  await connection.until('\r\n\r\n')
  connection.write(bytes)
}

/** Accepts a request and never says a word. */
export const silent = (): void => {}

/** Half of what Content-Length promises, and nothing more. */
export const hangMidBody = answer(`${ok}Content-Length: 10\r\n\r\nhello`)

/** Reads the request and closes. */
export async function closeEarly(connection: RawConnection): Promise<void> {
  await connection.until('\r\n\r\n')
  connection.socket.destroy()
}

export async function reset(connection: RawConnection): Promise<void> {
  await connection.until('\r\n\r\n')
  connection.socket.resetAndDestroy()
}

/** Sends `bytes` and closes, as a process does that dies while it answers. */
export const dieAfter = (bytes: string) => async (connection: RawConnection) => {
  await connection.until('\r\n\r\n')
  connection.socket.end(bytes, 'latin1')
}

/** Ends its own direction behind the response, which has no other end. */
export const halfClose = dieAfter(`${ok}Connection: close\r\n\r\nuntil the end`)

/** 100 and 103 before the response, whether asked or not. */
export const interim = answer(
  `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${sized('after all')}`,
)

export const garbage = answer('SSH-2.0-OpenSSH_9.2p1\r\n\r\n')

/** Headers of `bytes` bytes in all. */
export const hugeHeaders = (bytes: number) =>
  answer(`${ok}${`X-Fill: ${'x'.repeat(90)}\r\n`.repeat(Math.ceil(bytes / 100))}Content-Length: 0\r\n\r\n`)

/** A body of `pieces` pieces, of which each waits until `gate` lets it go. */
export const slowBody = (pieces: readonly string[], gate: () => Promise<void>) => async (connection: RawConnection) => {
  await connection.message()
  connection.write(`${ok}Transfer-Encoding: chunked\r\n\r\n`)
  for (const piece of pieces) {
    await gate()
    connection.write(`${piece.length.toString(16)}\r\n${piece}\r\n`)
  }
  connection.write('0\r\n\r\n')
}

/** Serves one closing response of `megabytes`, no faster than it is read; `written` tells how far it came. */
export function bigBody(megabytes: number) {
  const state = { written: 0 }
  const block = Buffer.alloc(1 << 20, 'x')
  const serve = async (connection: RawConnection) => {
    await connection.until('\r\n\r\n')
    connection.write(`${ok}Content-Length: ${megabytes * block.length}\r\n\r\n`)
    for (let sent = 0; sent < megabytes; sent++) {
      if (!connection.socket.write(block)) await once(connection.socket, 'drain')
      state.written = (sent + 1) * block.length
    }
  }
  return { serve, state }
}

/** Takes an upgrade and sends back every byte; `greeting` follows the head in the same segment. */
export const upgradeEcho =
  (greeting = '') =>
  async (connection: RawConnection) => {
    const head = await connection.until('\r\n\r\n')
    connection.write(`${switching(head)}${greeting}`)
    connection.socket.on('data', (bytes) => connection.socket.write(bytes))
    connection.socket.on('end', () => connection.socket.end())
  }

/** A WebSocket server that sends back every message of up to 125 bytes, and the close. RFC 6455 section 5.2. */
export async function webSocketEcho(connection: RawConnection): Promise<void> {
  const head = await connection.until('\r\n\r\n')
  connection.write(switching(head))
  for (;;) {
    const [first = 0, second = 0] = bytesOf(await connection.take(2))
    const mask = bytesOf(await connection.take(4))
    const payload = bytesOf(await connection.take(second & 0x7f)).map((byte, at) => byte ^ (mask[at % 4] ?? 0))
    connection.socket.write(Buffer.from([first, payload.length, ...payload]))
    if ((first & 0x0f) === 8) connection.socket.end()
  }
}

const bytesOf = (text: string): readonly number[] => [...Buffer.from(text, 'latin1')]

/** RFC 6455 section 4.2.2. */
function switching(head: string): string {
  const key = /^sec-websocket-key: (.*)\r$/im.exec(head)?.[1] ?? ''
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
}
