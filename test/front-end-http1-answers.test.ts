import { expect, test } from 'vitest'
import { ask, get, startHttp1 } from './front-end-http1-rig.ts'

test('an answer passes as it is', async () => {
  const rig = await startHttp1()
  const client = await rig.client()
  client.write(get())
  const date = 'Mon, 23 Nov 2026 09:00:00 GMT'
  const { sink } = await rig.next()
  sink.head(299, 'Caf\xe9', ['Set-Cookie', 'a', 'set-cookie', 'b', 'DATE', date, 'X', '\xe9', 'Content-Length', '4'])
  sink.data(Buffer.from('bo'))
  sink.data(Buffer.from('dy'))
  sink.end([])
  const { head, body } = await client.message()
  expect(head).toBe(
    `HTTP/1.1 299 Caf\xe9\r\nSet-Cookie: a\r\nset-cookie: b\r\nDATE: ${date}\r\nX: \xe9\r\nContent-Length: 4\r\n\r\n`,
  )
  expect(body).toBe('body')
})

test('an answer without a date gets one, and without a reason the usual', async () => {
  const { client, asked } = await ask()
  asked.answer(404, ['Content-Length', '0'])
  expect((await client.message()).head).toMatch(
    /^HTTP\/1.1 404 Not Found\r\nContent-Length: 0\r\nDate: .* GMT\r\n\r\n$/,
  )
})

test('an answer of unknown length is chunked, and its head does not wait for its body', async () => {
  const { client, asked } = await ask()
  const { sink } = asked
  sink.head(200, 'OK', ['Date', 'x'])
  expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  sink.data(Buffer.from('one'))
  expect(await client.until('one\r\n')).toBe('3\r\none\r\n')
  sink.data(Buffer.from('two'))
  sink.end(['X-Sum', '6'])
  expect(await client.until('0\r\n\r\n')).toBe('3\r\ntwo\r\n0\r\n\r\n')
})

test('trailers go to clients that take them, but for those that belong into a head', async () => {
  const { client, asked } = await ask(get('TE: trailers\r\n'))
  const { sink } = asked
  sink.head(200, 'OK', [])
  sink.data(Buffer.from('one'))
  sink.end(['X-Sum', '6', 'Content-Length', '3', 'X-Sum', '7', 'Set-Cookie', 'a'])
  expect(await client.until('0\r\n')).toMatch(/chunked\r\n\r\n3\r\none\r\n0\r\n$/)
  expect(await client.until('\r\n\r\n')).toBe('X-Sum: 6\r\nX-Sum: 7\r\n\r\n')
})

test.for<[string, string, number, readonly string[], RegExp]>([
  ['HEAD with a length', 'HEAD', 200, ['Content-Length', '99'], /^Content-Length: 99\r$/m],
  ['HEAD without one', 'HEAD', 200, [], /^Transfer-Encoding|^HTTP/m],
  ['304 with a length', 'GET', 304, ['Content-Length', '99'], /^Content-Length: 99\r$/m],
  ['304 without one', 'GET', 304, [], /^HTTP/m],
  ['204', 'GET', 204, [], /^HTTP/m],
])('%s has no body, and the next request follows', async ([, method, status, headers, line]) => {
  const rig = await startHttp1()
  const client = await rig.client()
  for (const _ of [1, 2]) {
    client.write(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`)
    ;(await rig.next()).answer(status, headers)
    expect(await client.until('\r\n\r\n')).toMatch(line)
  }
})

test('204 says nothing of a length', async () => {
  const { client, asked } = await ask()
  asked.answer(204, ['Content-Length', '0', 'X', 'y'])
  expect(await client.until('\r\n\r\n')).toMatch(/^HTTP\/1.1 204 No Content\r\nX: y\r\nDate: .*\r\n\r\n$/)
})

test('a client of HTTP/1.0 reads until the end of the connection', async () => {
  const { client, asked } = await ask('GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n')
  const { sink } = asked
  sink.informational(103, ['Link', '</a.css>'])
  sink.head(200, 'OK', ['Date', 'x'])
  sink.data(Buffer.from('one'))
  sink.data(Buffer.from('two'))
  sink.end(['X-Sum', '6'])
  expect(await client.rest()).toBe('HTTP/1.1 200 OK\r\nDate: x\r\nConnection: close\r\n\r\nonetwo')
})

test('a client of HTTP/1.0 may keep its connection where the length is known', async () => {
  const rig = await startHttp1()
  const client = await rig.client()
  for (const _ of [1, 2]) {
    client.write('GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n')
    ;(await rig.next()).answer(200, ['Content-Length', '2'], 'ok')
    expect((await client.message()).head).toMatch(/^Connection: keep-alive\r$/m)
  }
})

test('hints come before the answer', async () => {
  const { client, asked } = await ask()
  asked.sink.informational(103, ['Link', '</a.css>', 'Link', '</b.css>'])
  expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nLink: </b.css>\r\n\r\n')
  asked.sink.informational(103, ['Link', 'a\r\nX: y'])
  asked.answer(200, ['Content-Length', '0'])
  expect(await client.until('\r\n\r\n')).toMatch(/^HTTP\/1.1 200/)
})

test.for<[string, readonly string[], number, string]>([
  ['a header that ends its line', ['X', 'a\r\nY: b'], 200, ''],
  ['a header with a NUL', ['X', 'a\0'], 200, ''],
  ['a name that is none', ['X Y', 'a'], 200, ''],
  ['a status that is none', [], 99, ''],
  ['a reason that ends its line', [], 200, 'OK\r\nX: y'],
  ['two lengths', ['Content-Length', '1', 'content-length', '1'], 200, ''],
  ['a length that is none', ['Content-Length', '+1'], 200, ''],
])('an answer with %s becomes a 502', async ([, headers, status, reason]) => {
  const { client, asked } = await ask()
  asked.sink.head(status, reason, headers)
  const { head } = await client.message()
  expect(head).toMatch(/^HTTP\/1.1 502 .*^landfall-reason: invalid-response\r$/ms)
  expect(asked.aborted).toBe(true)
})

test('an answer waits while the client takes no more', async () => {
  const { client, asked } = await ask()
  client.socket.pause()
  const block = Buffer.alloc(1 << 20)
  const blocks = 32
  asked.sink.head(200, 'OK', ['Content-Length', `${blocks * block.length}`])
  let sent = 0
  const fill = () => {
    while (sent < blocks) {
      sent++
      if (!asked.sink.data(block)) return
    }
  }
  fill()
  expect(sent).toBeLessThan(8)
  client.socket.resume()
  while (sent < blocks) {
    const before = asked.resumed
    await asked.until(({ resumed }) => resumed > before)
    fill()
  }
  asked.sink.end([])
  await client.until('\r\n\r\n')
  await client.take(blocks * block.length)
})
