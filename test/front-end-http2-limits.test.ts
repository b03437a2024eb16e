import { constants } from 'node:http2'
import { expect, test, vi } from 'vitest'
import { good, startHttp2, wire } from './front-end-http2-rig.ts'
import { flood, floods } from './http2-floods.ts'
import { FrameType } from './http2-wire.ts'

test('no more streams are served at a time than are announced', async () => {
  const rig = await startHttp2({ limits: { streams: 3 } })
  const session = await wire(rig)
  for (const stream of [1, 3, 5, 7]) session.request(stream, good)
  const reset = await session.frame(FrameType.resetStream, 7)
  expect(reset.payload.readUInt32BE()).toBe(constants.NGHTTP2_REFUSED_STREAM)
  expect(rig.asked).toHaveLength(3)
})

test.for(floods)('a flood of %s closes the connection', async (each) => {
  const rig = await startHttp2()
  expect(await flood(await wire(rig), each, 100_000)).toBeLessThan(100_000)
  await vi.waitFor(() => expect(rig.frontEnd.counters).toMatchObject({ open: 0, active: 0 }))
  expect(rig.asked.length).toBeLessThan(2_000)
  expect(rig.asked.every(({ aborted }) => aborted)).toBe(true)
})
