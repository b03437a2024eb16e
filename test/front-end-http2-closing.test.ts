import { expect, test } from 'vitest'
import { client, get, good, startHttp2, wire } from './front-end-http2-rig.ts'
import { Flag, FrameType } from './http2-wire.ts'

test('closing serves streams that are on their way, then names the last, and waits for it', async () => {
  const rig = await startHttp2()
  const session = await wire(rig)
  session.request(1, good)
  const first = await rig.next()
  session.frames.splice(0)
  const closed = rig.frontEnd.close(5_000)
  const announced = await session.frame(FrameType.goAway, 0)
  expect(announced.payload.readUInt32BE(0)).toBe(2 ** 31 - 1)
  // Sent before the GOAWAY could be heard of.
  session.request(3, good)
  const second = await rig.next()
  const ping = await session.frame(FrameType.ping, 0)
  session.frames.splice(0)
  session.send(FrameType.ping, Flag.ack, 0, ping.payload)
  const final = await session.frame(FrameType.goAway, 0)
  expect(final.payload.readUInt32BE(0)).toBe(3)
  first.answer(200, [], 'ok')
  second.answer(200, [], 'ok')
  await closed
  expect(session.frames.filter(({ flags, type }) => type === FrameType.data && flags === Flag.endStream)).toHaveLength(
    2,
  )
})

test('closing cuts what is under way at its deadline', async () => {
  const rig = await startHttp2()
  const session = await client(rig)
  session.request(get).on('error', () => {})
  const asked = await rig.next()
  const started = Date.now()
  await rig.frontEnd.close(100)
  expect(Date.now() - started).toBeLessThan(1_000)
  expect(asked.aborted).toBe(true)
  expect(rig.frontEnd.counters).toMatchObject({ open: 0, active: 0 })
})
