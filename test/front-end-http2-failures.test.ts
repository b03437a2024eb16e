import { constants } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { answerOf, client, get, good, path, startHttp2, wire } from './front-end-http2-rig.ts'
import type { Asked } from './front-end-rig.ts'
import { Flag, FrameType, fieldBlock, frame } from './http2-wire.ts'

test.for([
  ['overloaded', 503, 'overloaded'],
  ['timeout', 504, 'backend-timeout'],
  ['connect-failed', 502, 'connect-failed'],
] as const)('an exchange that fails before its answer (%s) becomes a %i', async ([kind, status, why]) => {
  const rig = await startHttp2()
  const session = await client(rig)
  const stream = session.request(get)
  ;(await rig.next()).fail(kind)
  const answer = await answerOf(stream)
  expect(answer).toMatchObject({ status, body: `${status} ${why}\n`, reset: undefined })
  expect(answer.lines).toContain('landfall-reason')
})

test.for<[string, readonly string[], (asked: Asked) => void | Promise<void>]>([
  ['that fails', [], (asked) => sleep(20).then(() => asked.fail('connection-lost'))],
  [
    'of a known length that fails',
    ['content-length', '5'],
    (asked) => sleep(20).then(() => asked.fail('connection-lost')),
  ],
  ['that is shorter than it says', ['content-length', '5'], (asked) => sleep(20).then(() => asked.sink.end([]))],
  ['that is at once shorter than it says', ['content-length', '5'], (asked) => asked.sink.end([])],
  ['that is longer than it says', ['content-length', '5'], (asked) => void asked.sink.data(Buffer.from('longer'))],
])('an answer %s is reset, and never ends', async ([, headers, fail]) => {
  const rig = await startHttp2()
  const session = await wire(rig)
  session.request(1, good)
  const asked = await rig.next()
  asked.sink.head(200, '', headers)
  asked.sink.data(Buffer.from('abc'))
  await fail(asked)
  const reset = await session.frame(FrameType.resetStream, 1)
  expect(reset.payload.readUInt32BE()).toBe(constants.NGHTTP2_INTERNAL_ERROR)
  const ends = session.frames.filter(({ stream, flags }) => stream === 1 && (flags & Flag.endStream) !== 0)
  expect(ends).toEqual([])
  expect(rig.frontEnd.counters).toMatchObject({ broken: 1, active: 0, abandoned: 0 })
})

test('an answer that breaks off in the breath in which its request ends is reset', async () => {
  const rig = await startHttp2({
    serve: ({ request }) => {
      if (request.path === '/second') rig.asked[0]?.fail('connection-lost')
    },
  })
  const session = await wire(rig)
  session.request(1, [[':method', 'POST'], ...good.slice(1)], 0).send(FrameType.data, 0, 1, Buffer.from('half'))
  const first = await rig.next()
  await first.until(({ body }) => body === 'half')
  first.sink.head(200, '', [])
  first.sink.data(Buffer.from('half'))
  await session.frame(FrameType.data, 1)
  // In one segment, so that the first request ends in the same breath in which its answer breaks off.
  const second = frame(FrameType.headers, Flag.endHeaders | Flag.endStream, 3, fieldBlock(path('/second')))
  session.socket.write(Buffer.concat([second, frame(FrameType.data, Flag.endStream, 1)]))
  const reset = await session.frame(FrameType.resetStream, 1)
  expect(reset.payload.readUInt32BE()).toBe(constants.NGHTTP2_INTERNAL_ERROR)
})

test('an answer that fails before any of it was sent becomes a 502', async () => {
  const rig = await startHttp2()
  const session = await client(rig)
  const stream = session.request(get)
  const asked = await rig.next()
  asked.sink.head(200, '', ['content-length', '5'])
  asked.sink.data(Buffer.from('abc'))
  asked.fail('connection-lost')
  expect(await answerOf(stream)).toMatchObject({ status: 502, body: '502 connection-lost\n' })
})

test.for<[string, number, readonly string[]]>([
  ['a name that is none', 200, ['X Y', 'a']],
  ['a field of the connection', 200, ['Transfer-Encoding', 'chunked']],
  ['a status that is none', 99, []],
  ['a status beyond all', 600, []],
  ['two lengths', 200, ['Content-Length', '1', 'content-length', '1']],
])('an answer with %s becomes a 502', async ([, status, headers]) => {
  const rig = await startHttp2()
  const session = await client(rig)
  const stream = session.request(get)
  const asked = await rig.next()
  asked.sink.head(status, '', headers)
  expect(await answerOf(stream)).toMatchObject({ status: 502, body: '502 invalid-response\n' })
  expect(asked.aborted).toBe(true)
})

test('a handler that throws costs its own request only', async () => {
  const rig = await startHttp2({
    serve: ({ request }) => {
      if (request.path === '/throw') throw new Error('a bug')
    },
  })
  const session = await client(rig)
  expect(await answerOf(session.request({ ':path': '/throw', ':authority': 'a' }))).toMatchObject({ status: 500 })
  expect(rig.logged.join()).toContain('a bug')
})
