import { expect, test } from 'vitest'
import { get, startHttp1 } from './front-end-http1-rig.ts'

test('closing tells the client with its next answer, and waits for what is under way', async () => {
  const rig = await startHttp1()
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
  const rig = await startHttp1()
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
