import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Http2ClientRig, pass, post } from '../../test/http2-client-rig.ts'
import { data, FrameType, frame, goaway, headers, rstStream, settings, windowUpdate } from '../../test/http2-peer.ts'

/** What an origin may send on a stream, good and bad. */
const frames: fc.Arbitrary<(stream: number) => Buffer> = fc.oneof(
  { weight: 4, arbitrary: fc.boolean().map((end) => (stream: number) => headers(stream, [':status', '200'], end)) },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.string({ maxLength: 20 }), fc.boolean()).map(
      ([text, end]) =>
        (stream: number) =>
          data(stream, text, end),
    ),
  },
  fc.constant((stream: number) => headers(stream, ['x-sum', '1'], true)),
  fc
    .constantFrom('100', '103', '101', '999', 'x')
    .map((status) => (stream: number) => headers(stream, [':status', status])),
  fc.nat({ max: 14 }).map((code) => (stream: number) => rstStream(stream, code)),
  fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 14 })).map(
    ([last, code]) =>
      () =>
        goaway(last, code),
  ),
  fc.nat({ max: 100_000 }).map((more) => (stream: number) => windowUpdate(stream, more)),
  fc.tuple(fc.constantFrom(1, 2, 3, 4, 5, 6), fc.nat({ max: 100_000 })).map(
    ([id, value]) =>
      () =>
        settings([id, value]),
  ),
  fc.tuple(fc.nat({ max: 12 }), fc.nat({ max: 255 }), fc.uint8Array({ maxLength: 30 })).map(
    ([type, flags, bytes]) =>
      (stream: number) =>
        frame(type, flags, stream, Buffer.from(bytes)),
  ),
  fc.uint8Array({ minLength: 1, maxLength: 30 }).map((bytes) => () => Buffer.from(bytes)),
)

const actions = fc.constantFrom('write', 'end', 'abort', 'eat', 'rest')

test('whatever an origin sends, and whatever is done meanwhile, what is told is in its order, and there is an end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(frames, { minLength: 1, maxLength: 6 }), { maxLength: 3 }),
      fc.array(actions, { maxLength: 6 }),
      fc.integer({ min: 0, max: 3 }),
      async (script, acts, appetite) => {
        const rig = new Http2ClientRig()
        const origin = await rig.peer({
          heard: ({ type, stream }, connection) => {
            if (type !== FrameType.headers) return
            for (const [at, packet] of script.entries()) {
              setTimeout(() => connection.send(...packet.map((make) => make(stream))), at)
            }
            setTimeout(() => connection.socket.destroy(), 4)
          },
        })
        const client = rig.client()
        const sent = [rig.open(client, origin, post), rig.open(client, origin)]
        for (const { record } of sent) if (appetite > 0) record.appetite = appetite
        for (const act of acts) {
          for (const { exchange, record } of sent) {
            if (act === 'write') exchange.write(Buffer.from('hello'))
            if (act === 'end') exchange.end(['x-a', '1'])
            if (act === 'eat') record.eat(exchange, 1)
            if (act !== 'abort') continue
            exchange.abort()
            record.silence()
          }
          if (act === 'rest') await pass(1)
          if (act === 'abort' || act === 'end') break
        }
        const aborted = acts.includes('abort')
        while (!aborted && sent.some(({ record }) => record.trailers === undefined && record.error === undefined)) {
          for (const { exchange, record } of sent) record.eat(exchange)
          await pass(1)
        }
        if (aborted) await pass(8)
        expect(rig.close()).toEqual([])
      },
    ),
    { numRuns: 150 },
  )
})
