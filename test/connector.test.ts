import { afterEach, describe, expect, test, vi } from 'vitest'
import { clockSkew, tokenLifetime } from '../engine/origin-token.ts'
import type { Endpoint } from '../proto/gen/route_table.ts'
import { get, type Rig, type RigOptions, sign, signed, startRig, token } from './connector-rig.ts'
import * as odd from './origins.ts'
import type { RawConnection } from './raw-connection.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

type Serve = (connection: RawConnection) => void | Promise<void>

/** A connector with one origin in its table, and a client of it. */
async function start(serve: Serve, options: RigOptions = {}) {
  const origin = await odd.startOrigin(serve)
  closers.push(() => origin.close())
  const rig = await startRig([origin.endpoint], options)
  closers.push(() => rig.close())
  return { origin, rig, client: await rig.client(), endpoint: origin.endpoint }
}

const errorIn = (head: string): string | undefined => /^landfall-error: (.*)\r$/m.exec(head)?.[1]
const statusIn = (head: string): number => Number(head.split(' ')[1])
const withoutDate = (head: string): string => head.replace(/^Date: .*\r\n/m, '')

/** What the client gets for a GET, in short: "502 connect-failed". */
async function outcome(rig: Rig, endpoint: Endpoint, more = ''): Promise<string> {
  const client = await rig.client()
  const { head } = await client.write(get(endpoint, more)).message()
  return `${statusIn(head)} ${errorIn(head)}`
}

describe('a request is refused with the same 403, and the origin sees nothing,', () => {
  const cases: readonly (readonly [string, (endpoint: Endpoint) => string])[] = [
    ['without a token', () => ''],
    ['with an empty token', () => 'landfall-origin: \r\n'],
    ['with nonsense for a token', () => 'landfall-origin: open sesame\r\n'],
    ['with two tokens', (e) => `landfall-origin: ${token(e)}\r\nlandfall-origin: ${token(e)}\r\n`],
    ['signed with another secret', (e) => `landfall-origin: ${token(e, { secret: Buffer.from('other') })}\r\n`],
    ['signed under an unknown key id', (e) => `landfall-origin: ${token(e, { keyId: 'k2' })}\r\n`],
    ['with an expired token', (e) => `landfall-origin: ${token(e, { expires: 1_700_000_000 })}\r\n`],
    ['with a token for too long a time', (e) => `landfall-origin: ${token(e, { expires: 999_999_999_999 })}\r\n`],
    [
      'with a token whose protocol was changed',
      (e) => `landfall-origin: ${token(e).replace('/http1/', '/http2/')}\r\n`,
    ],
    ['with a token for a protocol that does not exist', (e) => tokenLine(e, 'gopher')],
    [
      'with a token whose TLS was added',
      (e) => `landfall-origin: ${token(e).replace('/http1/', `/http1.${'A'.repeat(22)}/`)}\r\n`,
    ],
    ['for TLS that is not in the table', (e) => `landfall-origin: ${token(e, { tls: 'A'.repeat(22) })}\r\n`],
    ['with a token whose port was changed', (e) => `landfall-origin: ${token(e).replace(/:\d+\//, ':1/')}\r\n`],
    ['with a token whose mac was cut', (e) => `landfall-origin: ${token(e).slice(0, -1)}\r\n`],
    [
      'with the mac in another spelling',
      (e) => `landfall-origin: ${token(e).slice(0, -1)}${lastButEqual(token(e))}\r\n`,
    ],
    ['for an endpoint that is not in the table', (e) => `landfall-origin: ${token({ ...e, port: 1 })}\r\n`],
    [
      "for the address of a cloud's metadata",
      () => `landfall-origin: ${token({ address: '169.254.169.254', port: 80 })}\r\n`,
    ],
  ]

  test.for(cases)('%s', async ([, tokenLine]) => {
    const { origin, client, endpoint } = await start(odd.echo)
    client.write(`GET /healthz HTTP/1.1\r\nHost: a\r\nlandfall-host: a\r\n${tokenLine(endpoint)}\r\n`)
    const { head } = await client.message()
    expect(withoutDate(head)).toBe('HTTP/1.1 403 Forbidden\r\nlandfall-error: refused\r\nContent-Length: 0\r\n\r\n')
    expect(origin.connections).toEqual([])
  })

  test('also when it is an upgrade, and the connection is closed', async () => {
    const { origin, client } = await start(odd.upgradeEcho())
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbytes')
    expect(errorIn((await client.message()).head)).toBe('refused')
    expect(await client.rest()).toBe('')
    expect(origin.connections).toEqual([])
  })

  test('also when a large body comes with it, which is read so that the answer is not lost', async () => {
    const { client } = await start(odd.echo)
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n`)
    expect(errorIn((await client.message()).head)).toBe('refused')
    client.write('x'.repeat(1_000_000)).write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(errorIn((await client.message()).head)).toBe('refused')
  })

  test('and a body that does not end is read for a while only', async () => {
    const { client } = await start(odd.echo, { limits: { lingerTimeout: 50 } })
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n`)
    expect(errorIn((await client.message()).head)).toBe('refused')
    expect(await client.rest()).toBe('')
  })
})

/** A line with a token that is signed for a protocol of which tokens know nothing. */
function tokenLine(endpoint: Endpoint, protocol: string): string {
  const payload = token(endpoint).replace('/http1/', `/${protocol}/`).split('/').slice(0, -1).join('/')
  return `landfall-origin: ${sign(payload)}\r\n`
}

/** Another last character that decodes to the same bytes: 43 characters of base64url carry two bits too many. */
function lastButEqual(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet.charAt(alphabet.indexOf(token.slice(-1)) + 1)
}

describe('a token', () => {
  test('is believed within the skew of the clocks and the longest lifetime, and no longer', async () => {
    let seconds = 0
    const { rig, endpoint } = await start(odd.echo, { now: () => seconds * 1000 })
    const expires = 1_800_000_000
    const line = { expires }
    const at = async (now: number) => {
      seconds = now
      const client = await rig.client()
      client.write(`GET / HTTP/1.1\r\nHost: a\r\nlandfall-host: a\r\nlandfall-origin: ${token(endpoint, line)}\r\n\r\n`)
      return statusIn((await client.message()).head)
    }
    expect(await at(expires - tokenLifetime - clockSkew - 1)).toBe(403)
    expect(await at(expires - tokenLifetime - clockSkew)).toBe(200)
    expect(await at(expires + clockSkew - 1)).toBe(200)
    expect(await at(expires + clockSkew)).toBe(403)
  })

  test('ends with its endpoint or its secret, and comes back with them, at the next request', async () => {
    const { rig, client, endpoint } = await start(odd.echo)
    const line = get(endpoint)
    const status = async () => statusIn((await client.write(line).message()).head)
    expect(await status()).toBe(200)
    const [known = ''] = rig.endpoints
    rig.endpoints.delete(known)
    expect(await status()).toBe(403)
    rig.endpoints.add(known)
    expect(await status()).toBe(200)
    const secret = rig.keys.get('k1') ?? Buffer.alloc(0)
    rig.keys.set('k1', Buffer.from('the next secret'))
    expect(await status()).toBe(403)
    rig.keys.set('k1', Buffer.from(secret))
    expect(await status()).toBe(200)
    rig.keys.delete('k1')
    expect(await status()).toBe(403)
  })
})

describe('a request', () => {
  test('reaches the origin with target, Host and end-to-end headers as the Worker sent them, and without what is of this hop', async () => {
    const { client, endpoint } = await start(odd.echo)
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
    const { client, endpoint } = await start(odd.echo)
    client.write(`${method} / HTTP/1.1\r\n${signed(endpoint)}${framing}\r\n${sent}`)
    const { body } = await client.message()
    expect(body).toBe(`${method} / HTTP/1.1\r\nHost: Shop.Example:8443\r\n${line}\r\n\r\n${arrived}`)
  })

  test('without a body has none at the origin either', async () => {
    const { client, endpoint } = await start(odd.echo)
    for (const method of ['GET', 'DELETE', 'OPTIONS']) {
      client.write(`${method} / HTTP/1.1\r\n${signed(endpoint)}\r\n`)
      expect((await client.message()).body).toBe(`${method} / HTTP/1.1\r\nHost: Shop.Example:8443\r\n\r\n`)
    }
  })

  test('that expects 100 gets it, and the origin is not asked for one', async () => {
    const { client, endpoint } = await start(odd.echo)
    client.write(`POST / HTTP/1.1\r\n${signed(endpoint)}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`)
    expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    expect((await client.write('ok').message()).body).not.toMatch(/expect/i)
  })

  test('that expects 100 and is refused gets no 100', async () => {
    const { client } = await start(odd.echo)
    client.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n')
    expect(errorIn((await client.message()).head)).toBe('refused')
  })

  test('has its head sent on before its body comes', async () => {
    const { origin, client, endpoint } = await start(odd.echo)
    client.write(`POST / HTTP/1.1\r\n${signed(endpoint)}X-Latin: \xe9\r\nContent-Length: 2\r\n\r\n`)
    await vi.waitFor(() => expect(origin.connections[0]?.received).toContain('X-Latin: \xe9\r\n'))
    expect((await client.write('ok').message()).body).toContain('\r\n\r\nok')
  })

  test('goes over the connection of the one before', async () => {
    const { origin, client, endpoint } = await start(odd.echo)
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
    const { origin, client, endpoint } = await start(odd.echo)
    client.write(`GET / HTTP/1.1\r\nHost: a\r\nlandfall-origin: ${token(endpoint)}\r\n${lines}\r\n`)
    const { head } = await client.message()
    expect([statusIn(head), errorIn(head)]).toEqual([400, 'bad-request'])
    expect(origin.connections).toEqual([])
  })
})

describe('a response', () => {
  test('reaches the client with reason and headers byte for byte, and without what is of its hop', async () => {
    const { client, endpoint } = await start(
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
    const { client, endpoint } = await start(odd.answer(`HTTP/1.1 ${bytes}`))
    for (let i = 0; i < 2; i++) {
      const head = await client.write(`${method} / HTTP/1.1\r\n${signed(endpoint)}\r\n`).until('\r\n\r\n')
      const line = bytes.slice(0, bytes.indexOf('\r\n'))
      expect(withoutDate(head)).toBe(`HTTP/1.1 ${line}\r\n${framing}\r\n`)
    }
  })

  test('in chunks stays in chunks, without extensions and trailers', async () => {
    const { client, endpoint } = await start(
      odd.answer('HTTP/1.1 200 OK\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nX: 1\r\n\r\n'),
    )
    const { head, body } = await client.write(get(endpoint)).message()
    expect(head).not.toMatch(/trailer/i)
    expect(body).toBe('2\r\nok\r\n0\r\n\r\n')
  })

  test('that ends with its connection comes in chunks', async () => {
    const { client, endpoint } = await start(odd.halfClose)
    const { body } = await client.write(get(endpoint)).message()
    expect(body).toBe('d\r\nuntil the end\r\n0\r\n\r\n')
  })

  test('comes after interim responses, which stay behind', async () => {
    const { origin, client, endpoint } = await start(odd.interim)
    for (let i = 0; i < 2; i++) {
      const { head, body } = await client.write(get(endpoint)).message()
      expect([statusIn(head), body]).toEqual([200, 'after all'])
    }
    expect(origin.connections).toHaveLength(1)
  })

  test('arrives piece by piece, its head before the first', async () => {
    const go: (() => void)[] = []
    const gate = () => new Promise<void>((resolve) => go.push(resolve))
    const { client, endpoint } = await start(odd.slowBody(['one', 'two'], gate))
    client.write(get(endpoint))
    expect(await client.until('\r\n\r\n')).toContain('Transfer-Encoding: chunked')
    go.shift()?.()
    expect(await client.until('one\r\n')).toBe('3\r\none\r\n')
    await vi.waitFor(() => expect(go).toHaveLength(1))
    go.shift()?.()
    expect(await client.until('0\r\n\r\n')).toBe('3\r\ntwo\r\n0\r\n\r\n')
  })

  test('with a head before its body keeps bytes above 0x7f', async () => {
    const { client, endpoint } = await start(
      odd.answer('HTTP/1.1 200 OK\r\nX-Latin: \xe9\r\nContent-Length: 2\r\n\r\n'),
    )
    expect(await client.write(get(endpoint)).until('\r\n\r\n')).toContain('X-Latin: \xe9\r\n')
  })

  test('is read no faster than the client reads it', async () => {
    const big = odd.bigBody(200)
    const { client, endpoint } = await start(big.serve)
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
    const { origin, client, endpoint } = await start(early)
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

/** The value once it has stopped to change. */
async function settled(value: () => number): Promise<number> {
  let last = -1
  let same = 0
  await vi.waitFor(
    () => {
      same = value() === last && last > 0 ? same + 1 : 0
      last = value()
      expect(same).toBeGreaterThan(10)
    },
    { timeout: 20_000, interval: 20 },
  )
  return last
}

test('an upload is read no faster than the origin reads it', async () => {
  const { origin, client, endpoint } = await start((connection) => void connection.socket.pause())
  client.write(`POST / HTTP/1.1\r\n${signed(endpoint)}Content-Length: ${200 << 20}\r\n\r\n`)
  client.write('x'.repeat(200 << 20))
  const total = 200 << 20
  const sent = () => client.socket.bytesWritten - client.socket.writableLength
  expect(await settled(sent)).toBeLessThan(total / 2)
  origin.connections[0]?.socket.resume()
  await vi.waitFor(() => expect(origin.connections[0]?.received.length).toBeGreaterThan(total), { timeout: 20_000 })
})

describe('the client is told in landfall-error', () => {
  test('that nothing listens', async () => {
    const endpoint = await odd.closedEndpoint()
    const rig = await startRig([endpoint])
    closers.push(() => rig.close())
    expect(await outcome(rig, endpoint)).toBe('502 connect-failed')
    expect(rig.logged.join()).toContain('ECONNREFUSED')
    expect(rig.connector.counters.errors['connect-failed']).toBe(1)
  })

  test.for([
    ['502 connection-lost', 'the origin closes without an answer', odd.closeEarly],
    ['502 connection-lost', 'the origin resets', odd.reset],
    ['502 connection-lost', 'the origin dies in the middle of its head', odd.dieAfter('HTTP/1.1 200 OK\r\nX: ')],
    ['502 invalid-response', 'the origin speaks no HTTP', odd.garbage],
    ['502 invalid-response', 'its head is too large', odd.hugeHeaders(100_000)],
    ['502 invalid-response', 'a header is cut by a bare CR', odd.answer('HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n')],
    ['502 invalid-response', 'a header is folded', odd.answer('HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n')],
    ['502 invalid-response', 'its status is none', odd.answer('HTTP/1.1 007 Bond\r\nContent-Length: 0\r\n\r\n')],
    [
      '502 invalid-response',
      'two lengths disagree',
      odd.answer('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok'),
    ],
    [
      '502 invalid-response',
      'a transfer coding is unknown',
      odd.answer('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'),
    ],
    [
      '502 invalid-response',
      'chunks and a length disagree',
      odd.answer('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n'),
    ],
    ['502 invalid-response', 'the origin upgrades what nobody asked to', odd.upgradeEcho()],
  ] as const)('%s: %s', async ([expected, , serve]) => {
    const { rig, endpoint } = await start(serve)
    expect(await outcome(rig, endpoint)).toBe(expected)
  })

  test('504 when landfall-timeout is over before the head, and the origin is left', async () => {
    const { origin, rig, endpoint } = await start(odd.silent)
    expect(await outcome(rig, endpoint, 'landfall-timeout: 50\r\n')).toBe('504 timeout')
    await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
  })

  test('504 when the origin is silent for as long as any may be', async () => {
    const { origin, rig, endpoint } = await start(odd.silent, { http1: { idleTimeout: 50 } })
    expect(await outcome(rig, endpoint)).toBe('504 timeout')
    await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
  })

  test('503 when as many requests are under way to the origin as may be, and no longer than that', async () => {
    const { rig, endpoint } = await start(odd.silent, { http1: { requestsPerOrigin: 2 } })
    const busy = [await rig.client(), await rig.client()]
    for (const client of busy) client.write(get(endpoint))
    await vi.waitFor(() => expect(rig.connector.counters.active).toBe(2))
    expect(await outcome(rig, endpoint)).toBe('503 overloaded')
    busy[0]?.socket.destroy()
    await vi.waitFor(() => expect(rig.connector.counters.active).toBe(1))
    expect(await outcome(rig, endpoint, 'landfall-timeout: 50\r\n')).toBe('504 timeout')
  })

  test('and the connection that carried it is good for the next request', async () => {
    const endpoint = await odd.closedEndpoint()
    const rig = await startRig([endpoint])
    closers.push(() => rig.close())
    const client = await rig.client()
    for (let i = 0; i < 3; i++) expect(statusIn((await client.write(get(endpoint)).message()).head)).toBe(502)
  })
})

describe('a response that breaks off', () => {
  test.for([
    ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello', 'hello'],
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', '5\r\nhello\r\n'],
  ] as const)('%s breaks off at the client too', async ([, bytes, body]) => {
    const { rig, client, endpoint } = await start(odd.dieAfter(bytes))
    client.write(get(endpoint))
    await client.until('\r\n\r\n')
    expect(await client.rest()).toBe(body)
    await vi.waitFor(() => expect(rig.connector.counters.broken).toBe(1))
  })

  test('by a chunk that is none breaks off at the client too', async () => {
    const { origin, client, endpoint } = await start(
      odd.answerEarly('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'),
    )
    await client.write(get(endpoint)).until('hello')
    origin.connections[0]?.write('ZZ\r\n')
    expect(await client.rest()).not.toContain('0\r\n\r\n')
  })

  test('by landfall-timeout in the middle of its body breaks off on both sides', async () => {
    const { origin, client, endpoint } = await start(odd.hangMidBody)
    client.write(get(endpoint, 'landfall-timeout: 100\r\n'))
    await client.until('\r\n\r\n')
    expect(await client.rest()).toBe('hello')
    await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
  })

  test('by silence in the middle of its body breaks off on both sides', async () => {
    const { origin, client, endpoint } = await start(odd.hangMidBody, { http1: { idleTimeout: 100 } })
    client.write(get(endpoint))
    await client.until('\r\n\r\n')
    expect(await client.rest()).toBe('hello')
    await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
  })
})

describe('a client that goes away', () => {
  test.for([
    ['before the head', odd.silent, ''],
    ['in the middle of the body', odd.hangMidBody, 'hello'],
    ['in the middle of a large body', odd.bigBody(100).serve, 'xxxxx'],
  ] as const)('%s leaves nothing open at the origin', async ([, serve, mark]) => {
    const { origin, rig, client, endpoint } = await start(serve)
    client.write(get(endpoint))
    await vi.waitFor(() => expect(origin.connections).toHaveLength(1))
    await client.until(mark)
    client.socket.resetAndDestroy()
    await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
    await vi.waitFor(() => expect(rig.connector.counters.active).toBe(0))
  })

  test.for([
    ['of known length', 'Content-Length: 10\r\n\r\nhello'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
  ] as const)('in the middle of an upload %s does not make the origin believe it whole', async ([, upload]) => {
    const { origin, client, endpoint } = await start(odd.silent)
    client.write(`POST / HTTP/1.1\r\n${signed(endpoint)}${upload}`)
    await vi.waitFor(() => expect(origin.connections[0]?.received).toContain('hello'))
    client.socket.end()
    await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
    expect(origin.connections[0]?.received).not.toContain('hello\r\n0\r\n')
  })

  test('by sending a broken chunk is told so, and the origin does not believe its upload whole', async () => {
    const { origin, client, endpoint } = await start(odd.silent)
    client.write(`POST / HTTP/1.1\r\n${signed(endpoint)}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`)
    await vi.waitFor(() => expect(origin.connections[0]?.received).toContain('hello'))
    client.write('ZZ\r\n')
    expect(errorIn((await client.message()).head)).toBe('bad-request')
    expect(await client.rest()).toBe('')
    await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
    expect(origin.connections[0]?.received).not.toContain('0\r\n\r\n')
  })
})

describe('when the origin closes a connection just as it is used again', () => {
  /** The first connection answers once, and is reset by the second request. */
  const fickle = (): Serve => {
    let connections = 0
    return async (connection) => {
      connections++
      if (connections > 1) return odd.echo(connection)
      await connection.message()
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      await connection.until('\r\n\r\n')
      connection.socket.resetAndDestroy()
    }
  }

  test('a GET is sent once more on a fresh one', async () => {
    const { origin, client, endpoint } = await start(fickle())
    expect(statusIn((await client.write(get(endpoint)).message()).head)).toBe(200)
    expect((await client.write(get(endpoint)).message()).body).toContain('GET / HTTP/1.1')
    expect(origin.connections).toHaveLength(2)
  })

  test.for([
    ['a POST is not, though it is empty', 'POST', 'Content-Length: 0\r\n\r\n'],
    ['a PUT with a body is not', 'PUT', 'Content-Length: 2\r\n\r\nok'],
  ] as const)('%s', async ([, method, rest]) => {
    const { origin, client, endpoint } = await start(fickle())
    await client.write(get(endpoint)).message()
    client.write(`${method} / HTTP/1.1\r\n${signed(endpoint)}${rest}`)
    expect(errorIn((await client.message()).head)).toBe('connection-lost')
    expect(origin.connections).toHaveLength(1)
  })

  test('a GET is not sent again once a byte of an answer has come', async () => {
    let connections = 0
    const { origin, client, endpoint } = await start(async (connection) => {
      connections++
      await connection.message()
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      await connection.until('\r\n\r\n')
      connection.socket.end('HTTP/1.1 2')
    })
    await client.write(get(endpoint)).message()
    expect(errorIn((await client.write(get(endpoint)).message()).head)).toBe('connection-lost')
    expect([connections, origin.connections.length]).toEqual([1, 1])
  })

  test('a GET is sent again only once', async () => {
    const { origin, client, endpoint } = await start(async (connection) => {
      if (origin.connections.length > 1) return odd.reset(connection)
      await connection.message()
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      return odd.reset(connection)
    })
    await client.write(get(endpoint)).message()
    expect(errorIn((await client.write(get(endpoint)).message()).head)).toBe('connection-lost')
    expect(origin.connections).toHaveLength(2)
  })

  test('an unused connection is closed before origins close theirs', async () => {
    const { origin, client, endpoint } = await start(odd.echo, { http1: { reuseTimeout: 30 } })
    await client.write(get(endpoint)).message()
    await vi.waitFor(() => expect(origin.connections[0]?.closed).toBe('fin'))
  })
})

test("an answer that an origin sends without a question is nobody's answer", async () => {
  const forged = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged'
  const { origin, client, endpoint } = await start(odd.echo)
  await client.write(get(endpoint)).message()
  origin.connections[0]?.write(forged)
  await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
  for (let i = 0; i < 3; i++) {
    const { body } = await client.write(get(endpoint)).message()
    expect(body).not.toContain('forged')
  }
})

test("a second answer behind the first is nobody's answer", async () => {
  const { client, endpoint } = await start(
    odd.answer('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirstHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged'),
  )
  for (let i = 0; i < 3; i++) {
    const { body } = await client.write(get(endpoint)).message()
    expect(body).not.toContain('forged')
  }
})
