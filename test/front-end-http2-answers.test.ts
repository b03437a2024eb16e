import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { answerOf, client, get, path, startHttp2, wire } from './front-end-http2-rig.ts'
import { Flag, FrameType } from './http2-wire.ts'

test('an answer passes as it is, but for what HTTP/2 does not have', async () => {
  const rig = await startHttp2()
  const session = await client(rig)
  const stream = session.request(get)
  const date = 'Mon, 23 Nov 2026 09:00:00 GMT'
  const { sink } = await rig.next()
  sink.head(299, 'Fine', ['Set-Cookie', 'a', 'set-cookie', 'b', 'DATE', date, 'X', '\xe9', 'Content-Length', '4'])
  sink.data(Buffer.from('bo'))
  sink.data(Buffer.from('dy'))
  sink.end([])
  expect(await answerOf(stream)).toEqual({
    status: 299,
    lines: ['set-cookie', 'a', 'set-cookie', 'b', 'date', date, 'x', '\xe9', 'content-length', '4'],
    body: 'body',
    trailers: [],
    reset: undefined,
  })
})

test('an answer that comes at once goes out in two frames, and one without a body in one', async () => {
  const rig = await startHttp2({
    serve: (asked) =>
      queueMicrotask(() => asked.answer(200, ['content-length', '2'], asked.request.path === '/body' ? 'ok' : '')),
  })
  const session = await wire(rig)
  session.request(1, path('/body'))
  const data = await session.frame(FrameType.data, 1)
  expect(data).toMatchObject({ flags: Flag.endStream })
  expect(data.payload.toString()).toBe('ok')
})

test('an answer without a date gets one, and its head does not wait for its body', async () => {
  const rig = await startHttp2()
  const session = await client(rig)
  const stream = session.request(get)
  const { sink } = await rig.next()
  sink.head(200, '', [])
  const [headers] = await once(stream, 'response')
  expect(headers.date).toMatch(/ GMT$/)
  const answer = answerOf(stream)
  sink.data(Buffer.from('one'))
  await sleep(10)
  sink.data(Buffer.from('two'))
  sink.end(['X-Sum', '6', 'Content-Length', '6', 'X-Sum', '7', 'Connection', 'close'])
  expect(await answer).toMatchObject({ body: 'onetwo', trailers: ['x-sum', '6', 'x-sum', '7'] })
})

test('an answer of head and trailers alone passes', async () => {
  const rig = await startHttp2()
  const session = await client(rig)
  const stream = session.request(get)
  const { sink } = await rig.next()
  sink.head(200, '', ['Content-Type', 'application/grpc'])
  sink.end(['grpc-status', '5'])
  expect(await answerOf(stream)).toMatchObject({ status: 200, body: '', trailers: ['grpc-status', '5'] })
})

test.for<[string, string, number, readonly string[]]>([
  ['HEAD with a length', 'HEAD', 200, ['content-length', '99']],
  ['HEAD without one', 'HEAD', 200, []],
  ['304 with a length', 'GET', 304, ['content-length', '99']],
  ['204', 'GET', 204, ['content-length', '0']],
  ['205', 'GET', 205, []],
])('%s has no body', async ([name, method, status, headers]) => {
  const rig = await startHttp2()
  const session = await client(rig)
  for (const pause of [0, 10]) {
    const stream = session.request({ ...get, ':method': method })
    const answered = answerOf(stream)
    const { sink } = await rig.next()
    sink.head(status, '', headers)
    if (pause > 0) await sleep(pause)
    sink.end([])
    const answer = await answered
    expect(answer).toMatchObject({ status, body: '', reset: undefined })
    expect(answer.lines.includes('content-length')).toBe(name.includes('with a'))
  }
})

test('an answer waits while the client takes no more', async () => {
  const rig = await startHttp2()
  const session = await client(rig)
  const stream = session.request(get)
  const asked = await rig.next()
  const block = Buffer.alloc(64 << 10)
  const blocks = 64
  asked.sink.head(200, '', [])
  let sent = 0
  const fill = () => {
    while (sent < blocks) {
      sent++
      if (!asked.sink.data(block)) return
    }
  }
  fill()
  await sleep(50)
  expect(sent).toBeLessThan(8)
  const answer = answerOf(stream)
  while (sent < blocks) {
    const before = asked.resumed
    await asked.until(({ resumed }) => resumed > before)
    fill()
  }
  asked.sink.end([])
  expect((await answer).body.length).toBe(blocks * block.length)
})

test('hints come before the answer', async () => {
  const rig = await startHttp2()
  const session = await client(rig)
  const stream = session.request(get)
  const asked = await rig.next()
  asked.sink.informational(103, ['Link', '</a.css>', 'Link', '</b.css>'])
  const [headers] = await once(stream, 'headers')
  expect(headers).toMatchObject({ ':status': 103, link: '</a.css>, </b.css>' })
  asked.answer(200, [])
  expect(await answerOf(stream)).toMatchObject({ status: 200 })
})
