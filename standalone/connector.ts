import { once } from 'node:events'
import { createServer, type IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { errorHeader, type OriginError, type OriginProtocol } from '../engine/origin-token.ts'
import { admit } from './admission.ts'
import { discardBody } from './body.ts'
import { answerError, type Ends, forward } from './forward.ts'
import { createTokenCheck, type OriginKeys } from './token-check.ts'
import { openTunnel, watchUpgrade } from './tunnel.ts'
import type { Upstream } from './upstream.ts'

export interface ConnectorOptions {
  /** Asked for every request, as isEndpoint is, so that both may change while the connector runs. */
  readonly keys: () => OriginKeys
  /** Whether the table has this endpoint, as endpointKey writes it. */
  readonly isEndpoint: (endpoint: string) => boolean
  readonly upstreams: Readonly<Partial<Record<OriginProtocol, Upstream>>>
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly log: (event: string, fields: Readonly<Record<string, string | number>>) => void
  readonly limits?: Partial<ConnectorLimits>
}

/** Times in milliseconds. */
export interface ConnectorLimits {
  readonly connections: number
  readonly headBytes: number
  readonly headTimeout: number
  /** Of a connection with a request under way; longer than an upstream waits, so that its error comes first. */
  readonly idleTimeout: number
  /** Between requests; workerd closes after 5 s, and whoever sends ought to close first. */
  readonly keepAliveTimeout: number
  /** How long the rest of a body is read that is no longer wanted. */
  readonly lingerTimeout: number
  readonly tunnelIdleTimeout: number
}

export const connectorLimits: ConnectorLimits = {
  connections: 8192,
  headBytes: 65_536,
  headTimeout: 10_000,
  idleTimeout: 330_000,
  keepAliveTimeout: 75_000,
  lingerTimeout: 5_000,
  tunnelIdleTimeout: 3_600_000,
}

/** Counted since the start, but for `active`, which is now and has tunnels in it. */
export interface ConnectorCounters {
  requests: number
  active: number
  /** Connections closed at once because there were too many. */
  dropped: number
  /** Responses that broke off after their head. */
  broken: number
  readonly errors: Record<OriginError, number>
}

export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string }

export interface Connector {
  readonly counters: Readonly<ConnectorCounters>
  /** The address as workerd's `external` services take it: "127.0.0.1:9000", "unix:/run/landfall.sock". */
  listen(address: ListenAddress): Promise<string>
  /** Takes no more connections, lets what is under way end within `grace` milliseconds, then cuts it. */
  close(grace: number): Promise<void>
}

/** Takes requests from Landfall's Worker and sends each to the endpoint that its token names. Everything that is not signed
 *  gets the same 403, whatever its path: a health check has no place here, and can count that 403 as life. */
export function createConnector(options: ConnectorOptions): Connector {
  const limits = { ...connectorLimits, ...options.limits }
  const check = createTokenCheck(options.keys, options.now)
  /** Connections that Node.js gave away for an upgrade, and does not close any more. */
  const upgrades = new Set<Socket>()
  /** Requests under way, by connection. */
  const answering = new WeakMap<Duplex, number>()
  let closing = false
  const counters: ConnectorCounters = {
    requests: 0,
    active: 0,
    dropped: 0,
    broken: 0,
    errors: {
      refused: 0,
      'bad-request': 0,
      'unsupported-protocol': 0,
      overloaded: 0,
      'connect-failed': 0,
      'connection-lost': 0,
      'invalid-response': 0,
      timeout: 0,
    },
  }

  const server = createServer({
    maxHeaderSize: limits.headBytes,
    headersTimeout: limits.headTimeout,
    // It would limit a whole upload; idleTimeout limits its pauses.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveTimeout,
    connectionsCheckingInterval: Math.min(limits.headTimeout, 5_000),
    insecureHTTPParser: false,
    noDelay: true,
    shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === 'websocket',
  })
  server.timeout = limits.idleTimeout
  server.maxConnections = limits.connections
  // Node.js leaves out headers above a count without a word; their bytes are bounded already.
  server.maxHeadersCount = 0
  server.on('request', serve)
  server.on('checkContinue', serve)
  server.on('checkExpectation', serve)
  server.on('upgrade', serveUpgrade)
  server.on('error', (error) => options.log('accept-failed', { message: error.message }))
  server.on('drop', () => counters.dropped++)
  server.on('clientError', (error: Error & { readonly code?: string }, socket) => {
    const status = statusOfFault(error.code)
    if (status !== undefined) counters.errors['bad-request']++
    if (status === undefined || !socket.writable || answering.get(socket)) socket.destroy()
    else
      socket.end(`HTTP/1.1 ${status}\r\n${errorHeader}: bad-request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  })

  function serveUpgrade(request: IncomingMessage, socket: Duplex, rest: Buffer): void {
    if (!(socket instanceof Socket)) return
    upgrades.add(socket)
    // 'close' follows.
    socket.on('error', () => {})
    const response = new ServerResponse(request)
    response.assignSocket(socket)
    response.shouldKeepAlive = false
    response.on('finish', () => socket.destroySoon())
    const watched = watchUpgrade(socket)
    serve(request, response, (answer) => {
      openTunnel(socket, Buffer.concat([rest, watched()]), answer, limits.tunnelIdleTimeout)
    })
  }

  /** `upgraded` is given for a request that asks for it. */
  function serve(request: IncomingMessage, response: ServerResponse, upgraded?: Ends['upgraded']): void {
    counters.requests++
    counters.active++
    answering.set(request.socket, (answering.get(request.socket) ?? 0) + 1)
    response.on('close', () => {
      counters.active--
      upgrades.delete(request.socket)
      answering.set(request.socket, (answering.get(request.socket) ?? 0) - 1)
      discardBody(request, limits.lingerTimeout)
      if (closing) server.closeIdleConnections()
    })
    if (closing) response.shouldKeepAlive = false

    const admission = admit(request, upgraded && 'websocket', check, options.isEndpoint)
    if ('error' in admission) {
      refuse(response, admission.error, admission.why)
      return
    }
    const upstream = options.upstreams[admission.protocol]
    if (upstream === undefined) {
      refuse(response, 'unsupported-protocol', admission.protocol)
      return
    }
    if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue()
    forward(upstream.send(admission.request), response, admission.timeout, {
      upgraded,
      failed: (error, message, broken) => {
        if (broken) counters.broken++
        else counters.errors[error]++
        options.log(broken ? 'response-broken' : 'origin-failed', { endpoint: admission.endpoint, error, message })
      },
    })
  }

  function refuse(response: ServerResponse, error: OriginError, why: string): void {
    counters.errors[error]++
    options.log('request-refused', { error, why })
    answerError(response, error)
  }

  return {
    counters,
    listen: async (address) => {
      server.listen(address)
      await once(server, 'listening')
      const bound = server.address()
      if (bound === null || typeof bound === 'string') return `unix:${bound}`
      return bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`
    },
    close: async (grace) => {
      closing = true
      const cut = setTimeout(() => {
        server.closeAllConnections()
        for (const socket of upgrades) socket.destroy()
      }, grace)
      await new Promise((resolve) => server.close(resolve))
      clearTimeout(cut)
      for (const upstream of Object.values(options.upstreams)) upstream.close()
    },
  }
}

/** What to answer to bytes that are no request; undefined where the connection was lost. RFC 9110 section 15.5. */
function statusOfFault(code = ''): string | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') return '431 Request Header Fields Too Large'
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return '408 Request Timeout'
  return code.startsWith('HPE_') ? '400 Bad Request' : undefined
}
