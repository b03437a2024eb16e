import { createServer } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { reasonHeader as defaultReasonHeader } from '../../engine/reason.ts'
import { type FrontEnd, type FrontEndOptions, hostOf } from '../front-end/front-end.ts'
import { OpenConnections } from '../front-end/open-connections.ts'
import { Http1Connection } from './connection.ts'
import { type Http1Limits, http1Limits } from './limits.ts'
import { Http1Answer, Http1Message } from './message.ts'

/** How long, of the time for closing, connections between two requests wait for one more: a client that sends it just then
 *  would otherwise find them closed. In milliseconds. */
const longestWait = 1_000

export interface Http1ServerOptions extends FrontEndOptions<Http1Limits> {
  /** In place of landfall-reason, on the front end's own answers. */
  readonly reasonHeader?: string
}

/** Serves HTTP/1.1 and HTTP/1.0. */
export function createHttp1Server(options: Http1ServerOptions): FrontEnd {
  const { reasonHeader = defaultReasonHeader } = options
  const host = { ...hostOf(options, http1Limits), reasonHeader, isClosing: false }
  const { limits, counters } = host
  const connections = new OpenConnections<Http1Connection>(counters)

  const server = createServer<typeof Http1Message, typeof Http1Answer>({
    IncomingMessage: Http1Message,
    ServerResponse: Http1Answer,
    httpValidation: 'strict',
    // Answered by admission, with a reason.
    requireHostHeader: false,
    optimizeEmptyRequests: true,
    maxHeaderSize: limits.headBytes,
    headersTimeout: limits.headTimeout,
    // It would limit a whole upload; idleTimeout limits its pauses.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveTimeout,
    keepAliveTimeoutBuffer: 0,
    connectionsCheckingInterval: Math.min(limits.headTimeout, 1_000),
    shouldUpgradeCallback: isWebSocket,
  })
  server.timeout = limits.idleTimeout
  // Node.js leaves out headers above a count without a word; their bytes are bounded already.
  server.maxHeadersCount = 0
  // A client that has ended its direction still gets its answer.
  Object.assign(server, { httpAllowHalfOpen: true })

  const serve = (message: Http1Message, answer: Http1Answer): void => {
    connections.get(message.socket)?.take(message, answer, undefined)
  }
  server.on('request', serve)
  server.on('checkContinue', serve)
  server.on('checkExpectation', serve)
  server.on('timeout', (socket) => connections.get(socket)?.silent())
  server.on('upgrade', (message: Http1Message, socket: Duplex, early: Buffer) => {
    // 'close' follows.
    socket.on('error', () => {})
    connections.get(socket)?.take(message, new Http1Answer(message), early)
  })
  server.on('connect', (_message, socket: Duplex) => {
    socket.on('error', () => {})
    connections.get(socket)?.connect()
  })
  server.on('clientError', (error: Error & { readonly code?: string }, socket: Duplex) => {
    const status = statusOfFault(error.code)
    const connection = connections.get(socket)
    const isUnused = socket instanceof Socket && socket.bytesRead === 0
    if (status === undefined || connection === undefined || isUnused || !socket.writable) socket.destroy()
    else connection.malformed(status)
  })
  // Starts to look for heads that take too long, which only servers do that listen. Deno even closes what they are handed.
  Object.defineProperty(server, 'listening', { value: true })
  server.emit('listening')

  return {
    counters,
    take: (socket, peer, entrance) => {
      // Its 'close' has passed.
      if (socket.destroyed) return
      socket.allowHalfOpen = true
      connections.opened(socket, new Http1Connection(host, socket, { version: 'HTTP/1.1', peer, ...entrance }))
      socket.on('close', () => connections.closed(socket))
      server.emit('connection', socket)
      // Who has read from it may have paused it, and what was put back must come before what node:http reads past the stream.
      socket.resume()
    },
    close: async (grace) => {
      host.isClosing = true
      const idle = setInterval(() => server.closeIdleConnections(), Math.min(longestWait, grace / 2))
      await connections.emptied(grace, (connection) => connection.cut(false))
      clearInterval(idle)
      server.close()
    },
  }
}

/** The only upgrade there is: h2c would be a way past everything that reads HTTP/1.1. RFC 6455 section 4.1. */
function isWebSocket({ fields, method, httpVersionMinor }: Http1Message): boolean {
  if (fields.upgrade?.toLowerCase() !== 'websocket' || method !== 'GET' || httpVersionMinor !== 1) return false
  return fields.codings === 0 && (fields.length ?? '0') === '0'
}

/** How bytes are answered that are no request; undefined where the connection was lost. RFC 9110 section 15.5. */
function statusOfFault(code = ''): number | undefined {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 431
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 413
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408
    default:
      return code.startsWith('HPE_') ? 400 : undefined
  }
}
