import { expect, test } from 'vitest'
import { noEdit } from '../engine/decision.ts'
import { AppProtocol, type Backend, Origin } from '../proto/gen/route_table.ts'
import { peerOf, upstreamHeaders } from './upstream-headers.ts'

const by = (origin: Origin): Backend => ({
  key: 'a/b:80',
  protocol: AppProtocol.HTTP1,
  origin,
  originAddress: '',
  endpoints: [],
  tls: undefined,
})

const upstream = (
  sent: Record<string, string>,
  { trustedHops = 0, edit = noEdit, backend = by(Origin.CONNECTOR), mirrors = [] as readonly Backend[] } = {},
): Headers => {
  const headers = new Headers(sent)
  const facts = { scheme: 'https' as const, authority: 'a.example' }
  upstreamHeaders(headers, '192.0.2.7', facts, { backend, mirrors, requestHeaders: edit }, trustedHops)
  return headers
}

test('without a connection of its own to look at, the peer is whom the edge names', () => {
  expect(peerOf(new Request('http://a.example/', { headers: { 'cf-connecting-ip': '2001:db8::1' } }))).toBe(
    '2001:db8::1',
  )
})

test('headers that a Connection header names are dropped, whatever else it names', () => {
  const headers = upstream({ connection: 'X-One, , bad name, close', 'x-one': '1', 'x-two': '2' })
  expect([headers.get('x-one'), headers.get('x-two')]).toEqual([null, '2'])
})

test.for([
  ['an origin without a connector', { backend: by(Origin.URL) }],
  ['a mirror without a connector', { mirrors: [by(Origin.RESOLVE_OVERRIDE)] }],
] as const)('what a client says to its proxy does not go to %s', ([, ways]) => {
  const headers = upstream({ 'proxy-authorization': 'Basic eDp5', 'proxy-connection': 'keep-alive', a: 'b' }, ways)
  expect([...headers.keys()].filter((name) => !name.startsWith('x-forwarded-'))).toEqual(['a'])
})

test('what the route sets stands, even where Landfall sets the same', () => {
  const edit = { remove: [], set: [['X-Forwarded-Proto', 'gopher'] as const], add: [] }
  expect(upstream({}, { edit }).get('x-forwarded-proto')).toBe('gopher')
})

test('Forwarded goes on only behind a trusted hop', () => {
  expect(upstream({ forwarded: 'for=6.6.6.6' }).get('forwarded')).toBeNull()
  expect(upstream({ forwarded: 'for=6.6.6.6, for=198.51.100.1' }, { trustedHops: 1 }).get('forwarded')).toBe(
    'for=198.51.100.1, for=192.0.2.7;proto=https;host=a.example',
  )
})
