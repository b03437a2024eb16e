import { constants } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { client, get, good, startHttp2, wire } from './front-end-http2-rig.ts'
import { type Asked, within50ms } from './front-end-rig.ts'
import { FrameType } from './http2-wire.ts'

test.for([
  ['CANCEL', constants.NGHTTP2_CANCEL],
  ['NO_ERROR', constants.NGHTTP2_NO_ERROR],
] as const)(
  'a request that is reset (%s) while its body comes is known in 50 ms, and never passes for whole',
  async ([, code]) => {
    const rig = await startHttp2()
    const session = await wire(rig)
    session.request(1, [[':method', 'POST'], ...good.slice(1)], 0).send(FrameType.data, 0, 1, Buffer.from('half'))
    const asked = await rig.next()
    await asked.until(({ body }) => body === 'half')
    const payload = Buffer.alloc(4)
    payload.writeUInt32BE(code)
    session.send(FrameType.resetStream, 0, 1, payload)
    expect(await within50ms(asked.until(({ aborted }) => aborted))).toBe(true)
    expect(asked.trailers).toBeUndefined()
    expect(rig.frontEnd.counters).toMatchObject({ abandoned: 1, active: 0 })
  },
)

test('that a client has left with half a body that nobody has taken yet does not make it whole', async () => {
  const rig = await startHttp2()
  const session = await wire(rig)
  session.request(1, [[':method', 'POST'], ...good.slice(1)], 0).send(FrameType.data, 0, 1, Buffer.from('one'))
  const asked = await rig.next()
  asked.takes = false
  await asked.until(({ received }) => received.length === 1)
  session.send(FrameType.data, 0, 1, Buffer.from('two')).send(FrameType.resetStream, 0, 1, Buffer.alloc(4))
  await sleep(20)
  asked.sink.drain()
  await asked.until(({ aborted }) => aborted)
  expect(asked.trailers).toBeUndefined()
})

test.for<[string, (asked: Asked) => void]>([
  ['while it waits for the answer', () => {}],
  ['while it is answered', ({ sink }) => sink.head(200, '', [])],
])('that a client has left %s is known in 50 ms', async ([, begin]) => {
  const rig = await startHttp2()
  const session = await client(rig)
  const streams = [session.request(get), session.request(get)]
  for (const stream of streams) stream.on('error', () => {})
  const asked = [await rig.next(), await rig.next()]
  for (const one of asked) begin(one)
  await sleep(20)
  streams[0]?.close(constants.NGHTTP2_CANCEL)
  expect(await within50ms(asked[0]?.until(({ aborted }) => aborted) ?? Promise.resolve())).toBe(true)
  expect(asked[1]?.aborted).toBe(false)
  session.destroy()
  expect(await within50ms(asked[1]?.until(({ aborted }) => aborted) ?? Promise.resolve())).toBe(true)
  await vi.waitFor(() => expect(rig.frontEnd.counters).toMatchObject({ abandoned: 2, active: 0, open: 0 }))
})
