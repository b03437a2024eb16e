import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { ask, get, post, startHttp1 } from './front-end-http1-rig.ts'
import { echoed } from './front-end-rig.ts'

test('a head that comes a byte at a time is not waited for', async () => {
  const rig = await startHttp1({ limits: { headTimeout: 200 } })
  const client = await rig.client()
  const dripping = setInterval(() => client.write('X'), 20)
  client.write('GET / HTTP/1.1\r\n')
  const started = Date.now()
  expect((await client.message()).head).toMatch(/^HTTP\/1.1 408/)
  clearInterval(dripping)
  expect(Date.now() - started).toBeLessThan(1_500)
})

test('a later head that comes a byte at a time is not waited for either', async () => {
  const rig = await startHttp1({ serve: echoed, limits: { headTimeout: 200 } })
  const client = await rig.client()
  client.write(get())
  await client.message()
  client.write('GET / HTTP/1.1\r\n')
  const dripping = setInterval(() => client.write('X'), 20)
  expect((await client.message()).head).toMatch(/^HTTP\/1.1 408/)
  clearInterval(dripping)
})

test('a client that says nothing at all hears nothing', async () => {
  const rig = await startHttp1({ limits: { headTimeout: 100 } })
  const client = await rig.client()
  expect(await client.rest()).toBe('')
})

test('a body that stops is not waited for', async () => {
  const { client, asked } = await ask(post(10, 'hello'), { limits: { idleTimeout: 100 } })
  expect((await client.message()).head).toMatch(/^HTTP\/1.1 408/)
  expect(asked.aborted).toBe(true)
})

test('a client that does not read is not waited for', async () => {
  const { client, asked } = await ask(get(), { limits: { idleTimeout: 100 } })
  client.socket.pause()
  asked.sink.head(200, 'OK', [])
  asked.sink.data(Buffer.alloc(64 << 20))
  asked.sink.data(Buffer.alloc(1))
  await asked.until(({ aborted }) => aborted)
})

test('an answer that takes its time is waited for', async () => {
  const { client, asked } = await ask(get(), { limits: { idleTimeout: 50, keepAliveTimeout: 50 } })
  await sleep(200)
  asked.answer(200, ['Content-Length', '0'])
  expect((await client.message()).head).toMatch(/^HTTP\/1.1 200/)
})

test('a connection without a request is closed after a while', async () => {
  const rig = await startHttp1({ serve: echoed, limits: { keepAliveTimeout: 50 } })
  const client = await rig.client()
  client.write(get())
  await client.message()
  expect(await client.rest()).toBe('')
  await vi.waitFor(() => expect(rig.frontEnd.counters.open).toBe(0))
})
