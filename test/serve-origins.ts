import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { createServer as createTcpServer, type Server } from 'node:net'
import {
  Server as GrpcServer,
  Metadata,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Endpoint } from '../proto/gen/route_table.ts'
import type { Issued } from './certificates.ts'

/** A real server of somebody else's on a free port of 127.0.0.1. */
export interface Origin {
  readonly endpoint: Endpoint
  close(): Promise<void>
}

/** What an origin of these tells of a request. */
export interface Told {
  readonly method: string
  readonly url: string
  readonly version: string
  readonly headers: Readonly<Record<string, string>>
  /** Of the body. */
  readonly length: number
  readonly sha256: string
  readonly trailers: Readonly<Record<string, string>>
}

/** What the requests of node:http and node:http2 have in common. */
interface AnyRequest extends AsyncIterable<Buffer> {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly httpVersion: string
  readonly headers: NodeJS.Dict<string | string[]>
  readonly trailers: NodeJS.Dict<string | string[]>
}

const ignored = (): void => {}

/** What the responses of node:http and node:http2 have in common. */
interface AnyResponse {
  writeHead(status: number, headers?: Readonly<Record<string, number | string>>): unknown
  writeEarlyHints(hints: Record<string, string>): unknown
  write(chunk: string): boolean
  addTrailers(trailers: Readonly<Record<string, string>>): void
  end(chunk: Buffer | string): unknown
}

/**
 * Answers with what it was told, but for
 *   /bytes/N     N bytes, of which the length is known
 *   /chunks/N    N pieces of 1,000 bytes, of which it is not
 *   /trailers    a body and the trailer "checksum: abc"
 *   /hints       103 before
 *   /status/N    that status, without a body
 *   /hang        nothing at all
 */
async function tell(request: AnyRequest, response: AnyResponse): Promise<void> {
  const [, what = '', figure = ''] = request.url?.split('/') ?? []
  const number = Number(figure)
  switch (what) {
    case 'bytes':
      response.writeHead(200, { 'content-length': number })
      response.end(Buffer.alloc(number, 'x'))
      break
    case 'chunks':
      for (let sent = 0; sent < number; sent++) response.write('x'.repeat(1_000))
      response.end('')
      break
    case 'trailers':
      response.writeHead(200, { trailer: 'checksum' })
      response.write('summed')
      response.addTrailers({ checksum: 'abc' })
      response.end('')
      break
    case 'hints':
      response.writeEarlyHints({ link: '</style.css>; rel=preload' })
      response.end('hinted')
      break
    case 'status':
      response.writeHead(number)
      response.end('')
      break
    case 'hang':
      break
    default:
      // Who leaves in the middle of a body needs no answer.
      await told(request).then((all) => response.end(JSON.stringify(all)), ignored)
  }
}

async function told(request: AnyRequest): Promise<Told> {
  const hash = createHash('sha256')
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    hash.update(chunk)
  }
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    version: request.httpVersion,
    headers: asText(request.headers),
    length,
    sha256: hash.digest('hex'),
    trailers: asText(request.trailers),
  }
}

const asText = (fields: NodeJS.Dict<string | string[]>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]))

export function startHttp1(): Promise<Origin> {
  const server = createServer(tell)
  return listening(server, () => server.closeAllConnections())
}

/** With prior knowledge, which is all that it takes. */
export function startH2c(): Promise<Origin> {
  // In MB: what it writes without a look at how fast it is read is counted, and streams are refused for it.
  const server = createHttp2Server({ maxSessionMemory: 1_000 }, tell)
  const sessions = new Set<{ destroy(): void }>()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  return listening(server, () => {
    for (const session of sessions) session.destroy()
  })
}

export function startTls({ certificate, privateKey }: Issued): Promise<Origin> {
  const server = createHttpsServer({ cert: certificate, key: privateKey }, tell)
  return listening(server, () => server.closeAllConnections())
}

/** Sends back every byte, and says "bye" when the client has ended. */
export const startTcp = (): Promise<Origin> => {
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    socket.pipe(socket, { end: false })
    socket.on('end', () => socket.end('bye'))
  })
  return listening(server)
}

async function listening(server: Server, cut: () => void = () => {}): Promise<Origin> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  return {
    endpoint: { address: '127.0.0.1', port: typeof bound === 'object' ? (bound?.port ?? 0) : 0 },
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      cut()
      return closed
    },
  }
}

export interface WebSocketOrigin extends Origin {
  /** Codes with which clients closed. */
  readonly closings: number[]
}

/** Says "early" as soon as it can, sends back every message, and closes with N at "close N". */
export async function startWebSocket(): Promise<WebSocketOrigin> {
  const server = createServer()
  const closings: number[] = []
  const sockets = new WebSocketServer({ server, maxPayload: 16 * 1024 * 1024 })
  sockets.on('connection', (socket: WebSocket) => {
    socket.send('early')
    socket.on('close', (code) => closings.push(code))
    socket.on('error', () => {})
    socket.on('message', (data, isBinary) => {
      const [word, code] = isBinary ? [] : String(data).split(' ')
      if (word === 'close') socket.close(Number(code), 'as told')
      else socket.send(data, { binary: isBinary })
    })
  })
  const origin = await listening(server, () => {
    for (const socket of sockets.clients) socket.terminate()
    server.closeAllConnections()
  })
  return { ...origin, closings }
}

export interface GrpcOrigin extends Origin {
  /** Calls of which the server knows that the client has given them up. */
  cancelled: number
}

/** gRPC's status codes that these tests name. */
export const Code = {
  cancelled: 1,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  unimplemented: 12,
  unavailable: 14,
} as const

const asIs = (bytes: Buffer): Buffer => bytes

/** As the methods of a service are told to grpc-js, without a .proto: messages are Buffers. */
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
})

export const grpcService = {
  unary: method('Unary', false, false),
  collect: method('Collect', true, false),
  spread: method('Spread', false, true),
  chat: method('Chat', true, true),
  fail: method('Fail', false, false),
  hang: method('Hang', false, false),
}

/**
 * Unary, Chat   send back what comes
 * Collect       joins what comes
 * Spread        sends each byte as a message
 * Fail          status 8 with the message "héllo, 100 %" and the trailers "reason: because" and "detail-bin: 0 1 255"
 * Hang          never answers
 */
export async function startGrpc(): Promise<GrpcOrigin> {
  const server = new GrpcServer({ 'grpc.max_receive_message_length': -1 })
  const origin = { cancelled: 0 }
  const trailer = new Metadata()
  trailer.set('echoed', 'yes')
  server.addService(grpcService, {
    unary: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      const head = new Metadata()
      head.set('asked', String(call.metadata.get('ask')[0] ?? ''))
      call.sendMetadata(head)
      answer(null, call.request, trailer)
    },
    collect: (call: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      const messages: Buffer[] = []
      call.on('data', (message: Buffer) => messages.push(message))
      call.on('end', () => answer(null, Buffer.concat(messages), trailer))
    },
    spread: (call: ServerWritableStream<Buffer, Buffer>) => {
      for (const byte of call.request) call.write(Buffer.from([byte]))
      call.end(trailer)
    },
    chat: (call: ServerDuplexStream<Buffer, Buffer>) => {
      call.on('data', (message: Buffer) => call.write(message))
      call.on('end', () => call.end(trailer))
      call.on('cancelled', () => origin.cancelled++)
    },
    fail: (_call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      const metadata = new Metadata()
      metadata.set('reason', 'because')
      metadata.set('detail-bin', Buffer.from([0, 1, 255]))
      answer({ code: Code.resourceExhausted, details: 'héllo, 100 %', metadata })
    },
    hang: (call: ServerUnaryCall<Buffer, Buffer>) => {
      call.on('cancelled', () => origin.cancelled++)
    },
  })
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  return Object.assign(origin, {
    endpoint: { address: '127.0.0.1', port },
    close: async () => server.forceShutdown(),
  })
}
