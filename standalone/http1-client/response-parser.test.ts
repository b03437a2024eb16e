import { expect, test } from 'vitest'
import type { RawHeaders } from '../raw-headers.ts'
import { Http1ResponseParser } from './response-parser.ts'

const limits = { headBytes: 400, chunkLineBytes: 20, trailerBytes: 60 }

interface Reading {
  readonly outcome: string
  readonly informational: readonly number[]
  readonly status: number | undefined
  readonly reason: string | undefined
  readonly headers: RawHeaders | undefined
  readonly body: string
  readonly trailers: RawHeaders
  readonly isPersistent: boolean | undefined
  readonly rest: string
}

/** What the parser makes of `text` that comes in pieces of `size` bytes, and then of the connection's end. */
function read(text: string, size: number, method = 'GET', upgrade?: string): Reading {
  const parser = new Http1ResponseParser(limits)
  parser.expect(method, upgrade)
  const bytes = Buffer.from(text, 'latin1')
  const informational: number[] = []
  let head: Http1ResponseParser['head']
  let body = ''
  let outcome = 'more'
  let at = 0
  while (outcome === 'more' && at < bytes.length) {
    const piece = Buffer.from(bytes.subarray(at, at + size))
    outcome = parser.read(piece, piece.length)
    informational.push(...parser.informational.map(({ status }) => status))
    head ??= parser.head
    body += piece.toString('latin1', parser.dataStart, parser.dataEnd)
    at += outcome === 'more' ? piece.length : parser.at
  }
  if (outcome === 'more' && parser.endsHere) outcome = 'end'
  return {
    outcome: outcome === 'malformed' ? parser.fault : outcome,
    informational,
    status: head?.status,
    reason: head?.reason,
    headers: head?.headers,
    body,
    trailers: parser.trailers,
    isPersistent: head?.isPersistent,
    rest: outcome === 'malformed' ? '' : text.slice(at),
  }
}

const sizes = [1000, 1, 2, 3, 7]

const ok = 'HTTP/1.1 200 OK\r\n'
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`

test.for<[string, string, Partial<Reading>]>([
  [
    'a body of known length',
    `${ok}Content-Length: 5\r\n\r\nhello`,
    { body: 'hello', headers: ['Content-Length', '5'] },
  ],
  ['nothing of what follows', `${ok}Content-Length: 2\r\n\r\nhello`, { body: 'he', rest: 'llo' }],
  ['an empty body', `${ok}Content-Length: 0\r\n\r\n`, { body: '', outcome: 'end' }],
  ['a body until the end', `${ok}\r\nhello`, { body: 'hello', outcome: 'end' }],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx', { body: 'x', isPersistent: false }],
  ['chunks', `${chunked}5\r\nhello\r\n006\r\n world\r\n0\r\n\r\n`, { body: 'hello world', headers: [] }],
  ['sizes in capitals', `${chunked}A\r\n0123456789\r\n0\r\n\r\n`, { body: '0123456789' }],
  ['chunk extensions', `${chunked}1;a;b=c;d="\\"e;"\r\nx\r\n0;z\r\n\r\n`, { body: 'x' }],
  ['trailers', `${chunked}0\r\nA: 1\r\nb:\t2 \r\n\r\n`, { trailers: ['A', '1', 'b', '2'] }],
  ['no trailer of this hop', `${chunked}0\r\nTE: 2\r\nA: 3\r\n\r\n`, { trailers: ['A', '3'] }],
  ['Chunked by any case', `${ok}transfer-encoding: Chunked\r\n\r\n0\r\n\r\n`, { outcome: 'end' }],
  ['204 without a body', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', { body: '', headers: [] }],
  ['304 without a body', 'HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n', { body: '', headers: ['Content-Length', '5'] }],
  ['100 and no more of it', `HTTP/1.1 100 Continue\r\n\r\n${ok}Content-Length: 0\r\n\r\n`, { informational: [] }],
  [
    '103 as it came',
    `HTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\nLink: x\r\n\r\n${ok}Content-Length: 0\r\n\r\n`,
    { informational: [103], status: 200 },
  ],
  ['a status line without a reason', 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', { reason: '' }],
  ['and without the space in front of it', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', { reason: '' }],
  ['bytes above 0x7f', 'HTTP/1.1 200 \xe9\r\nX: \xff\r\n\r\n', { reason: '\xe9', headers: ['X', '\xff'] }],
  ['an empty value', `${ok}X:\r\nY: \t \r\n\r\n`, { headers: ['X', '', 'Y', ''] }],
  ['blanks within a value', `${ok}X: a \t b \r\n\r\n`, { headers: ['X', 'a \t b'] }],
  [
    'equal lengths as one',
    `${ok}Content-Length: 1\r\ncontent-length: 1\r\n\r\nx`,
    { headers: ['Content-Length', '1'] },
  ],
  [
    'no header of this hop',
    `${ok}Keep-Alive: x\r\nConnection: A, close\r\na: 1\r\nB: 2\r\n\r\n`,
    { headers: ['B', '2'] },
  ],
  ['no header of our own', `${ok}Landfall-Error: x\r\nLocation: y\r\n\r\n`, { headers: ['Location', 'y'] }],
  ['that the origin will close', `${ok}Connection: foo, Close\r\n\r\n`, { isPersistent: false }],
  ['that the origin will wait', `${ok}Connection: Keep-Alive\r\n\r\n`, { isPersistent: true }],
  ['any status of three digits', 'HTTP/1.1 999 x\r\n\r\n', { status: 999 }],
])('it reads %s, in pieces of any size', ([, text, expected]) => {
  for (const size of sizes)
    expect(read(text, size), `in pieces of ${size}`).toMatchObject({ outcome: 'end', ...expected })
})

test.for(['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', ''])(
  'a response to HEAD ends with its head: %j',
  (line) => {
    for (const size of sizes)
      expect(read(`${ok}${line}\r\nrest`, size, 'HEAD')).toMatchObject({ outcome: 'end', rest: 'rest' })
  },
)

const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n'

test('behind an upgrade that was asked for, nothing is read', () => {
  for (const size of sizes) {
    expect(read(`${switching}\x81\x00`, size, 'GET', 'websocket')).toMatchObject({
      outcome: 'upgrade',
      rest: '\x81\x00',
    })
  }
})

test.for<[string, string]>([
  ['that nobody asked for', switching],
  ['that nobody asked for, nor offers', 'HTTP/1.1 101 x\r\n\r\n'],
  ['to something else', switching.replace('WebSocket', 'h2c')],
  ['to more than that', switching.replace('WebSocket', 'websocket, h2c')],
  ['that Connection does not name', switching.replace('Connection: upgrade\r\n', '')],
])('it refuses an upgrade %s', ([name, text]) => {
  const asked = name.startsWith('that nobody') ? undefined : 'websocket'
  for (const size of sizes) expect(read(text, size, 'GET', asked).outcome).toMatch('101')
})

test.for<[string, string]>([
  ['two lengths', `${ok}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`],
  [
    'both Transfer-Encoding and Content-Length',
    `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ['both Transfer-Encoding and Content-Length', `${ok}Transfer-Encoding: x\r\nContent-Length: 5\r\n\r\nhello`],
  ['Transfer-Encoding in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ...['xchunked', 'gzip, chunked', 'chunked, chunked', 'identity', '', 'chunked;q=1', '"chunked"'].map(
    (coding): [string, string] => [
      'a Transfer-Encoding other than chunked',
      `${ok}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`,
    ],
  ),
  ['a Transfer-Encoding other than chunked', `${chunked.slice(0, -2)}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ...['+5', '-5', '0x5', '5,5', '5, 5', '5 5', '5.0', '5e0', '', '"5"', '9999999999999999'].map(
    (length): [string, string] => ['a malformed Content-Length', `${ok}Content-Length: ${length}\r\n\r\nhello`],
  ),
  ['a malformed header line', `${ok}Content-Length : 5\r\n\r\nhello`],
  ['a malformed header line', `${ok} Content-Length: 5\r\n\r\nhello`],
  ['a malformed header line', `${ok}X: a\r\n b\r\n\r\n`],
  ['a malformed head, or one that is too long', `${ok}X: a\rb\r\n\r\n`],
  ['a malformed head, or one that is too long', `${ok}X: a\0b\r\n\r\n`],
  ['a malformed header line', `${ok}X\r\n\r\n`],
  ['a malformed header line', `${ok}: x\r\n\r\n`],
  ['a malformed header line', `${ok}X\xe9: x\r\n\r\n`],
  ['a malformed header line', `${ok}X: a\x7f\r\n\r\n`],
  ['a malformed head, or one that is too long', `${ok}X: a\nContent-Length: 0\r\n\r\n`],
  ['a malformed head, or one that is too long', 'HTTP/1.1 200 OK\nX: a\n\n'],
  ['a malformed head, or one that is too long', `${ok}\r`.repeat(2)],
  ['a malformed head, or one that is too long', `${ok}X: ${'x'.repeat(400)}`],
  ['a malformed head, or one that is too long', 'HTTP/1.1 103 x\r\n\r\n'.repeat(30)],
  ['a malformed status line', 'HTTP/1.2 200 OK\r\n\r\n'],
  ['a malformed status line', 'HTTP/1.1  200 OK\r\n\r\n'],
  ['a malformed status line', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['a malformed status line', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['a malformed status line', 'HTTP/1.1 099 OK\r\n\r\n'],
  ['a malformed head, or one that is too long', 'HTTP/1.1 200 O\0K\r\n\r\n'],
  ['no HTTP/1.1', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['no HTTP/1.1', 'SSH-2.0-OpenSSH_9.2p1\r\n'],
  ['no HTTP/1.1', `\r\n${ok}\r\n`],
  ['no HTTP/1.1', 'http/1.1 200 OK\r\n\r\n'],
  ...[
    '',
    '5 ',
    ' 5',
    '0x5',
    '+5',
    '-5',
    'g',
    '5\n',
    '5\r',
    '20000000000000',
    '5;',
    '5;a b',
    '5;a="',
    `5;${'a'.repeat(20)}`,
  ].map((size): [string, string] => ['a malformed chunk', `${chunked}${size}\r\nhello\r\n0\r\n\r\n`]),
  ['a malformed chunk', `${chunked}${'0'.repeat(21)}5\r\nhello\r\n0\r\n\r\n`],
  ['a malformed chunk', `${chunked}5\r\nhelloX\r\n0\r\n\r\n`],
  ['a malformed chunk', `${chunked}5\r\nhello\n0\r\n\r\n`],
  ['a malformed chunk', `${chunked}5\r\nhelloX\n0\r\n\r\n`],
  ['a malformed chunk', `${chunked}5\r\nhello\rX0\r\n\r\n`],
  ['a malformed chunk', `${chunked}5\rXhello\r\n0\r\n\r\n`],
  ['a malformed trailer line', `${chunked}0\r\nA : 1\r\n\r\n`],
  ['a malformed trailer line', `${chunked}0\r\nA: 1\r\n 2\r\n\r\n`],
  ['framing among the trailers', `${chunked}0\r\nA: 1\r\ncontent-length: 5\r\n\r\nhello`],
  ['framing among the trailers', `${chunked}0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['malformed trailers, or too many', `${chunked}0\r\nA: 1\n\r\n`],
  ['malformed trailers, or too many', `${chunked}0\r\nA: ${'1'.repeat(60)}\r\n\r\n`],
])('it refuses %s: %j', ([fault, text]) => {
  for (const size of sizes) expect(read(text, size).outcome, `in pieces of ${size}`).toBe(fault)
})

test.for([
  ['a head', ok],
  ['a body of known length', `${ok}Content-Length: 5\r\n\r\nhell`],
  ['a chunk', `${chunked}5\r\nhell`],
  ['chunks', `${chunked}5\r\nhello\r\n`],
  ['trailers', `${chunked}0\r\nA: 1\r\n`],
])('%s that is cut short is not the end', ([, text = '']) => {
  for (const size of sizes) expect(read(text, size).outcome).toBe('more')
})
