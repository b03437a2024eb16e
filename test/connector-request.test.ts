import { describe, expect, test, vi } from 'vitest'
import { errorIn, get, signed, startConnector, statusIn, token } from './connector-rig.ts'
import * as odd from './origins.ts'
import { settled } from './settled.ts'

describe('a request', () => {
  test('reaches the origin with target, Host and end-to-end headers as the Worker sent them, and without what is of this hop', async () => {
    const { client, endpoint } = await startConnector(odd.echo)
    client.write(
      'GET /b//%2F;x=%22|[%5E]?q=%zz&q=%C3%A9&{|}? HTTP/1.1\r\n' +
        'X-CASE: 1\r\nX-Hop: 1\r\nx-case: 2\r\n' +
        signed(endpoint, 'Shop.Example:8443') +
        'Cookie: a=1\r\nCookie: b=\xff2\r\nEmpty:\r\n' +
        'Connection: x-hop, keep-alive, Host, content-length\r\nKeep-Alive: timeout=9\r\nProxy-Connection: x\r\n' +
        'TE: trailers\r\nTrailer: X\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\nProxy-Authorization: x\r\n' +
        'Landfall-Reason: mine\r\nlandfall-x: 1\r\n\r\n',
    )
    expect((await client.message()).body).toBe(
      'GET /b//%2F;x=%22|[%5E]?q=%zz&q=%C3%A9&{|}? HTTP/1.1\r\n' +
        'Host: Shop.Example:8443\r\nX-CASE: 1\r\nx-case: 2\r\nCookie: a=1\r\nCookie: b=\xff2\r\nEmpty: \r\n\r\n',
    )
  })

  test.for([
    ['of known length keeps Content-Length', 'POST', 'Content-Length: 5\r\n', 'hello', 'Content-Length: 5', 'hello'],
    [
      'of known length keeps it whatever Connection names',
      'PUT',
      'Connection: content-length\r\nContent-Length: 2\r\n',
      'ok',
      'Content-Length: 2',
      'ok',
    ],
    [
      'in chunks stays in chunks',
      'POST',
      'Transfer-Encoding: chunked\r\n',
      '5\r\nhello\r\n0\r\n\r\n',
      'Transfer-Encoding: chunked',
      '5\r\nhello\r\n0\r\n\r\n',
    ],
    [
      'in chunks loses chunk extensions and trailers',
      'POST',
      'Transfer-Encoding: CHUNKED\r\n',
      '2;a=b\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n',
      'Transfer-Encoding: chunked',
      '2\r\nok\r\n0\r\n\r\n',
    ],
    ['on GET and of known length arrives', 'GET', 'Content-Length: 2\r\n', 'ok', 'Content-Length: 2', 'ok'],
    [
      'on DELETE and in chunks arrives',
      'DELETE',
      'Transfer-Encoding: chunked\r\n',
      '2\r\nok\r\n0\r\n\r\n',
      'Transfer-Encoding: chunked',
      '2\r\nok\r\n0\r\n\r\n',
    ],
    ['that is empty says so', 'POST', 'Content-Length: 0\r\n', '', 'Content-Length: 0', ''],
    ['that is missing where the method has one is said to be empty', 'PATCH', '', '', 'Content-Length: 0', ''],
  ])('body %s', async ([, method, framing, sent, line, arrived]) => {
    const { client, endpoint } = await startConnector(odd.echo)
    client.write(`${method} / HTTP/1.1\r\n${signed(endpoint)}${framing}\r\n${sent}`)
    const { body } = await client.message()
    expect(body).toBe(`${method} / HTTP/1.1\r\nHost: Shop.Example:8443\r\n${line}\r\n\r\n${arrived}`)
  })

  test('without a body has none at the origin either', async () => {
    const { client, endpoint } = await startConnector(odd.echo)
    for (const method of ['GET', 'DELETE', 'OPTIONS']) {
      client.write(`${method} / HTTP/1.1\r\n${signed(endpoint)}\r\n`)
      expect((await client.message()).body).toBe(`${method} / HTTP/1.1\r\nHost: Shop.Example:8443\r\n\r\n`)
    }
  })

  test('that expects 100 gets it, and the origin is not asked for one', async () => {
    const { client, endpoint } = await startConnector(odd.echo)
    client.write(`POST / HTTP/1.1\r\n${signed(endpoint)}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`)
    expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    expect((await client.write('ok').message()).body).not.toMatch(/expect/i)
  })

  test('that expects 100 and is refused gets no 100', async () => {
    const { client } = await startConnector(odd.echo)
    client.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n')
    expect(errorIn((await client.message()).head)).toBe('refused')
  })

  test('has its head sent on before its body comes', async () => {
    const { origin, client, endpoint } = await startConnector(odd.echo)
    client.write(`POST / HTTP/1.1\r\n${signed(endpoint)}X-Latin: \xe9\r\nContent-Length: 2\r\n\r\n`)
    await vi.waitFor(() => expect(origin.connections[0]?.received).toContain('X-Latin: \xe9\r\n'))
    expect((await client.write('ok').message()).body).toContain('\r\n\r\nok')
  })

  test('goes over the connection of the one before', async () => {
    const { origin, client, endpoint } = await startConnector(odd.echo)
    for (let i = 0; i < 5; i++) {
      await client.write(get(endpoint)).message()
      await client.write(`POST / HTTP/1.1\r\n${signed(endpoint)}Content-Length: 2\r\n\r\nok`).message()
    }
    expect(origin.connections).toHaveLength(1)
  })

  test.for([
    ['no landfall-host', ''],
    ['an empty one', 'landfall-host:\r\n'],
    ['one with a space', 'landfall-host: a b\r\n'],
    ['one with a path', 'landfall-host: a/b\r\n'],
    ['one with user information', 'landfall-host: a@b\r\n'],
    ['a long one', `landfall-host: ${'a'.repeat(261)}\r\n`],
    ['two', 'landfall-host: a\r\nlandfall-host: b\r\n'],
    ['a negative timeout', 'landfall-host: a\r\nlandfall-timeout: -1\r\n'],
    ['a long timeout', 'landfall-host: a\r\nlandfall-timeout: 123456789\r\n'],
    ['two timeouts', 'landfall-host: a\r\nlandfall-timeout: 1\r\nlandfall-timeout: 1\r\n'],
  ] as const)('signed but with %s is a bad request', async ([, lines]) => {
    const { origin, client, endpoint } = await startConnector(odd.echo)
    client.write(`GET / HTTP/1.1\r\nHost: a\r\nlandfall-origin: ${token(endpoint)}\r\n${lines}\r\n`)
    const { head } = await client.message()
    expect([statusIn(head), errorIn(head)]).toEqual([400, 'bad-request'])
    expect(origin.connections).toEqual([])
  })
})

test('an upload is read no faster than the origin reads it', async () => {
  const { origin, client, endpoint } = await startConnector((connection) => void connection.socket.pause())
  client.write(`POST / HTTP/1.1\r\n${signed(endpoint)}Content-Length: ${200 << 20}\r\n\r\n`)
  client.write('x'.repeat(200 << 20))
  const total = 200 << 20
  const sent = () => client.socket.bytesWritten - client.socket.writableLength
  expect(await settled(sent)).toBeLessThan(total / 2)
  origin.connections[0]?.socket.resume()
  await vi.waitFor(() => expect(origin.connections[0]?.received.length).toBeGreaterThan(total), { timeout: 20_000 })
})
