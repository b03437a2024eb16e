import { describe, expect, test, vi } from 'vitest'
import { get, signed, startConnector, statusIn, withoutDate } from './connector-rig.ts'
import * as odd from './origins.ts'
import { settled } from './settled.ts'

describe('a response', () => {
  test('reaches the client with reason and headers byte for byte, and without what is of its hop', async () => {
    const { client, endpoint } = await startConnector(
      odd.answer(
        'HTTP/1.1 299 Quite  Odd \xe9\r\nX-CASE: 1\r\nSet-Cookie: a=1\r\nx-case: 2\r\nset-cookie: b=\xff\r\nX-Hop: 1\r\n' +
          'Connection: x-hop, Content-Length\r\nKeep-Alive: timeout=9\r\nUpgrade: h2c\r\nTrailer: X\r\nProxy-Authenticate: x\r\n' +
          'landfall-error: refused\r\nLandfall-Other: 1\r\nDate: long ago\r\nContent-Length: 2\r\n\r\nok',
      ),
    )
    const { head, body } = await client.write(get(endpoint)).message()
    expect(head).toBe(
      'HTTP/1.1 299 Quite  Odd \xe9\r\nX-CASE: 1\r\nSet-Cookie: a=1\r\nx-case: 2\r\nset-cookie: b=\xff\r\nDate: long ago\r\n' +
        'Content-Length: 2\r\n\r\n',
    )
    expect(body).toBe('ok')
  })

  test.for([
    [
      'to HEAD keeps the length of the body it does not have',
      'HEAD',
      '200 OK\r\nContent-Length: 1000\r\n\r\n',
      'Content-Length: 1000\r\n',
    ],
    ['to HEAD in chunks has no body and no coding', 'HEAD', '200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', ''],
    ['304 keeps a length', 'GET', '304 Not Modified\r\nContent-Length: 1000\r\n\r\n', 'Content-Length: 1000\r\n'],
    ['204 loses a length', 'GET', '204 No Content\r\nContent-Length: 0\r\n\r\n', ''],
    ['204 has no body', 'GET', '204 No Content\r\n\r\n', ''],
  ] as const)('%s', async ([, method, bytes, framing]) => {
    const { client, endpoint } = await startConnector(odd.answer(`HTTP/1.1 ${bytes}`))
    for (let i = 0; i < 2; i++) {
      const head = await client.write(`${method} / HTTP/1.1\r\n${signed(endpoint)}\r\n`).until('\r\n\r\n')
      const line = bytes.slice(0, bytes.indexOf('\r\n'))
      expect(withoutDate(head)).toBe(`HTTP/1.1 ${line}\r\n${framing}\r\n`)
    }
  })

  test('in chunks stays in chunks, without extensions and trailers', async () => {
    const { client, endpoint } = await startConnector(
      odd.answer('HTTP/1.1 200 OK\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nX: 1\r\n\r\n'),
    )
    const { head, body } = await client.write(get(endpoint)).message()
    expect(head).not.toMatch(/trailer/i)
    expect(body).toBe('2\r\nok\r\n0\r\n\r\n')
  })

  test('that ends with its connection comes in chunks', async () => {
    const { client, endpoint } = await startConnector(odd.halfClose)
    const { body } = await client.write(get(endpoint)).message()
    expect(body).toBe('d\r\nuntil the end\r\n0\r\n\r\n')
  })

  test('comes after interim responses, which stay behind', async () => {
    const { origin, client, endpoint } = await startConnector(odd.interim)
    for (let i = 0; i < 2; i++) {
      const { head, body } = await client.write(get(endpoint)).message()
      expect([statusIn(head), body]).toEqual([200, 'after all'])
    }
    expect(origin.connections).toHaveLength(1)
  })

  test('arrives piece by piece, its head before the first', async () => {
    const go: (() => void)[] = []
    const gate = () => new Promise<void>((resolve) => go.push(resolve))
    const { client, endpoint } = await startConnector(odd.slowBody(['one', 'two'], gate))
    client.write(get(endpoint))
    expect(await client.until('\r\n\r\n')).toContain('Transfer-Encoding: chunked')
    go.shift()?.()
    expect(await client.until('one\r\n')).toBe('3\r\none\r\n')
    await vi.waitFor(() => expect(go).toHaveLength(1))
    go.shift()?.()
    expect(await client.until('0\r\n\r\n')).toBe('3\r\ntwo\r\n0\r\n\r\n')
  })

  test('with a head before its body keeps bytes above 0x7f', async () => {
    const { client, endpoint } = await startConnector(
      odd.answer('HTTP/1.1 200 OK\r\nX-Latin: \xe9\r\nContent-Length: 2\r\n\r\n'),
    )
    expect(await client.write(get(endpoint)).until('\r\n\r\n')).toContain('X-Latin: \xe9\r\n')
  })

  test('is read no faster than the client reads it', async () => {
    const big = odd.bigBody(200)
    const { client, endpoint } = await startConnector(big.serve)
    client.write(get(endpoint))
    await client.until('\r\n\r\n')
    client.socket.pause()
    const stopped = await settled(() => big.state.written)
    expect(stopped).toBeLessThan(100 << 20)
    client.socket.resume()
    await vi.waitFor(() => expect(client.received.length).toBeGreaterThan(200 << 20), { timeout: 20_000 })
  })

  test('may come before the end of an upload, and the origin does not take what it got for the whole', async () => {
    const early = odd.answerEarly('HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno')
    const { origin, client, endpoint } = await startConnector(early)
    client.write(`POST / HTTP/1.1\r\n${signed(endpoint)}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n`)
    const { head, body } = await client.message()
    expect([statusIn(head), body]).toEqual([413, 'no'])
    await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
    client.write('2\r\nok\r\n0\r\n\r\n')
    expect(origin.connections[0]?.received).not.toContain('0\r\n\r\n')
    // The client's connection goes on.
    client.write(`POST / HTTP/1.1\r\n${signed(endpoint)}Content-Length: 2\r\n\r\nok`)
    expect(statusIn((await client.message()).head)).toBe(413)
  })
})
