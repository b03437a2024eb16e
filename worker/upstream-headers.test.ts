import { expect, test } from 'vitest'
import { noEdit } from '../engine/decision.ts'
import { peerOf, upstreamHeaders } from './upstream-headers.ts'

const upstream = (sent: Record<string, string>, { trustedHops = 0, edit = noEdit } = {}): Headers => {
  const request = new Request('http://a.example/', {
    headers: { host: 'a.example', 'cf-connecting-ip': '192.0.2.7', ...sent },
  })
  const headers = new Headers(request.headers)
  upstreamHeaders(headers, request, { requestHeaders: edit }, 'https', trustedHops)
  return headers
}

test('without a connection of its own to look at, the peer is whom the edge names', () => {
  expect(peerOf(new Request('http://a.example/', { headers: { 'cf-connecting-ip': '2001:db8::1' } }))).toBe(
    '2001:db8::1',
  )
})

test('headers that a Connection header names are dropped, whatever else it names', () => {
  const headers = upstream({ connection: 'X-One, , bad name, close', 'x-one': '1', 'x-two': '2' })
  expect([headers.get('x-one'), headers.get('x-two'), headers.get('connection')]).toEqual([null, '2', null])
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

test('Upgrade is for WebSocket alone', () => {
  expect(upstream({ upgrade: 'WebSocket' }).get('upgrade')).toBe('WebSocket')
  expect(upstream({ upgrade: 'h2c' }).get('upgrade')).toBeNull()
})
