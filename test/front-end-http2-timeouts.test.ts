import { once } from 'node:events'
import { constants } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { answerOf, client, get, good, post, startHttp2, wire } from './front-end-http2-rig.ts'
import { echoed } from './front-end-rig.ts'
import { FrameType, fieldBlock } from './http2-wire.ts'

test('a client that opens no stream is closed after a while', async () => {
  const rig = await startHttp2({ limits: { headTimeout: 50 } })
  const session = await wire(rig)
  await session.end()
  await vi.waitFor(() => expect(rig.frontEnd.counters.open).toBe(0))
})

test('a client that begins a head and does not end it is closed after a while', async () => {
  const rig = await startHttp2({ limits: { headTimeout: 100 } })
  const session = await wire(rig)
  session.send(FrameType.headers, 0, 1, fieldBlock(good))
  const dripping = setInterval(() => session.send(FrameType.continuation, 0, 1, fieldBlock([['x', 'y']])), 20)
  await session.end()
  clearInterval(dripping)
})

test('a connection without a stream is closed after a while, whatever else is sent on it', async () => {
  const rig = await startHttp2({ serve: echoed, limits: { keepAliveTimeout: 100 } })
  const session = await wire(rig)
  session.request(1, good)
  const pinging = setInterval(() => session.send(FrameType.ping, 0, 0, Buffer.alloc(8)), 20)
  const goAway = await session.frame(FrameType.goAway, 0)
  clearInterval(pinging)
  expect(goAway.payload.readUInt32BE(4)).toBe(constants.NGHTTP2_NO_ERROR)
  expect(goAway.payload.readUInt32BE(0)).toBe(1)
})

test('a client that does not close its connection when it is asked to is closed', async () => {
  const rig = await startHttp2({ serve: echoed, limits: { keepAliveTimeout: 50, lingerTimeout: 50 } })
  const session = await wire(rig)
  session.socket.allowHalfOpen = true
  session.request(1, good)
  await session.frame(FrameType.goAway, 0)
  await vi.waitFor(() => expect(rig.frontEnd.counters.open).toBe(0))
})

test('a body that stops is not waited for', async () => {
  const rig = await startHttp2({ limits: { idleTimeout: 50 } })
  const session = await client(rig)
  const stream = session.request(post)
  stream.write('half')
  const asked = await rig.next()
  expect(await answerOf(stream)).toMatchObject({ reset: constants.NGHTTP2_CANCEL })
  expect(asked.aborted).toBe(true)
})

test('a client that does not read is not waited for', async () => {
  const rig = await startHttp2({ limits: { idleTimeout: 50 } })
  const session = await client(rig)
  const stream = session.request(get)
  stream.on('error', () => {})
  const asked = await rig.next()
  asked.sink.head(200, '', [])
  await once(stream, 'response')
  asked.sink.data(Buffer.alloc(4 << 20))
  await asked.until(({ aborted }) => aborted)
})

test('an answer that takes its time is waited for', async () => {
  const rig = await startHttp2({ limits: { idleTimeout: 30, keepAliveTimeout: 30 } })
  const session = await client(rig)
  const stream = session.request(get)
  const asked = await rig.next()
  await sleep(150)
  asked.answer(200, [], 'ok')
  expect(await answerOf(stream)).toMatchObject({ status: 200, body: 'ok' })
})
