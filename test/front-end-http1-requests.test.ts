import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ask, get, post, startHttp1 } from './front-end-http1-rig.ts'

test('a request is handed over with what the engine and the next hop want to know', async () => {
  const rig = await startHttp1({ entrance: { port: 8080, scheme: 'https' } })
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
  const rig = await startHttp1()
  const client = await rig.client()
  client.write(
    'POST / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Forwarded-For, Content-Length, Authorization\r\n' +
      'X-Forwarded-For: 192.0.2.1\r\nAuthorization: x\r\nContent-Length: 2\r\n\r\nok',
  )
  const { request } = await rig.next()
  expect(request.headers).toEqual(['X-Forwarded-For', '192.0.2.1', 'Content-Length', '2'])
})

test('a body passes as it comes, and its trailers but for those that belong into a head', async () => {
  const { client, asked } = await ask('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n')
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
  const { asked } = await ask(post(0))
  const { request, trailers } = asked
  expect(request.hasBody).toBe(false)
  expect(request.headers).toEqual(['Content-Length', '0'])
  expect(trailers).toEqual([])
})

test('an upload waits while the exchange takes no more', async () => {
  const rig = await startHttp1()
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
  const rig = await startHttp1()
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
  const rig = await startHttp1({ serve: (asked) => queueMicrotask(() => asked.answer(404, ['Content-Length', '0'])) })
  const client = await rig.client()
  client.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n')
  const { head } = await client.message()
  expect(head).toMatch(/^HTTP\/1.1 404 .*^Connection: close\r$/ms)
  expect((await rig.next()).aborted).toBe(true)
})

test('a client gets to read its refusal though it still sends', async () => {
  const rig = await startHttp1()
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
  const rig = await startHttp1({
    serve: ({ request }) => {
      if (request.path === '/throw') throw new Error('a bug')
    },
  })
  const client = await rig.client()
  client.write('GET /throw HTTP/1.1\r\nHost: a\r\n\r\n')
  expect((await client.message()).head).toMatch(/^HTTP\/1.1 500 .*^landfall-reason: internal-error\r$/ms)
  expect(rig.logged.join()).toContain('a bug')
})
