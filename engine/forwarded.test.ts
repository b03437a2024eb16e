import { expect, test } from 'vitest'
import { forwarded, forwardedFor, joinCookies } from './forwarded.ts'

test.for<[string, string | null, number, string]>([
  ['without trusted hops, what the client sent is dropped', '6.6.6.6', 0, '192.0.2.1'],
  [
    'one trusted hop is believed for the one address it appended',
    '6.6.6.6, 198.51.100.7',
    1,
    '198.51.100.7, 192.0.2.1',
  ],
  ['two trusted hops, both addresses', '6.6.6.6,198.51.100.7 , 203.0.113.9', 2, '198.51.100.7, 203.0.113.9, 192.0.2.1'],
  ['fewer addresses than hops', '198.51.100.7', 3, '198.51.100.7, 192.0.2.1'],
  ['nothing received', null, 1, '192.0.2.1'],
  ['empty parts are no hops', ' , ,', 2, '192.0.2.1'],
])('X-Forwarded-For: %s', ([, received, hops, expected]) => {
  expect(forwardedFor(received, '192.0.2.1', hops)).toBe(expected)
})

test('Forwarded quotes what is no token (RFC 7239 section 4)', () => {
  expect(forwarded(null, { peer: '2001:db8::1', proto: 'https', host: 'a.example:8443' }, 0)).toBe(
    'for="[2001:db8::1]";proto=https;host="a.example:8443"',
  )
  expect(forwarded('for=1.1.1.1, for=2.2.2.2', { peer: '3.3.3.3', proto: 'http', host: 'a.example' }, 1)).toBe(
    'for=2.2.2.2, for=3.3.3.3;proto=http;host=a.example',
  )
  expect(forwarded(null, { peer: '3.3.3.3', proto: 'http', host: 'a";b' }, 0)).toBe(
    'for=3.3.3.3;proto=http;host="a\\";b"',
  )
})

test.for<[string, string, string]>([
  ['two lines', 'a=1, b=2', 'a=1; b=2'],
  ['three lines, one with two cookies', 'a=1; b=2, c=3, d=4', 'a=1; b=2; c=3; d=4'],
  ['a comma in a value stays', 'a=1, 2; b=3', 'a=1, 2; b=3'],
  ['one line', 'a=1; b=2', 'a=1; b=2'],
  ['a trailing comma', 'a=1, ', 'a=1, '],
])('Cookie: %s', ([, received, expected]) => {
  expect(joinCookies(received)).toBe(expected)
})
