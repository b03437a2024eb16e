import { once } from 'node:events'
import type { OutgoingHttpHeaders } from 'node:http2'
import { expect, test, vi } from 'vitest'
import { answerOf, client, post, startHttp2 } from './front-end-http2-rig.ts'

// The four shapes of a call. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

const call: OutgoingHttpHeaders = { ...post, 'content-type': 'application/grpc', te: 'trailers' }
const message = (text: string): Buffer => Buffer.concat([Buffer.of(0, 0, 0, 0, text.length), Buffer.from(text)])

test('a call of one message each way', async () => {
  const rig = await startHttp2()
  const session = await client(rig)
  const stream = session.request(call)
  stream.end(message('ping'))
  const asked = await rig.next()
  await asked.until(({ trailers }) => trailers !== undefined)
  expect(asked.body).toBe(message('ping').toString('latin1'))
  asked.sink.head(200, '', ['content-type', 'application/grpc'])
  asked.sink.data(message('pong'))
  asked.sink.end(['grpc-status', '0', 'grpc-message', ''])
  expect(await answerOf(stream)).toMatchObject({
    body: message('pong').toString('latin1'),
    trailers: ['grpc-status', '0', 'grpc-message', ''],
    reset: undefined,
  })
})

test('a call with a stream of answers', async () => {
  const rig = await startHttp2()
  const session = await client(rig)
  const stream = session.request(call)
  stream.end(message('go'))
  const asked = await rig.next()
  asked.sink.head(200, '', [])
  for (const text of ['one', 'two', 'three']) {
    asked.sink.data(message(text))
    const [chunk] = await once(stream, 'data')
    expect(chunk).toEqual(message(text))
  }
  const answer = answerOf(stream)
  asked.sink.end(['grpc-status', '0'])
  expect(await answer).toMatchObject({ trailers: ['grpc-status', '0'] })
})

test('a call with a stream of requests', async () => {
  const rig = await startHttp2()
  const session = await client(rig)
  const stream = session.request(call)
  let sent = ''
  stream.write(message('one'))
  const asked = await rig.next()
  for (const text of ['one', 'two', 'three']) {
    if (text !== 'one') stream.write(message(text))
    sent += message(text).toString('latin1')
    await asked.until(({ body }) => body === sent)
  }
  stream.end()
  await asked.until(({ trailers }) => trailers !== undefined)
  asked.sink.head(200, '', [])
  asked.sink.end(['grpc-status', '0'])
  expect(await answerOf(stream)).toMatchObject({ trailers: ['grpc-status', '0'] })
})

test('a call with streams both ways', async () => {
  const rig = await startHttp2()
  const session = await client(rig)
  const stream = session.request(call)
  stream.write(message('0'))
  const asked = await rig.next()
  asked.sink.head(200, '', [])
  for (let round = 0; round < 5; round++) {
    await asked.until(({ received }) => received.length === round + 1)
    asked.sink.data(message(`${round}`))
    const [chunk] = await once(stream, 'data')
    expect(chunk).toEqual(message(`${round}`))
    if (round < 4) stream.write(message(`${round + 1}`))
  }
  stream.end()
  await asked.until(({ trailers }) => trailers !== undefined)
  const answer = answerOf(stream)
  asked.sink.end(['grpc-status', '0'])
  expect(await answer).toMatchObject({ trailers: ['grpc-status', '0'], reset: undefined })
})

test('a call whose answer ends before its requests do', async () => {
  const rig = await startHttp2({ limits: { lingerTimeout: 50 } })
  const session = await client(rig)
  const stream = session.request(call)
  stream.write(message('one'))
  const asked = await rig.next()
  await asked.until(({ received }) => received.length > 0)
  asked.sink.head(200, '', [])
  asked.sink.end(['grpc-status', '8'])
  stream.write(message('two'))
  const answer = await answerOf(stream)
  expect(answer).toMatchObject({ status: 200, trailers: ['grpc-status', '8'], reset: undefined })
  expect(asked.aborted).toBe(true)
  await vi.waitFor(() => expect(rig.frontEnd.counters.active).toBe(0))
})
