import { expect, test } from 'vitest'
import { noEdit } from '../engine/decision.ts'
import { peerOf, upstreamHeaders } from './upstream-headers.ts'

const upstream = (sent: Record<string, string>, { trustedHops = 0, edit = noEdit } = {}): Headers => {
  const headers = new Headers(sent)
  const facts = { scheme: 'https' as const, authority: 'a.example' }
  upstreamHeaders(headers, '192.0.2.7', facts, { requestHeaders: edit }, trustedHops)
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
