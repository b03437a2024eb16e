import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ask, get, post, startHttp1 } from './front-end-http1-rig.ts'
import { within50ms } from './front-end-rig.ts'

test('a client that closes behind its request gets its answer', async () => {
  const rig = await startHttp1()
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
  const rig = await startHttp1()
  const client = await rig.client()
  client.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
  client.socket.end()
  const asked = await rig.next()
  await sleep(50)
  asked.answer(200, [], 'ok')
  expect(await client.rest()).toMatch(/^HTTP\/1.1 200 OK\r\n.*\r\n\r\nok$/s)
})

test('that a client has left while it waits for an answer is known in 50 ms', async () => {
  const { rig, client, asked } = await ask()
  client.socket.destroy()
  expect(await within50ms(asked.until(({ aborted }) => aborted))).toBe(true)
  expect(rig.frontEnd.counters).toMatchObject({ abandoned: 1, active: 0 })
})

test('that a client has left while it sends is known in 50 ms', async () => {
  const { client, asked } = await ask(post(10, 'hello'))
  await asked.until(({ body }) => body === 'hello')
  client.socket.destroy()
  expect(await within50ms(asked.until(({ aborted }) => aborted))).toBe(true)
  expect(asked.trailers).toBeUndefined()
})

test('that a client has left while it is answered is known in 50 ms', async () => {
  const { client, asked } = await ask()
  asked.sink.head(200, 'OK', [])
  const ticking = setInterval(() => asked.sink.data(Buffer.from('tick')), 10)
  await client.until('tick')
  client.socket.destroy()
  const known = await within50ms(asked.until(({ aborted }) => aborted))
  clearInterval(ticking)
  expect(known).toBe(true)
})

test('that a client has left in the middle of an answer that pauses is known in 50 ms', async () => {
  const { client, asked } = await ask()
  asked.sink.head(200, 'OK', [])
  asked.sink.data(Buffer.from('tick'))
  await client.until('tick')
  client.socket.destroy()
  expect(await within50ms(asked.until(({ aborted }) => aborted))).toBe(true)
})

test('a client that closes in the middle of an answer that goes on gets the rest, and may wait for it from then on', async () => {
  const { client, asked } = await ask()
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
  const { client, asked } = await ask()
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
  const { client, asked } = await ask()
  asked.sink.head(200, 'OK', [])
  client.socket.resetAndDestroy()
  expect(await within50ms(asked.until(({ aborted }) => aborted))).toBe(true)
})
