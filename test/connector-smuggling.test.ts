import { expect, test } from 'vitest'
import { get, signed, startConnector } from './connector-rig.ts'
import { ambiguousFramings, brokenChunks, hidden, inChunk, plainFramings } from './hidden-requests.ts'
import { echo } from './origins.ts'

// Each row is one request with a second one hidden in it: whatever the connector makes of it, the origin must not get bytes
// that any server, strict or lenient, could read as two requests.

/** SIGNED stands where the lines of a signed request go. */
type Row = readonly [name: string, status: number, bytes: string]

const post = (lines: string, body: string): string => `POST / HTTP/1.1\r\nSIGNED${lines}\r\n${body}`

const framings: readonly Row[] = [
  ...[...ambiguousFramings, ...brokenChunks].map(([name, lines, body]): Row => [name, 400, post(lines, body)]),
  ...plainFramings.map(([name, lines, body]): Row => [name, 200, post(lines, body)]),
]

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
  ['a body on GET', 200, `GET / HTTP/1.1\r\nSIGNEDContent-Length: ${hidden.length}\r\n\r\n${hidden}`],
  ['a body on HEAD', 200, `HEAD / HTTP/1.1\r\nSIGNEDContent-Length: ${hidden.length}\r\n\r\n${hidden}`],
  ['a body on DELETE, in chunks', 200, `DELETE / HTTP/1.1\r\nSIGNEDTransfer-Encoding: chunked\r\n\r\n${inChunk}`],
  ['trailers', 200, post('Transfer-Encoding: chunked\r\n', '0\r\nHost: b\r\nlandfall-host: b\r\n\r\n')],
  [
    'a body behind a strange Expect',
    417,
    post(`Expect: y 100-continue\r\nContent-Length: ${hidden.length}\r\n`, hidden),
  ],
  ['an upgrade to h2c', 200, `GET / HTTP/1.1\r\nSIGNEDUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n${hidden}`],
  ['two spaces before the target', 200, `GET  / HTTP/1.1\r\nSIGNED\r\n${hidden}`],
  ['an unsigned request behind it', 200, `GET / HTTP/1.1\r\nSIGNED\r\n${hidden}`],
]

test.for([...framings, ...targets, ...normalised])('%s: %i, and never two requests', async ([, status, bytes]) => {
  const { origin, rig, client } = await startConnector(echo)
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
})

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
