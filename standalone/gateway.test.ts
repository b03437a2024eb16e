import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { EndpointBalancer } from '../engine/endpoints.ts'
import { RetryBudget } from '../engine/retry-budget.ts'
import type { Router } from '../engine/router.ts'
import { Streams } from '../engine/streams.ts'
import type { Backend, Endpoint, Rule } from '../proto/gen/route_table.ts'
import {
  backend,
  host,
  listener,
  mirror,
  ref,
  requestHeaders,
  responseHeaders,
  routerOf,
  rule,
} from '../test/engine-tables.ts'
import type { Access, Observer } from './access.ts'
import { type Exchange, ExchangeError, type RequestHead, type ResponseSink } from './exchange.ts'
import type { Upstreams } from './forwarding.ts'
import { createGateway } from './gateway.ts'
import type { ClientRequest, Handler } from './handler.ts'
import type { RawHeaders } from './raw-headers.ts'
import { served } from './served.ts'

/** What was asked of one endpoint; the test plays the origin. */
class Asked implements Exchange {
  readonly endpoint: Endpoint
  readonly request: RequestHead
  readonly origin: ResponseSink
  body = ''
  trailers: RawHeaders | undefined
  isAborted = false
  takes = true

  constructor(endpoint: Endpoint, request: RequestHead, origin: ResponseSink) {
    this.endpoint = endpoint
    this.request = request
    this.origin = origin
  }

  write(chunk: Buffer): boolean {
    this.body += chunk
    return this.takes
  }

  end(trailers: RawHeaders): void {
    this.trailers = trailers
  }

  resume(): void {}

  abort(): void {
    this.isAborted = true
  }

  answer(status: number, headers: RawHeaders = []): void {
    this.origin.head(status, '', headers)
    if (!this.isAborted) this.origin.end([])
  }

  fail(kind: ExchangeError['kind']): void {
    this.origin.failed(new ExchangeError(kind, kind, true))
  }
}

/** What the client sees. */
class Seen implements ResponseSink {
  status = 0
  headers: RawHeaders = []
  body = ''
  isWhole = false
  fault: ExchangeError | undefined
  drains = 0

  informational(): void {}

  head(status: number, _reason: string, headers: RawHeaders): void {
    this.status = status
    this.headers = headers
  }

  data(chunk: Buffer): boolean {
    this.body += chunk
    return true
  }

  end(): void {
    this.isWhole = true
  }

  upgraded(): void {}

  failed(error: ExchangeError): void {
    this.fault = error
  }

  drain(): void {
    this.drains++
  }
}

const three = ['127.0.0.1', '127.0.0.2', '127.0.0.3'].map((address) => ({ address, port: 80 }))

function start(changes: Partial<Rule>, { backends = [backend({ endpoints: three })], hideReason = false } = {}) {
  const router = routerOf({
    listeners: [listener()],
    hosts: [host({ rules: [rule(changes)] })],
    backends,
    settings: { hideReason, trustedHops: 0, clientCertificate: '' },
  })
  const asked: Asked[] = []
  const log: Access[] = []
  const open = (_: Backend, endpoint: Endpoint, request: RequestHead, sink: ResponseSink): Exchange => {
    const exchange = new Asked(endpoint, request, sink)
    asked.push(exchange)
    return exchange
  }
  const gateway = gatewayOf(router, open, (access) => log.push(access))
  const ask = (changes: Partial<ClientRequest> = {}) => {
    const seen = new Seen()
    const exchange = gateway(clientRequest(changes), seen)
    if (changes.hasBody !== true) exchange.end([])
    return { seen, exchange }
  }
  return { ask, asked, log }
}

function gatewayOf(router: Router, open: Upstreams['open'], observe: Observer | undefined): Handler {
  const shared = { now: Date.now, random: () => 0 }
  const upstreams = { open, balancer: new EndpointBalancer(), budget: new RetryBudget(), ...shared }
  const all = served([{ router, streams: new Streams(router.table), upstreams }])
  return createGateway(() => all, { ...shared, observe })
}

function clientRequest(changes: Partial<ClientRequest>): ClientRequest {
  const headers = changes.headers ?? []
  return {
    method: 'GET',
    target: '/a?b',
    authority: 'shop.example:8443',
    headers,
    hasBody: false,
    upgrade: undefined,
    scheme: 'http',
    port: 80,
    path: '/a',
    query: 'b',
    version: 'HTTP/1.1',
    peer: { address: '192.0.2.9', port: 4711, tls: undefined },
    header: (name) => headers.find((_, at) => headers[at - 1]?.toLowerCase() === name && at % 2 === 1),
    ...changes,
  }
}

const codes = (changes = {}) => ({ retry: { codes: [503], attempts: 2, backoffMs: 0, ...changes } })

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test("a request goes to the backend with the route's edits, and the answer comes back with its own", () => {
  const { ask, asked, log } = start({
    filters: [
      requestHeaders({ set: [{ name: 'X-Set', value: '1' }], remove: ['x-gone'] }),
      responseHeaders({ add: [{ name: 'X-Added', value: '2' }] }),
    ],
  })
  const { seen } = ask({ headers: ['Accept', '*/*', 'X-Gone', '1', 'x-set', '0', 'Forwarded', 'for=6.6.6.6'] })
  expect(asked[0]?.request).toMatchObject({
    method: 'GET',
    target: '/a?b',
    authority: 'shop.example:8443',
    headers: ['Accept', '*/*', 'X-Forwarded-For', '192.0.2.9', 'X-Forwarded-Proto', 'http', 'X-Set', '1'],
  })
  asked[0]?.answer(201, ['Content-Length', '0'])
  expect([seen.status, seen.headers, seen.isWhole]).toEqual([201, ['Content-Length', '0', 'X-Added', '2'], true])
  expect(log).toMatchObject([{ status: 201, why: undefined, tries: 1, endpoint: three[0] }])
})

test('a code that the route names is tried again elsewhere, and its last answer goes out', async () => {
  const { ask, asked } = start(codes())
  const { seen } = ask()
  for (let attempt = 0; attempt < 3; attempt++) {
    asked[attempt]?.answer(503, ['X-Try', `${attempt}`])
    await vi.runAllTimersAsync()
  }
  expect(asked.map(({ endpoint }) => endpoint)).toEqual(three)
  expect(asked.map(({ isAborted }) => isAborted)).toEqual([true, true, false])
  expect([seen.status, seen.headers]).toEqual([503, ['X-Try', '2']])
})

test('a body is sent again with each try, also what comes between two of them', async () => {
  const { ask, asked } = start(codes({ backoffMs: 100 }))
  const { seen, exchange } = ask({ method: 'POST', hasBody: true })
  exchange.write(Buffer.from('one '))
  asked[0]?.origin.head(503, '', [])
  expect(exchange.write(Buffer.from('two '))).toBe(false)
  await vi.runAllTimersAsync()
  expect(seen.drains).toBe(1)
  exchange.write(Buffer.from('three'))
  exchange.end([])
  asked[1]?.answer(200)
  expect([asked[1]?.body, seen.status]).toEqual(['one two three', 200])
})

test('a body that grows too large to keep between two tries is sent whole all the same', async () => {
  const { ask, asked } = start(codes({ backoffMs: 100 }))
  const { exchange } = ask({ method: 'POST', hasBody: true })
  exchange.write(Buffer.alloc(60_000))
  asked[0]?.origin.head(503, '', [])
  exchange.write(Buffer.alloc(10_000))
  await vi.runAllTimersAsync()
  exchange.write(Buffer.from('end'))
  expect(asked[1]?.body.length).toBe(70_003)
})

test('a body that an endpoint did not take goes on with the next one, when that takes it', async () => {
  const { ask, asked } = start({})
  const { seen, exchange } = ask({ method: 'POST', hasBody: true })
  if (asked[0] !== undefined) asked[0].takes = false
  expect(exchange.write(Buffer.from('one '))).toBe(false)
  asked[0]?.fail('connect-failed')
  await vi.runAllTimersAsync()
  expect([asked[1]?.body, seen.drains]).toEqual(['one ', 1])
  exchange.write(Buffer.from('two'))
  expect(seen.drains).toBe(1)
})

test('a body too large to keep is sent once', async () => {
  const { ask, asked } = start(codes())
  const { seen, exchange } = ask({ method: 'POST', hasBody: true })
  exchange.write(Buffer.alloc(65_537))
  asked[0]?.answer(503)
  await vi.runAllTimersAsync()
  expect([asked.length, seen.status]).toEqual([1, 503])
})

test('an endpoint that takes no connection is passed over without a word from the route', async () => {
  const { ask, asked, log } = start({})
  const { seen } = ask({ method: 'POST' })
  asked[0]?.fail('connect-failed')
  await vi.runAllTimersAsync()
  asked[1]?.answer(200)
  expect(seen.status).toBe(200)
  expect(log).toMatchObject([{ tries: 2, endpoint: three[1] }])
})

test('a request that may have been heard is sent once more at most, and only where its method allows it', async () => {
  for (const [request, times] of [
    [{}, 2],
    [{ method: 'DELETE' }, 2],
    [{ method: 'POST' }, 1],
    [{ method: 'PUT', hasBody: true }, 1],
  ] as const) {
    const { ask, asked } = start({})
    const { seen } = ask(request)
    asked[0]?.fail('connection-lost')
    await vi.runAllTimersAsync()
    asked[1]?.fail('connection-lost')
    await vi.runAllTimersAsync()
    expect([asked.length, seen.status, seen.body]).toEqual([times, 502, '502 connection-lost\n'])
  }
})

test('an endpoint that takes no connection does not use up the one repetition', async () => {
  const { ask, asked } = start({})
  const { seen } = ask({})
  for (const fault of ['connect-failed', 'connection-lost'] as const) {
    asked.at(-1)?.fail(fault)
    await vi.runAllTimersAsync()
  }
  asked[2]?.answer(200)
  expect([asked.length, seen.status]).toEqual([3, 200])
})

test('an answer that breaks off breaks off', () => {
  const { ask, asked, log } = start({})
  const { seen } = ask()
  asked[0]?.origin.head(200, '', [])
  asked[0]?.origin.data(Buffer.from('half'))
  asked[0]?.fail('connection-lost')
  expect([seen.body, seen.isWhole, seen.fault?.kind]).toEqual(['half', false, 'connection-lost'])
  expect(log).toMatchObject([{ status: 200, why: 'connection-lost', bytesSent: 4 }])
})

test.for([
  ['request-timeout', { timeouts: { requestMs: 100, backendRequestMs: 0 } }],
  ['backend-timeout', { timeouts: { requestMs: 0, backendRequestMs: 100 } }],
] as const)('%s gives a 504, and the origin is left', ([why, changes]) => {
  const { ask, asked } = start(changes)
  const { seen } = ask()
  vi.advanceTimersByTime(99)
  expect(seen.status).toBe(0)
  vi.advanceTimersByTime(1)
  expect([seen.status, seen.body, asked[0]?.isAborted]).toEqual([504, `504 ${why}\n`, true])
})

test.for([
  ['request-timeout', { timeouts: { requestMs: 100, backendRequestMs: 101 } }],
  ['backend-timeout', { timeouts: { requestMs: 101, backendRequestMs: 100 } }],
] as const)('%s is named for what it is by a clock that lags behind the timers', ([why, changes]) => {
  const { ask } = start(changes)
  const { seen } = ask()
  vi.setSystemTime(Date.now() - 2)
  vi.advanceTimersByTime(100)
  expect(seen.body).toBe(`504 ${why}\n`)
})

test('a timeout reaches to the end of the body', () => {
  const { ask, asked } = start({ timeouts: { requestMs: 100, backendRequestMs: 0 } })
  const { seen } = ask()
  asked[0]?.origin.head(200, '', [])
  vi.advanceTimersByTime(100)
  expect([seen.fault?.kind, asked[0]?.isAborted]).toEqual(['timeout', true])
})

test('a client that leaves ends the exchange with the origin', () => {
  const { ask, asked, log } = start({})
  ask().exchange.abort()
  expect(asked[0]?.isAborted).toBe(true)
  expect(log).toMatchObject([{ status: 0, why: 'client-left' }])
})

test('a mirror gets the request and its body, and neither its pace nor its answer counts', () => {
  const copy = backend({ key: 'a/copy:80', endpoints: [{ address: '127.0.0.9', port: 80 }] })
  const { ask, asked } = start({ filters: [mirror({})] }, { backends: [backend(), copy] })
  const { seen, exchange } = ask({ method: 'POST', hasBody: true })
  const [copied, primary] = asked
  expect(copied?.endpoint.address).toBe('127.0.0.9')
  if (copied !== undefined) copied.takes = false
  expect(exchange.write(Buffer.from('one '))).toBe(true)
  expect(exchange.write(Buffer.from('two'))).toBe(true)
  exchange.end([])
  expect([primary?.body, copied?.body, copied?.trailers]).toEqual(['one two', 'one ', undefined])
  copied?.origin.drain()
  expect([copied?.body, copied?.trailers]).toEqual(['one two', []])
  copied?.answer(500)
  primary?.answer(200)
  expect(seen.status).toBe(200)
})

test('a mirror that lags too far behind, or hangs, is given up', () => {
  const copy = backend({ key: 'a/copy:80', endpoints: [{ address: '127.0.0.9', port: 80 }] })
  const { ask, asked } = start({ filters: [mirror({})] }, { backends: [backend(), copy] })
  const { exchange } = ask({ method: 'POST', hasBody: true })
  if (asked[0] !== undefined) asked[0].takes = false
  for (let i = 0; i < 18; i++) exchange.write(Buffer.alloc(65_536))
  expect(asked.map(({ isAborted }) => isAborted)).toEqual([true, false])
  ask()
  vi.advanceTimersByTime(10_000)
  expect(asked[2]?.isAborted).toBe(true)
})

test('a client that speaks gRPC is answered with a status of gRPC', async () => {
  const { ask } = start({ backends: [ref({ backend: '', invalid: 'BackendNotFound' })] })
  const { seen } = ask({ headers: ['content-type', 'application/grpc+proto'] })
  await vi.runAllTimersAsync()
  expect([seen.status, seen.headers]).toEqual([
    200,
    ['content-type', 'application/grpc', 'grpc-status', '2', 'grpc-message', 'landfall: invalid-backend'],
  ])
})

test('the reason of an answer can be hidden', async () => {
  const { ask } = start({ backends: [] }, { hideReason: true })
  const { seen } = ask()
  await vi.runAllTimersAsync()
  expect([seen.status, seen.body, seen.headers.includes('landfall-reason')]).toEqual([500, '500\n', false])
})

test('a request for another listener than the one that the connection was made to is misdirected', async () => {
  const router = routerOf({
    listeners: [
      listener({ id: 'one', protocol: 1, port: 443, hostname: 'one.example' }),
      listener({ id: 'any', protocol: 1, port: 443 }),
    ],
  })
  const open = (): Exchange => {
    throw new Error('nothing is to be sent')
  }
  const statusOf = async (serverName: string, authority: string): Promise<number> => {
    const seen = new Seen()
    const tls = { serverName, version: 'TLSv1.3', cipher: '', certificate: undefined }
    const peer = { address: '192.0.2.9', port: 4711, tls }
    gatewayOf(router, open, undefined)(clientRequest({ scheme: 'https', port: 443, authority, peer }), seen)
    await vi.runAllTimersAsync()
    return seen.status
  }
  expect(await statusOf('one.example', 'two.example')).toBe(421)
  expect(await statusOf('two.example', 'one.example')).toBe(421)
  expect(await statusOf('two.example', 'three.example')).toBe(404)
  expect(await statusOf('one.example', 'one.example:443')).toBe(404)
})
