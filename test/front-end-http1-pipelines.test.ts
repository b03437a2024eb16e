import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { ask, get, post, startHttp1 } from './front-end-http1-rig.ts'

test('requests in a pipeline are handed over and answered one after the other', async () => {
  const rig = await startHttp1()
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
  const rig = await startHttp1({ limits: { pipelined: 4 } })
  const client = await rig.client()
  client.write(get().repeat(6))
  await client.rest()
  const asked = await rig.next()
  expect(asked.aborted).toBe(true)
  expect(rig.asked).toHaveLength(1)
  await vi.waitFor(() => expect(rig.frontEnd.counters).toMatchObject({ active: 0, open: 0 }))
})

test('an upload that waits in a pipeline for longer than it can be kept is cut, for its client may have left', async () => {
  const { client, asked } = await ask(get() + post(1 << 20, 'x'.repeat(1 << 20)))
  client.socket.destroy()
  await asked.until(({ aborted }) => aborted)
})

test('an upload that does not wait long in a pipeline is served', async () => {
  const rig = await startHttp1()
  const client = await rig.client()
  client.write(get() + post(1 << 20, 'x'.repeat(1 << 20)))
  const first = await rig.next()
  await sleep(50)
  first.answer(200, ['Content-Length', '0'])
  const second = await rig.next()
  await second.until(({ trailers }) => trailers !== undefined)
  expect(second.body.length).toBe(1 << 20)
})

test('an upload that is answered early may be sent to its end, and another request behind it', async () => {
  const { rig, client, asked } = await ask(post(10, 'hello'))
  asked.answer(413, ['Content-Length', '0'])
  expect((await client.message()).head).toMatch(/^HTTP\/1.1 413/)
  expect(asked.aborted).toBe(true)
  client.write(`world${get()}`)
  ;(await rig.next()).answer(200, ['Content-Length', '0'])
  expect((await client.message()).head).toMatch(/^HTTP\/1.1 200/)
  expect(rig.asked[1]?.request.path).toBe('/g')
})

test('an upload that is answered early and goes on is cut after a while', async () => {
  const { rig, client, asked } = await ask(post(10, 'hello'), { limits: { lingerTimeout: 50 } })
  asked.answer(413, ['Content-Length', '0'])
  await client.message()
  await client.rest()
  await vi.waitFor(() => expect(rig.frontEnd.counters).toMatchObject({ open: 0, active: 0 }))
})
