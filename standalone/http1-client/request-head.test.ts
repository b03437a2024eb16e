import { expect, test } from 'vitest'
import type { RequestHead } from '../exchange.ts'
import { lastChunk, requestText } from './request-head.ts'

const request = (changes: Partial<RequestHead> = {}): RequestHead => ({
  method: 'GET',
  target: '/',
  authority: 'a',
  headers: [],
  hasBody: false,
  upgrade: undefined,
  ...changes,
})

test.for<[string, Partial<RequestHead>, string]>([
  [
    'Host comes first',
    { headers: ['A', '1', 'a', '\xff 2'] },
    'GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\na: \xff 2\r\n\r\n',
  ],
  ['a target goes out as it is', { target: '//%2e/?a=\xe9' }, 'GET //%2e/?a=\xe9 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['* is a target', { method: 'OPTIONS', target: '*' }, 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['an authority may be empty', { authority: '' }, 'GET / HTTP/1.1\r\nHost: \r\n\r\n'],
  ['a method may be any', { method: 'FOO' }, 'FOO / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'],
  ['POST without a body says so', { method: 'POST' }, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'],
  [
    'once',
    { method: 'PUT', headers: ['content-length', '0'] },
    'PUT / HTTP/1.1\r\nHost: a\r\ncontent-length: 0\r\n\r\n',
  ],
  ['DELETE does not', { method: 'DELETE' }, 'DELETE / HTTP/1.1\r\nHost: a\r\n\r\n'],
  [
    'a body of unknown length is chunked',
    { hasBody: true },
    'GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
  ],
  [
    'a body of known length is not',
    { hasBody: true, headers: ['Content-Length', '5'] },
    'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n',
  ],
  [
    'an upgrade is asked for',
    { upgrade: 'websocket' },
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  ],
])('%s', ([, changes, text]) => {
  expect(requestText(request(changes))).toMatchObject({ text })
})

const framed: readonly Partial<RequestHead>[] = [
  { headers: ['Content-Length', '5'] },
  { headers: ['Content-Length', '5', 'content-length', '5'], hasBody: true },
  { headers: ['Content-Length', '+5'], hasBody: true },
  { headers: ['Content-Length', '5, 5'], hasBody: true },
  { headers: ['Content-Length', ''], hasBody: true },
  { headers: ['Transfer-Encoding', 'chunked'], hasBody: true },
  { headers: ['connection', 'close'] },
  { headers: ['HOST', 'b'] },
  { headers: ['Upgrade', 'h2c'] },
  { upgrade: 'websocket', hasBody: true },
  { method: 'CONNECT', target: 'a:1' },
  { method: '' },
  { target: '' },
]
/** U+010A and U+010D become LF and CR when they are cut to a byte. */
const separators = ['\r', '\n', '\0', '\r\n', '\u010a', '\u010d', '\u2028'].flatMap((mark): Partial<RequestHead>[] => [
  { method: `GET${mark}` },
  { target: `/${mark}` },
  { authority: `a${mark}` },
  { headers: [`A${mark}`, '1'] },
  { headers: ['A', `1${mark}`] },
])
const blanks: readonly Partial<RequestHead>[] = [
  { method: 'GET /x' },
  { target: '/ HTTP/1.1' },
  { authority: 'a b' },
  { headers: ['A ', '1'] },
  { headers: [' A', '1'] },
  { headers: ['A:', '1'] },
  { headers: ['', '1'] },
]

test.for([...framed, ...separators, ...blanks])(
  'no request is written that could be read as another: %j',
  (changes) => {
    expect(requestText(request(changes))).toBeTypeOf('string')
  },
)

test('trailers stand behind the last chunk', () => {
  expect(lastChunk([])).toBe('0\r\n\r\n')
  expect(lastChunk(['A', '1', 'B', ''])).toBe('0\r\nA: 1\r\nB: \r\n\r\n')
})

test.for([
  ['A\r\n', '1'],
  ['A', '1\n'],
  ['', '1'],
  ['Content-Length', '1'],
  ['transfer-encoding', 'chunked'],
  ['Host', 'b'],
])('no trailer is written that could be read as something else: %j', (trailers) => {
  expect(lastChunk(trailers)).toBeUndefined()
})
