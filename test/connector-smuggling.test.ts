import { afterEach, expect, test } from 'vitest'
import { get, signed, startRig } from './connector-rig.ts'
import { echo, startOrigin } from './origins.ts'

// Each row is one request with a second one hidden in it: whatever the connector makes of it, the origin must not get bytes
// that any server, strict or lenient, could read as two requests.

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n'
/** Ends a chunked body, for those who see one, in front of the hidden request. */
const chunkedThenHidden = `0\r\n\r\n${hidden}`
const inChunk = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`

/** `signed` stands where the lines of a signed request go. */
type Row = readonly [name: string, status: number, bytes: string]

const post = (lines: string, body: string): string => `POST / HTTP/1.1\r\nSIGNED${lines}\r\n${body}`

const lengths: readonly Row[] = [
  '+5',
  '-5',
  '0x5',
  '5,5',
  '5, 5',
  '5 5',
  '5;5',
  '5.0',
  '"5"',
  '',
  '99999999999999999999',
  '5\x0b',
  '5\r\nContent-Length: 6',
  '5\r\nContent-Length: 5',
  '5\r\n 5',
  '5\n',
].map((value) => [
  `Content-Length: ${JSON.stringify(value)}`,
  400,
  post(`Content-Length: ${value}\r\n`, chunkedThenHidden),
])

const codings: readonly Row[] = [
  'xchunked',
  'identity',
  'gzip, chunked',
  'chunked, identity',
  'chunked, gzip',
  'chunked, chunked',
  'chunked;q=1',
  '"chunked"',
  'chunked\x0b',
  'chunked\x00',
  'x\x0bchunked',
  ',chunked',
  'chunked,',
  '',
  'identity\r\nTransfer-Encoding: chunked',
  'chunked\r\nTransfer-Encoding: identity',
  '\r\n chunked',
  'x\r\n chunked',
  'chunked\n',
  'x\nTransfer-Encoding: chunked',
].map((value) => [`Transfer-Encoding: ${JSON.stringify(value)}`, 400, post(`Transfer-Encoding: ${value}\r\n`, inChunk)])

const both: readonly Row[] = [
  'Content-Length: 6\r\nTransfer-Encoding: chunked\r\n',
  'Transfer-Encoding: chunked\r\nContent-Length: 6\r\n',
  'Content-Length: 6\r\nTransfer-Encoding: xchunked\r\n',
  'Content-Length: 6\r\nTransfer-Encoding: identity\r\n',
  'Content-Length: 6\r\nTransfer-Encoding:\r\n chunked\r\n',
  'Content-Length: 6\r\nTransfer-Encoding : chunked\r\n',
  'Content-Length: 6\r\n Transfer-Encoding: chunked\r\n',
  'Content-Length: 6\r\nX: y\nTransfer-Encoding: chunked\r\n',
  'Content-Length: 6\r\nX: y\rTransfer-Encoding: chunked\r\n',
  'Content-Length: 6\r\nTransfer-Encoding\x00: chunked\r\n',
  'Content-Length: 6\r\n\x0bTransfer-Encoding: chunked\r\n',
  'Content-Length: 6\r\nTransfer-Encoding\r\n: chunked\r\n',
].map((lines) => [JSON.stringify(lines), 400, post(lines, chunkedThenHidden)])

const chunks: readonly Row[] = [
  '5 \r\nhello\r\n',
  '0x5\r\nhello\r\n',
  '+5\r\nhello\r\n',
  '-5\r\nhello\r\n',
  '5\nhello\r\n',
  '5\rhello\r\n',
  '5\r\nhello\n',
  '5\r\nhelloX\r\n',
  '5\r\nhello',
  'FFFFFFFFFFFFFFFF5\r\nhello\r\n',
  '\r\nhello\r\n',
  '5;a\nb\r\nhello\r\n',
  '5;a="\n"\r\nhello\r\n',
  'g\r\n',
].map((chunk) => [
  `the chunk ${JSON.stringify(chunk)}`,
  400,
  post('Transfer-Encoding: chunked\r\n', `${chunk}${chunkedThenHidden}`),
])

const targets: readonly Row[] = [
  ['a length in a trailer', 400, post('Transfer-Encoding: chunked\r\n', `0\r\nContent-Length: 5\r\n\r\n${hidden}`)],
  ['an absolute target', 400, `GET http://internal/ HTTP/1.1\r\nSIGNED\r\n${hidden}`],
  ['an authority for a target', 400, `GET internal:80 HTTP/1.1\r\nSIGNED\r\n${hidden}`],
  ['CONNECT', 501, `CONNECT internal:80 HTTP/1.1\r\nSIGNED\r\n${hidden}`],
  ['a fragment', 400, `GET /#f HTTP/1.1\r\nSIGNED\r\n${hidden}`],
  ['* for GET', 400, `GET * HTTP/1.1\r\nSIGNED\r\n${hidden}`],
  ['a space in the target', 400, `GET / HTTP/1.1 HTTP/1.1\r\nSIGNED\r\n${hidden}`],
  ['a tab for a space', 400, `GET\t/ HTTP/1.1\r\nSIGNED\r\n${hidden}`],
  ['a method in small letters', 400, `get / HTTP/1.1\r\nSIGNED\r\n${hidden}`],
  ['an unknown method', 400, `HACK / HTTP/1.1\r\nSIGNED\r\n${hidden}`],
  ['two Hosts', 400, `GET / HTTP/1.1\r\nSIGNEDHost: other\r\n\r\n${hidden}`],
  ['HTTP/0.9', 505, `GET /\r\nSIGNED\r\n${hidden}`],
  ['HTTP/1.0', 200, `GET / HTTP/1.0\r\nSIGNED\r\n${hidden}`],
  ['HTTP/1.0 with chunks', 400, `POST / HTTP/1.0\r\nSIGNEDTransfer-Encoding: chunked\r\n\r\n${inChunk}`],
  ['HTTP/1.2', 400, `GET / HTTP/1.2\r\nSIGNED\r\n${hidden}`],
  ['HTTP/2.0', 505, `GET / HTTP/2.0\r\nSIGNED\r\n${hidden}`],
  ["HTTP/2's preface", 400, `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${hidden}`],
  ['bare LF', 400, `GET / HTTP/1.1\nSIGNED\n${hidden}`],
  ['a NUL in a header', 400, `GET / HTTP/1.1\r\nSIGNEDX: \0\r\n\r\n${hidden}`],
]

const normalised: readonly Row[] = [
  ['a body of known length', 200, post(`Content-Length: ${hidden.length}\r\n`, hidden)],
  ['a body of known length, in spaces', 200, post(`Content-Length: \t${hidden.length} \t\r\n`, hidden)],
  ['a body on GET', 200, `GET / HTTP/1.1\r\nSIGNEDContent-Length: ${hidden.length}\r\n\r\n${hidden}`],
  ['a body on HEAD', 200, `HEAD / HTTP/1.1\r\nSIGNEDContent-Length: ${hidden.length}\r\n\r\n${hidden}`],
  ['a body on DELETE, in chunks', 200, `DELETE / HTTP/1.1\r\nSIGNEDTransfer-Encoding: chunked\r\n\r\n${inChunk}`],
  ['a body in chunks', 200, post('Transfer-Encoding: chunked\r\n', inChunk)],
  ['a body in Chunks', 200, post('Transfer-Encoding: \tChunked \r\n', inChunk)],
  ['chunk extensions', 200, post('Transfer-Encoding: chunked\r\n', `2;a=b;c="d"\r\nok\r\n${inChunk}`)],
  ['trailers', 200, post('Transfer-Encoding: chunked\r\n', '0\r\nHost: b\r\nlandfall-host: b\r\n\r\n')],
  [
    'Connection naming what frames',
    200,
    post(`Connection: content-length, host\r\nContent-Length: ${hidden.length}\r\n`, hidden),
  ],
  [
    'Connection naming Transfer-Encoding',
    200,
    post('Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n', inChunk),
  ],
  ['a body behind Expect', 200, post(`Expect: 100-continue\r\nContent-Length: ${hidden.length}\r\n`, hidden)],
  [
    'a body behind a strange Expect',
    417,
    post(`Expect: y 100-continue\r\nContent-Length: ${hidden.length}\r\n`, hidden),
  ],
  ['an upgrade to h2c', 200, `GET / HTTP/1.1\r\nSIGNEDUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n${hidden}`],
  ['two spaces before the target', 200, `GET  / HTTP/1.1\r\nSIGNED\r\n${hidden}`],
  ['an unsigned request behind it', 200, `GET / HTTP/1.1\r\nSIGNED\r\n${hidden}`],
  [
    'underscores',
    200,
    post(`Content_Length: 0\r\nTransfer_Encoding: chunked\r\nContent-Length: ${hidden.length}\r\n`, hidden),
  ],
  ['a chunk in a header', 200, post(`X: 0\r\nContent-Length: ${hidden.length}\r\n`, hidden)],
]

test.for([...lengths, ...codings, ...both, ...chunks, ...targets, ...normalised])(
  '%s: %i, and never two requests',
  async ([, status, bytes]) => {
    const origin = await startOrigin(echo)
    closers.push(() => origin.close())
    const rig = await startRig([origin.endpoint])
    closers.push(() => rig.close())
    const client = await rig.client()
    client.write(bytes.replace('SIGNED', signed(origin.endpoint, 'a')))

    const line = (await client.until('\r\n\r\n')).replace('HTTP/1.1 100 Continue\r\n\r\n', '')
    const first = line === '' ? await client.until('\r\n\r\n') : line
    expect(Number(first.split(' ')[1])).toBe(status)

    // Whatever was hidden has been sent by the time that a later request is answered.
    const later = await rig.client()
    await later.write(get(origin.endpoint)).message()
    const requests = origin.connections.flatMap((connection) => strictlyRead(connection.received))
    const seen = requests.filter((request) => request.finished)
    expect(seen.length).toBe(status === 200 ? 2 : 1)
  },
)

/** The requests in `bytes`, which must be so plain that there is no second reading. A last one may be unfinished. */
function strictlyRead(bytes: string): { readonly finished: boolean }[] {
  const requests: { readonly finished: boolean }[] = []
  let rest = bytes
  while (rest !== '') {
    const [, head = '', behind = ''] = /^(.*?\r\n)\r\n(.*)$/s.exec(rest) ?? []
    const lines = head.split('\r\n').slice(0, -1)
    expect(lines[0]).toMatch(/^[A-Z]+ \/ HTTP\/1\.1$/)
    for (const line of lines.slice(1)) expect(line).toMatch(/^[A-Za-z0-9_-]+: [\x20-\x7e]*$/)
    expect(lines.filter((line) => /^host: /i.test(line))).toHaveLength(1)
    const framing = lines.filter((line) => /^(content-length|transfer-encoding)\s*:/i.test(line))
    expect(framing.length).toBeLessThanOrEqual(1)
    const length = framing[0] === undefined ? 0 : Number(/^Content-Length: (\d+)$/.exec(framing[0])?.[1])
    if (Number.isNaN(length)) {
      expect(framing[0]).toBe('Transfer-Encoding: chunked')
      const [body, finished] = strictlyReadChunks(behind)
      rest = behind.slice(body.length)
      requests.push({ finished })
    } else {
      rest = behind.slice(length)
      requests.push({ finished: behind.length >= length })
    }
  }
  return requests
}

function strictlyReadChunks(bytes: string): readonly [body: string, finished: boolean] {
  let at = 0
  for (;;) {
    const size = /^([0-9a-f]+)\r\n/.exec(bytes.slice(at, at + 20))
    if (size === null) {
      expect(bytes.slice(at)).toBe('')
      return [bytes, false]
    }
    const length = Number.parseInt(size[1] ?? '', 16)
    at += size[0].length + length
    expect(bytes.slice(at, at + 2)).toBe('\r\n')
    at += 2
    if (length === 0) return [bytes.slice(0, at), true]
  }
}
