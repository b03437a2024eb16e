import { expect, test } from 'vitest'
import { AppProtocol, type Backend, Origin } from '../proto/gen/route_table.ts'
import type { Exchange, RequestHead, ResponseSink } from './exchange.ts'
import type { OriginClient } from './origin-client.ts'
import { createOrigins } from './origins.ts'

const endpoint = { address: '192.0.2.1', port: 8080 }
const tls = { hostname: 'a.example', authorities: '', subjectAltNames: [] }
const get: RequestHead = { method: 'GET', target: '/', authority: 'a', headers: [], hasBody: false, upgrade: undefined }
const exchange: Exchange = { write: () => true, end: () => {}, resume: () => {}, abort: () => {} }
const sink: ResponseSink = {
  informational: () => {},
  head: () => {},
  data: () => true,
  end: () => {},
  upgraded: () => {},
  failed: () => {},
  drain: () => {},
}

function watched() {
  const calls: unknown[] = []
  const client = (name: string): OriginClient => ({
    open: (origin) => {
      calls.push([name, origin])
      return exchange
    },
    close: () => calls.push([name, 'close']),
  })
  return { calls, origins: createOrigins(client('HTTP/1.1'), client('HTTP/2')) }
}

const backend = (changes: Partial<Backend>): Backend => ({
  key: 'default/a:80',
  protocol: AppProtocol.HTTP1,
  origin: Origin.CONNECTOR,
  originAddress: '',
  endpoints: [endpoint],
  tls: undefined,
  ...changes,
})

test.for<[string, Partial<Backend>, Partial<RequestHead>, used: string]>([
  ['a port without appProtocol', {}, {}, 'HTTP/1.1'],
  ['a port without appProtocol under a BackendTLSPolicy', { tls }, {}, 'HTTP/1.1'],
  ['kubernetes.io/ws', { protocol: AppProtocol.WS }, { upgrade: 'websocket' }, 'HTTP/1.1'],
  ['kubernetes.io/h2c', { protocol: AppProtocol.H2C }, {}, 'HTTP/2'],
  ['kubernetes.io/h2c under a BackendTLSPolicy', { protocol: AppProtocol.H2C, tls }, {}, 'HTTP/2'],
  ['kubernetes.io/h2c, whatever a client asks for', { protocol: AppProtocol.H2C }, { upgrade: 'websocket' }, 'HTTP/2'],
  ['no appProtocol, whatever a client sends', {}, { headers: ['content-type', 'application/grpc'] }, 'HTTP/1.1'],
])('%s', ([, changes, request, used]) => {
  const { calls, origins } = watched()
  expect(origins.open(backend(changes), endpoint, { ...get, ...request }, sink)).toBe(exchange)
  expect(calls).toEqual([[used, { endpoint, tls: changes.tls }]])
})

test('close closes both', () => {
  const { calls, origins } = watched()
  origins.close()
  expect(calls).toEqual([
    ['HTTP/1.1', 'close'],
    ['HTTP/2', 'close'],
  ])
})
