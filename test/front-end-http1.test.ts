import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { createHttp1Server } from '../standalone/http1-server/http1-server.ts'
import type { Http1Limits } from '../standalone/http1-server/limits.ts'
import { echoed, type FrontEndRig, type FrontEndRigOptions, startFrontEnd } from './front-end-rig.ts'

let rig: FrontEndRig
afterEach(() => rig?.close())

const start = async (options: FrontEndRigOptions<Http1Limits> = {}): Promise<FrontEndRig> => {
  rig = await startFrontEnd(createHttp1Server, options)
  return rig
}

const get = (lines = ''): string => `GET /g?q=1 HTTP/1.1\r\nHost: Shop.Example:8080\r\n${lines}\r\n`
const post = (length: number, body = ''): string =>
  `POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${body}`

/** What the exchange of the next request has heard of within 50 ms. */
const within50ms = async (done: Promise<void>): Promise<boolean> =>
  Promise.race([done.then(() => true), sleep(50).then(() => false)])

test('a request is handed over with what the engine and the next hop want to know', async () => {
  await start({ entrance: { port: 8080, scheme: 'https' } })
  const client = await rig.client()
  client.write(
    get(
      'X-A: 1\r\nx-a: 2\r\nCookie: a=b\r\ncookie: c=d\r\nTE: gzip, trailers\r\nConnection: keep-alive, X-Hop, TE\r\nX-Hop: 1\r\n' +
        'Keep-Alive: timeout=5\r\nProxy-Authorization: Basic x\r\nlandfall-origin: x\r\nX-Latin: caf\xe9\r\n',
    ),
  )
  const { request, trailers } = await rig.next()
  expect(request).toMatchObject({
    version: 'HTTP/1.1',
    method: 'GET',
    target: '/g?q=1',
    path: '/g',
    query: 'q=1',
    authority: 'Shop.Example:8080',
    port: 8080,
    scheme: 'https',
    hasBody: false,
    upgrade: undefined,
    peer: { address: '192.0.2.7' },
  })
  const lines = ['X-A', '1', 'x-a', '2', 'Cookie', 'a=b', 'cookie', 'c=d', 'X-Latin', 'caf\xe9', 'TE', 'trailers']
  expect(request.headers).toEqual(lines)
  expect(request.header('x-a')).toBe('1,2')
  expect(request.header('cookie')).toBe('a=b; c=d')
  expect(request.header('host')).toBe('Shop.Example:8080')
  expect(request.header('keep-alive')).toBe('timeout=5')
  expect(request.header('x-b')).toBeUndefined()
  expect(trailers).toEqual([])
})

test('Connection cannot take away what a trusted proxy in front has said, or what frames the body', async () => {
  await start()
  const client = await rig.client()
  client.write(
    'POST / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Forwarded-For, Content-Length, Authorization\r\n' +
      'X-Forwarded-For: 192.0.2.1\r\nAuthorization: x\r\nContent-Length: 2\r\n\r\nok',
  )
  const { request } = await rig.next()
  expect(request.headers).toEqual(['X-Forwarded-For', '192.0.2.1', 'Content-Length', '2'])
})

test('a body passes as it comes, and its trailers but for those that belong into a head', async () => {
  await start()
  const client = await rig.client()
  client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n')
  const asked = await rig.next()
  expect(asked.request.hasBody).toBe(true)
  expect(asked.request.headers).toEqual([])
  await asked.until(({ body }) => body === 'one')
  client.write(
    '3\r\ntwo\r\n0\r\nX-Sum: 6\r\nHost: b\r\nX-Forwarded-For: 192.0.2.1\r\nlandfall-host: b\r\nAuthorization: x\r\n\r\n',
  )
  await asked.until(({ trailers }) => trailers !== undefined)
  expect(asked.body).toBe('onetwo')
  expect(asked.trailers).toEqual(['X-Sum', '6'])
})

test('a body of no bytes is no body', async () => {
  await start()
  const client = await rig.client()
  client.write(post(0))
  const { request, trailers } = await rig.next()
  expect(request.hasBody).toBe(false)
  expect(request.headers).toEqual(['Content-Length', '0'])
  expect(trailers).toEqual([])
})

test('an upload waits while the exchange takes no more', async () => {
  await start()
  const client = await rig.client()
  const size = 64 << 20
  client.write(post(size))
  const asked = await rig.next()
  asked.takes = false
  const block = Buffer.alloc(1 << 20)
  for (let sent = 0; sent < size; sent += block.length) client.socket.write(block)
  await sleep(100)
  const held = Buffer.concat(asked.received).length
  expect(held).toBeGreaterThan(0)
  expect(held).toBeLessThan(1 << 20)
  asked.takes = true
  asked.sink.drain()
  await asked.until(({ trailers }) => trailers !== undefined)
  expect(asked.received.reduce((sum, { length }) => sum + length, 0)).toBe(size)
})

test('a client that waits with its body is asked for it', async () => {
  await start()
  const client = await rig.client()
  client.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n')
  expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n')
  client.write('ok')
  const asked = await rig.next()
  await asked.until(({ trailers }) => trailers !== undefined)
  expect(asked.request.headers).toEqual(['Content-Length', '2'])
  asked.answer(200, ['Content-Length', '0'])
  expect((await client.message()).head).not.toMatch(/^connection/im)
})

test('a client that waits with its body, and is answered at once, need not send it', async () => {
  await start({ serve: (asked) => queueMicrotask(() => asked.answer(404, ['Content-Length', '0'])) })
  const client = await rig.client()
  client.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n')
  const { head } = await client.message()
  expect(head).toMatch(/^HTTP\/1.1 404 .*^Connection: close\r$/ms)
  expect((await rig.next()).aborted).toBe(true)
})

test('an answer passes as it is', async () => {
  await start()
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
  await start()
  const client = await rig.client()
  client.write(get())
  ;(await rig.next()).answer(404, ['Content-Length', '0'])
  expect((await client.message()).head).toMatch(
    /^HTTP\/1.1 404 Not Found\r\nContent-Length: 0\r\nDate: .* GMT\r\n\r\n$/,
  )
})

test('an answer of unknown length is chunked, and its head does not wait for its body', async () => {
  await start()
  const client = await rig.client()
  client.write(get())
  const { sink } = await rig.next()
  sink.head(200, 'OK', ['Date', 'x'])
  expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  sink.data(Buffer.from('one'))
  expect(await client.until('one\r\n')).toBe('3\r\none\r\n')
  sink.data(Buffer.from('two'))
  sink.end(['X-Sum', '6'])
  expect(await client.until('0\r\n\r\n')).toBe('3\r\ntwo\r\n0\r\n\r\n')
})

test('trailers go to clients that take them, but for those that belong into a head', async () => {
  await start()
  const client = await rig.client()
  client.write(get('TE: trailers\r\n'))
  const { sink } = await rig.next()
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
  await start()
  const client = await rig.client()
  for (const _ of [1, 2]) {
    client.write(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`)
    ;(await rig.next()).answer(status, headers)
    expect(await client.until('\r\n\r\n')).toMatch(line)
  }
})

test('204 says nothing of a length', async () => {
  await start()
  const client = await rig.client()
  client.write(get())
  ;(await rig.next()).answer(204, ['Content-Length', '0', 'X', 'y'])
  expect(await client.until('\r\n\r\n')).toMatch(/^HTTP\/1.1 204 No Content\r\nX: y\r\nDate: .*\r\n\r\n$/)
})

test('a client of HTTP/1.0 reads until the end of the connection', async () => {
  await start()
  const client = await rig.client()
  client.write('GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n')
  const { sink } = await rig.next()
  sink.informational(103, ['Link', '</a.css>'])
  sink.head(200, 'OK', ['Date', 'x'])
  sink.data(Buffer.from('one'))
  sink.data(Buffer.from('two'))
  sink.end(['X-Sum', '6'])
  expect(await client.rest()).toBe('HTTP/1.1 200 OK\r\nDate: x\r\nConnection: close\r\n\r\nonetwo')
})

test('a client of HTTP/1.0 may keep its connection where the length is known', async () => {
  await start()
  const client = await rig.client()
  for (const _ of [1, 2]) {
    client.write('GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n')
    ;(await rig.next()).answer(200, ['Content-Length', '2'], 'ok')
    expect((await client.message()).head).toMatch(/^Connection: keep-alive\r$/m)
  }
})

test('hints come before the answer', async () => {
  await start()
  const client = await rig.client()
  client.write(get())
  const asked = await rig.next()
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
  await start()
  const client = await rig.client()
  client.write(get())
  const asked = await rig.next()
  asked.sink.head(status, reason, headers)
  const { head } = await client.message()
  expect(head).toMatch(/^HTTP\/1.1 502 .*^landfall-reason: invalid-response\r$/ms)
  expect(asked.aborted).toBe(true)
})

test.for([
  ['overloaded', 503, 'overloaded'],
  ['connect-failed', 502, 'connect-failed'],
  ['tls-failed', 502, 'tls-failed'],
  ['connection-lost', 502, 'connection-lost'],
  ['unprocessed', 502, 'connection-lost'],
  ['invalid-response', 502, 'invalid-response'],
  ['timeout', 504, 'backend-timeout'],
  ['invalid-request', 400, 'bad-request'],
] as const)('an exchange that fails before its answer (%s) becomes a %i', async ([kind, status, why]) => {
  await start()
  const client = await rig.client()
  client.write(get())
  ;(await rig.next()).fail(kind)
  const { head, body } = await client.message()
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*^landfall-reason: ${why}\r$`, 'ms'))
  expect(body).toBe(`${status} ${why}\n`)
})

test('a chunked answer that fails has no end', async () => {
  await start()
  const client = await rig.client()
  client.write(get())
  const asked = await rig.next()
  asked.sink.head(200, 'OK', [])
  asked.sink.data(Buffer.from('one'))
  await client.until('one\r\n')
  asked.fail('connection-lost')
  expect(await client.rest()).toBe('')
  expect(rig.frontEnd.counters).toMatchObject({ broken: 1, active: 0, abandoned: 0 })
})

test('an answer that fails in the turn in which it began has no end', async () => {
  await start()
  const client = await rig.client()
  client.write(get())
  const asked = await rig.next()
  asked.sink.head(200, 'OK', [])
  asked.sink.data(Buffer.from('one'))
  asked.fail('connection-lost')
  expect(await client.rest()).not.toContain('0\r\n\r\n')
})

test('an answer that fails, and whose end would be that of the connection, is reset', async () => {
  await start()
  const client = await rig.client()
  client.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
  const asked = await rig.next()
  asked.sink.head(200, 'OK', [])
  asked.sink.data(Buffer.from('one'))
  await client.until('one')
  asked.fail('connection-lost')
  await client.rest()
  expect(client.closed).toBe('reset')
})

test('an answer that fails over a unix socket, which knows no reset, is cut all the same', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'landfall-front-end-'))
  await start({ path: join(folder, 'socket') })
  const client = await rig.client()
  client.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
  const asked = await rig.next()
  asked.sink.head(200, 'OK', [])
  asked.sink.data(Buffer.from('one'))
  await client.until('one')
  asked.fail('connection-lost')
  expect(await client.rest()).toBe('')
  await rm(folder, { recursive: true })
})

test('an answer that is shorter than it says is cut', async () => {
  await start()
  const client = await rig.client()
  client.write(get())
  const { sink } = await rig.next()
  sink.head(200, 'OK', ['Content-Length', '4'])
  sink.data(Buffer.from('one'))
  await client.until('one')
  sink.end([])
  expect(await client.rest()).toBe('')
  expect(rig.frontEnd.counters.broken).toBe(1)
})

test('an answer that is longer than it says is cut, and not a byte of the rest passes for another answer', async () => {
  await start()
  const client = await rig.client()
  client.write(get())
  const asked = await rig.next()
  asked.sink.head(200, 'OK', ['Content-Length', '4'])
  asked.sink.data(Buffer.from('four'))
  await client.until('four')
  asked.sink.data(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))
  expect(await client.rest()).toBe('')
  expect(asked.aborted).toBe(true)
})

test('an answer waits while the client takes no more', async () => {
  await start()
  const client = await rig.client()
  client.write(get())
  const asked = await rig.next()
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

test('requests in a pipeline are handed over and answered one after the other', async () => {
  await start()
  const client = await rig.client()
  client.write(`GET /1 HTTP/1.1\r\nHost: a\r\n\r\n${post(2, 'ok')}GET /3 HTTP/1.1\r\nHost: a\r\n\r\n`)
  const first = await rig.next()
  await sleep(20)
  expect(rig.asked).toHaveLength(1)
  first.answer(200, ['Content-Length', '1'], '1')
  const second = await rig.next()
  await second.until(({ trailers }) => trailers !== undefined)
  second.answer(200, ['Content-Length', '1'], '2')
  ;(await rig.next()).answer(200, ['Content-Length', '1'], '3')
  for (const body of ['1', '2', '3']) expect((await client.message()).body).toBe(body)
  expect(second.body).toBe('ok')
})

test('a pipeline has a length at which it is cut', async () => {
  await start({ limits: { pipelined: 4 } })
  const client = await rig.client()
  client.write(get().repeat(6))
  await client.rest()
  const asked = await rig.next()
  expect(asked.aborted).toBe(true)
  expect(rig.asked).toHaveLength(1)
  await vi.waitFor(() => expect(rig.frontEnd.counters).toMatchObject({ active: 0, open: 0 }))
})

test('an upload that waits in a pipeline for longer than it can be kept is cut, for its client may have left', async () => {
  await start()
  const client = await rig.client()
  client.write(get() + post(1 << 20, 'x'.repeat(1 << 20)))
  const asked = await rig.next()
  client.socket.destroy()
  await asked.until(({ aborted }) => aborted)
})

test('an upload that does not wait long in a pipeline is served', async () => {
  await start()
  const client = await rig.client()
  client.write(get() + post(1 << 20, 'x'.repeat(1 << 20)))
  const first = await rig.next()
  await sleep(50)
  first.answer(200, ['Content-Length', '0'])
  const second = await rig.next()
  await second.until(({ trailers }) => trailers !== undefined)
  expect(second.body.length).toBe(1 << 20)
})

test('a client that closes behind its request gets its answer', async () => {
  await start()
  const client = await rig.client()
  client.write(get())
  client.socket.end()
  const asked = await rig.next()
  await sleep(150)
  expect(asked.aborted).toBe(false)
  asked.answer(200, ['Content-Length', '2'], 'ok')
  expect(await client.rest()).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK\r\n.*\r\n\r\nok$/s)
})

test('a client of HTTP/1.0 that closes behind its request gets its answer', async () => {
  await start()
  const client = await rig.client()
  client.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
  client.socket.end()
  const asked = await rig.next()
  await sleep(50)
  asked.answer(200, [], 'ok')
  expect(await client.rest()).toMatch(/^HTTP\/1.1 200 OK\r\n.*\r\n\r\nok$/s)
})

test('that a client has left while it waits for an answer is known in 50 ms', async () => {
  await start()
  const client = await rig.client()
  client.write(get())
  const asked = await rig.next()
  client.socket.destroy()
  expect(await within50ms(asked.until(({ aborted }) => aborted))).toBe(true)
  expect(rig.frontEnd.counters).toMatchObject({ abandoned: 1, active: 0 })
})

test('that a client has left while it sends is known in 50 ms', async () => {
  await start()
  const client = await rig.client()
  client.write(post(10, 'hello'))
  const asked = await rig.next()
  await asked.until(({ body }) => body === 'hello')
  client.socket.destroy()
  expect(await within50ms(asked.until(({ aborted }) => aborted))).toBe(true)
  expect(asked.trailers).toBeUndefined()
})

test('that a client has left while it is answered is known in 50 ms', async () => {
  await start()
  const client = await rig.client()
  client.write(get())
  const asked = await rig.next()
  asked.sink.head(200, 'OK', [])
  const ticking = setInterval(() => asked.sink.data(Buffer.from('tick')), 10)
  await client.until('tick')
  client.socket.destroy()
  const known = await within50ms(asked.until(({ aborted }) => aborted))
  clearInterval(ticking)
  expect(known).toBe(true)
})

test('that a client has left in the middle of an answer that pauses is known in 50 ms', async () => {
  await start()
  const client = await rig.client()
  client.write(get())
  const asked = await rig.next()
  asked.sink.head(200, 'OK', [])
  asked.sink.data(Buffer.from('tick'))
  await client.until('tick')
  client.socket.destroy()
  expect(await within50ms(asked.until(({ aborted }) => aborted))).toBe(true)
})

test('a client that closes in the middle of an answer that goes on gets the rest, and may wait for it from then on', async () => {
  await start()
  const client = await rig.client()
  client.write(get())
  const asked = await rig.next()
  asked.sink.head(200, 'OK', ['Content-Length', '12'])
  asked.sink.data(Buffer.from('tick'))
  await client.until('tick')
  client.socket.end()
  await sleep(5)
  asked.sink.data(Buffer.from('tick'))
  await sleep(150)
  asked.sink.data(Buffer.from('tick'))
  asked.sink.end([])
  expect(await client.rest()).toBe('ticktick')
})

test('a client that closes in the middle of an answer, and reads on slowly, gets the rest', async () => {
  await start()
  const client = await rig.client()
  client.write(get())
  const asked = await rig.next()
  client.socket.pause()
  asked.sink.head(200, 'OK', ['Content-Length', `${(32 << 20) + 1}`])
  asked.sink.data(Buffer.alloc(32 << 20))
  asked.sink.data(Buffer.alloc(1))
  await sleep(20)
  client.socket.end()
  await sleep(100)
  expect(asked.aborted).toBe(false)
  client.socket.resume()
  await asked.until(({ resumed }) => resumed > 0)
  asked.sink.end([])
  await client.until('\r\n\r\n')
  expect((await client.rest()).length).toBe((32 << 20) + 1)
})

test('a client that resets is known in 50 ms', async () => {
  await start()
  const client = await rig.client()
  client.write(get())
  const asked = await rig.next()
  asked.sink.head(200, 'OK', [])
  client.socket.resetAndDestroy()
  expect(await within50ms(asked.until(({ aborted }) => aborted))).toBe(true)
})

test('an upload that is answered early may be sent to its end, and another request behind it', async () => {
  await start()
  const client = await rig.client()
  client.write(post(10, 'hello'))
  const asked = await rig.next()
  asked.answer(413, ['Content-Length', '0'])
  expect((await client.message()).head).toMatch(/^HTTP\/1.1 413/)
  expect(asked.aborted).toBe(true)
  client.write(`world${get()}`)
  ;(await rig.next()).answer(200, ['Content-Length', '0'])
  expect((await client.message()).head).toMatch(/^HTTP\/1.1 200/)
  expect(rig.asked[1]?.request.path).toBe('/g')
})

test('an upload that is answered early and goes on is cut after a while', async () => {
  await start({ limits: { lingerTimeout: 50 } })
  const client = await rig.client()
  client.write(post(10, 'hello'))
  ;(await rig.next()).answer(413, ['Content-Length', '0'])
  await client.message()
  await client.rest()
  await vi.waitFor(() => expect(rig.frontEnd.counters).toMatchObject({ open: 0, active: 0 }))
})

test('a client gets to read its refusal though it still sends', async () => {
  await start()
  const client = await rig.client()
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n`)
  const sending = setInterval(() => client.write('x'.repeat(10_000)), 1)
  const { head } = await client.message()
  await sleep(50)
  clearInterval(sending)
  expect(head).toMatch(/^HTTP\/1.1 400/)
  expect(client.closed).toBe('fin')
})

test('a handler that throws costs its own request only', async () => {
  await start({
    serve: ({ request }) => {
      if (request.path === '/throw') throw new Error('a bug')
    },
  })
  const client = await rig.client()
  client.write('GET /throw HTTP/1.1\r\nHost: a\r\n\r\n')
  expect((await client.message()).head).toMatch(/^HTTP\/1.1 500 .*^landfall-reason: internal-error\r$/ms)
  expect(rig.logged.join()).toContain('a bug')
})

// Upgrades

const upgrade = (early = ''): string =>
  get('Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n') + early

/** A socket to an origin that sends back what it gets. */
async function echoSocket() {
  const { createServer } = await import('node:net')
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('data', (bytes) => socket.write(bytes))
    socket.on('end', () => socket.end())
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  const socket = connect({ port: bound !== null && typeof bound === 'object' ? bound.port : 0, host: '127.0.0.1' })
  await once(socket, 'connect')
  server.close()
  return socket
}

test('an upgrade to WebSocket joins client and origin, with what either sent early', async () => {
  await start()
  const client = await rig.client()
  client.write(upgrade('early '))
  const asked = await rig.next()
  expect(asked.request).toMatchObject({ upgrade: 'websocket', hasBody: false, method: 'GET' })
  expect(asked.request.headers).toEqual(['Sec-WebSocket-Version', '13'])
  expect(asked.request.header('upgrade')).toBe('WebSocket')
  expect(asked.trailers).toEqual([])
  client.write('bird ')
  await sleep(20)
  const socket = await echoSocket()
  asked.sink.upgraded('Switching Protocols', ['Sec-WebSocket-Accept', 'x'], socket, Buffer.from('rest '))
  expect(await client.until('\r\n\r\n')).toBe(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n',
  )
  expect(await client.until('bird ')).toBe('rest early bird ')
  client.write('late')
  expect(await client.until('late')).toBe('late')
  expect(rig.frontEnd.counters).toMatchObject({ active: 1, open: 1 })
  client.socket.end()
  await client.rest()
  await vi.waitFor(() => expect(rig.frontEnd.counters).toMatchObject({ active: 0, open: 0, abandoned: 0 }))
  expect(asked.aborted).toBe(false)
})

test('an upgrade that is refused is answered, however long the answer', async () => {
  await start()
  const client = await rig.client()
  client.write(upgrade())
  const asked = await rig.next()
  const block = Buffer.alloc(1 << 20, 'x')
  asked.sink.head(403, 'Forbidden', [])
  for (let sent = 0; sent < 8; sent++) {
    const before = asked.resumed
    if (!asked.sink.data(block)) await asked.until(({ resumed }) => resumed > before)
  }
  asked.sink.end([])
  const answer = await client.rest()
  expect(answer).toMatch(/^HTTP\/1.1 403 Forbidden\r\n.*^Connection: close\r$/ms)
  expect(answer.endsWith('\r\n0\r\n\r\n')).toBe(true)
  expect(answer.length).toBeGreaterThan(8 << 20)
})

test('that a client has left while its upgrade waits is known in 50 ms', async () => {
  await start()
  const client = await rig.client()
  client.write(upgrade())
  const asked = await rig.next()
  client.socket.destroy()
  expect(await within50ms(asked.until(({ aborted }) => aborted))).toBe(true)
})

test('an upgrade that nobody asked for is a 502', async () => {
  await start()
  const client = await rig.client()
  client.write(get())
  const asked = await rig.next()
  const socket = await echoSocket()
  asked.sink.upgraded('Switching Protocols', [], socket, Buffer.alloc(0))
  expect((await client.message()).head).toMatch(/^HTTP\/1.1 502/)
  expect(socket.destroyed).toBe(true)
})

test('an upgrade behind a request that is not answered yet is cut', async () => {
  await start()
  const client = await rig.client()
  client.write(get() + upgrade())
  await client.rest()
  expect(rig.asked.map(({ request }) => request.upgrade)).toEqual([undefined])
})

// Times

test('a head that comes a byte at a time is not waited for', async () => {
  await start({ limits: { headTimeout: 200 } })
  const client = await rig.client()
  const dripping = setInterval(() => client.write('X'), 20)
  client.write('GET / HTTP/1.1\r\n')
  const started = Date.now()
  expect((await client.message()).head).toMatch(/^HTTP\/1.1 408/)
  clearInterval(dripping)
  expect(Date.now() - started).toBeLessThan(1_500)
})

test('a later head that comes a byte at a time is not waited for either', async () => {
  await start({ serve: echoed, limits: { headTimeout: 200 } })
  const client = await rig.client()
  client.write(get())
  await client.message()
  client.write('GET / HTTP/1.1\r\n')
  const dripping = setInterval(() => client.write('X'), 20)
  expect((await client.message()).head).toMatch(/^HTTP\/1.1 408/)
  clearInterval(dripping)
})

test('a client that says nothing at all hears nothing', async () => {
  await start({ limits: { headTimeout: 100 } })
  const client = await rig.client()
  expect(await client.rest()).toBe('')
})

test('a body that stops is not waited for', async () => {
  await start({ limits: { idleTimeout: 100 } })
  const client = await rig.client()
  client.write(post(10, 'hello'))
  const asked = await rig.next()
  expect((await client.message()).head).toMatch(/^HTTP\/1.1 408/)
  expect(asked.aborted).toBe(true)
})

test('a client that does not read is not waited for', async () => {
  await start({ limits: { idleTimeout: 100 } })
  const client = await rig.client()
  client.write(get())
  const asked = await rig.next()
  client.socket.pause()
  asked.sink.head(200, 'OK', [])
  asked.sink.data(Buffer.alloc(64 << 20))
  asked.sink.data(Buffer.alloc(1))
  await asked.until(({ aborted }) => aborted)
})

test('an answer that takes its time is waited for', async () => {
  await start({ limits: { idleTimeout: 50, keepAliveTimeout: 50 } })
  const client = await rig.client()
  client.write(get())
  const asked = await rig.next()
  await sleep(200)
  asked.answer(200, ['Content-Length', '0'])
  expect((await client.message()).head).toMatch(/^HTTP\/1.1 200/)
})

test('a connection without a request is closed after a while', async () => {
  await start({ serve: echoed, limits: { keepAliveTimeout: 50 } })
  const client = await rig.client()
  client.write(get())
  await client.message()
  expect(await client.rest()).toBe('')
  await vi.waitFor(() => expect(rig.frontEnd.counters.open).toBe(0))
})

// Closing

test('closing tells the client with its next answer, and waits for what is under way', async () => {
  await start()
  const [busy, idle] = [await rig.client(), await rig.client()]
  for (const client of [busy, idle]) client.write(get())
  const [asked] = [await rig.next()]
  ;(await rig.next()).answer(200, ['Content-Length', '0'])
  await idle.message()
  const closed = rig.frontEnd.close(5_000)
  idle.write(get())
  ;(await rig.next()).answer(200, ['Content-Length', '0'])
  expect((await idle.message()).head).toMatch(/^Connection: close\r$/m)
  await idle.rest()
  asked.answer(200, ['Content-Length', '2'], 'ok')
  expect(await busy.rest()).toMatch(/^HTTP\/1.1 200 OK.*^Connection: close\r$.*ok$/ms)
  busy.socket.end()
  idle.socket.end()
  await closed
})

test('closing closes idle connections after a while, and cuts what is under way at its deadline', async () => {
  await start()
  const [idle, busy] = [await rig.client(), await rig.client()]
  idle.write(get())
  ;(await rig.next()).answer(200, ['Content-Length', '0'])
  await idle.message()
  busy.write(get())
  const asked = await rig.next()
  const started = Date.now()
  await rig.frontEnd.close(200)
  expect(Date.now() - started).toBeLessThan(1_000)
  await idle.rest()
  await busy.rest()
  expect(asked.aborted).toBe(true)
  expect(rig.frontEnd.counters).toMatchObject({ open: 0, active: 0 })
})
