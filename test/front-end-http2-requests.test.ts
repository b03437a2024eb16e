import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { answerOf, client, get, post, startHttp2 } from './front-end-http2-rig.ts'
import { echoed } from './front-end-rig.ts'

test('a request is handed over with what the engine and the next hop want to know', async () => {
  const rig = await startHttp2({ entrance: { port: 8443, scheme: 'https' } })
  const session = await client(rig)
  session.request({
    ...get,
    'x-a': ['1', '2'],
    cookie: ['a=b', 'c=d', 'e=f'],
    te: 'trailers',
    'landfall-origin': 'x',
    'proxy-authorization': 'Basic x',
    'x-latin': 'caf\xe9',
    host: 'shop.example:8080',
  })
  const { request, trailers } = await rig.next()
  expect(request).toMatchObject({
    version: 'HTTP/2',
    method: 'GET',
    target: '/g?q=1',
    path: '/g',
    query: 'q=1',
    authority: 'Shop.Example:8080',
    port: 8443,
    scheme: 'https',
    hasBody: false,
    upgrade: undefined,
    peer: { address: '192.0.2.7' },
  })
  expect(request.headers).toEqual([
    'x-a',
    '1',
    'x-a',
    '2',
    'te',
    'trailers',
    'x-latin',
    'caf\xe9',
    'cookie',
    'a=b; c=d; e=f',
  ])
  expect(request.header('x-a')).toBe('1,2')
  expect(request.header('cookie')).toBe('a=b; c=d; e=f')
  expect(request.header('host')).toBe('Shop.Example:8080')
  expect(request.header('x-b')).toBeUndefined()
  expect(trailers).toEqual([])
})

test('a body passes as it comes, and its trailers but for those that belong into a head', async () => {
  const rig = await startHttp2()
  const session = await client(rig)
  const stream = session.request(post, { waitForTrailers: true })
  stream.on('wantTrailers', () =>
    stream.sendTrailers({ 'x-sum': '6', host: 'b', 'landfall-host': 'b', authorization: 'x', 'content-length': '6' }),
  )
  stream.write('one')
  const asked = await rig.next()
  expect(asked.request.hasBody).toBe(true)
  await asked.until(({ body }) => body === 'one')
  stream.end('two')
  await asked.until(({ trailers }) => trailers !== undefined)
  expect(asked.body).toBe('onetwo')
  expect(asked.trailers).toEqual(['x-sum', '6'])
})

test('an upload waits while the exchange takes no more', async () => {
  const rig = await startHttp2()
  const session = await client(rig)
  const stream = session.request(post)
  const size = 16 << 20
  stream.end(Buffer.alloc(size))
  const asked = await rig.next()
  asked.takes = false
  await asked.until(({ received }) => received.length > 0)
  await sleep(100)
  const held = Buffer.concat(asked.received).length
  expect(held).toBeLessThan(1 << 20)
  asked.takes = true
  asked.sink.drain()
  await asked.until(({ trailers }) => trailers !== undefined)
  expect(asked.received.reduce((sum, { length }) => sum + length, 0)).toBe(size)
})

test('a client that waits with its body is asked for it, unless it is answered at once', async () => {
  const rig = await startHttp2({
    serve: (asked) => {
      if (asked.request.path === '/no') queueMicrotask(() => asked.answer(404, []))
      else echoed(asked)
    },
  })
  const session = await client(rig)
  const stream = session.request({ ...post, expect: '100-continue' })
  await once(stream, 'continue')
  stream.end('ok')
  expect(await answerOf(stream)).toMatchObject({ status: 200, body: 'POST /p ok' })
  expect(rig.asked[0]?.request.headers).toEqual([])

  const refused = session.request({ ...post, ':path': '/no', expect: '100-continue' })
  let continued = false
  refused.on('continue', () => {
    continued = true
  })
  const answer = answerOf(refused)
  await once(refused, 'response')
  refused.end()
  expect(await answer).toMatchObject({ status: 404 })
  expect(continued).toBe(false)
})
