import { constants } from 'node:http2'
import { createServer } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Http2ClientRig, pass, post } from '../../test/http2-client-rig.ts'
import {
  data,
  type Frame,
  FrameType,
  frame,
  goaway,
  headers,
  type PeerConnection,
  rstStream,
  SettingId,
  settings,
  windowUpdate,
} from '../../test/http2-peer.ts'
import type { ExchangeFault } from '../exchange.ts'

let rig: Http2ClientRig
beforeEach(() => {
  rig = new Http2ClientRig()
})
afterEach(() => {
  expect(rig.close()).toEqual([])
})

const ok = (stream: number, end = false): Buffer => headers(stream, [':status', '200'], end)

/** Does something for each request's head. */
const onRequest =
  (answer: (connection: PeerConnection, stream: number) => void) =>
  ({ type, stream }: Frame, connection: PeerConnection): void => {
    if (type === FrameType.headers) answer(connection, stream)
  }

const many = (count: number): string[] => Array.from({ length: count }, (_, at) => [`x-${at}`, 'v']).flat()

test.for<[string, kind: ExchangeFault, unheard: boolean, (connection: PeerConnection, stream: number) => void]>([
  [
    'refuses a stream',
    'unprocessed',
    true,
    (peer, stream) => peer.send(rstStream(stream, constants.NGHTTP2_REFUSED_STREAM)),
  ],
  [
    'resets a stream before the answer',
    'connection-lost',
    true,
    (peer, stream) => peer.send(rstStream(stream, constants.NGHTTP2_CANCEL)),
  ],
  [
    'has an error of its own',
    'connection-lost',
    true,
    (peer, stream) => peer.send(rstStream(stream, constants.NGHTTP2_INTERNAL_ERROR)),
  ],
  [
    'resets a stream within the body',
    'connection-lost',
    false,
    (peer, stream) => peer.send(ok(stream), data(stream, 'a'), rstStream(stream, constants.NGHTTP2_CANCEL)),
  ],
  [
    'resets a stream before the answer as if nothing were wrong',
    'connection-lost',
    true,
    (peer, stream) => peer.send(rstStream(stream, constants.NGHTTP2_NO_ERROR)),
  ],
  [
    'resets a stream within a body of known length as if nothing were wrong',
    'connection-lost',
    false,
    (peer, stream) =>
      peer.send(
        headers(stream, [':status', '200', 'content-length', '2']),
        data(stream, 'a'),
        rstStream(stream, constants.NGHTTP2_NO_ERROR),
      ),
  ],
  [
    'refuses a stream that it has answered',
    'connection-lost',
    false,
    (peer, stream) => peer.send(ok(stream), rstStream(stream, constants.NGHTTP2_REFUSED_STREAM)),
  ],
  ['closes the connection before the answer', 'connection-lost', true, (peer) => peer.socket.end()],
  ['resets the connection before the answer', 'connection-lost', true, (peer) => peer.socket.resetAndDestroy()],
  [
    'closes the connection within the body',
    'connection-lost',
    false,
    (peer, stream) => {
      peer.send(ok(stream), data(stream, 'a'))
      setTimeout(() => peer.socket.end(), 20)
    },
  ],
  ['goes away before the stream', 'unprocessed', true, (peer) => peer.send(goaway(0, constants.NGHTTP2_NO_ERROR))],
  [
    'goes away before the stream, with an error',
    'unprocessed',
    true,
    (peer) => peer.send(goaway(0, constants.NGHTTP2_ENHANCE_YOUR_CALM)),
  ],
  [
    'goes away behind the stream, with an error',
    'connection-lost',
    true,
    (peer, stream) => peer.send(goaway(stream, constants.NGHTTP2_INTERNAL_ERROR)),
  ],
  [
    'goes away behind the stream, and then closes the connection',
    'connection-lost',
    true,
    (peer, stream) => {
      peer.send(goaway(stream, constants.NGHTTP2_NO_ERROR))
      setTimeout(() => peer.socket.end(), 20)
    },
  ],
  [
    'sends less than its Content-Length',
    'invalid-response',
    false,
    (peer, stream) => peer.send(headers(stream, [':status', '200', 'content-length', '5']), data(stream, 'a', true)),
  ],
  [
    'sends more than its Content-Length',
    'invalid-response',
    false,
    (peer, stream) => peer.send(headers(stream, [':status', '200', 'content-length', '1']), data(stream, 'abc', true)),
  ],
  [
    'has two lengths',
    'invalid-response',
    true,
    (peer, stream) =>
      peer.send(
        headers(stream, [':status', '200', 'content-length', '1', 'content-length', '2']),
        data(stream, 'a', true),
      ),
  ],
  [
    'sends a field of HTTP/1.1',
    'invalid-response',
    true,
    (peer, stream) => peer.send(headers(stream, [':status', '200', 'transfer-encoding', 'chunked'], true)),
  ],
  [
    'sends a name in upper case',
    'invalid-response',
    true,
    (peer, stream) => peer.send(headers(stream, [':status', '200', 'X-A', '1'], true)),
  ],
  ['sends no status', 'invalid-response', true, (peer, stream) => peer.send(headers(stream, ['x-a', '1'], true))],
  ['sends 101', 'invalid-response', true, (peer, stream) => peer.send(headers(stream, [':status', '101']))],
  ['sends a body without a head', 'invalid-response', true, (peer, stream) => peer.send(data(stream, 'a', true))],
  [
    'sends a body where there is none',
    'invalid-response',
    false,
    (peer, stream) => peer.send(headers(stream, [':status', '204']), data(stream, 'a', true)),
  ],
  [
    'sends trailers that do not end the stream',
    'invalid-response',
    false,
    (peer, stream) => peer.send(ok(stream), data(stream, 'a'), headers(stream, ['x-a', '1'])),
  ],
  [
    'sends too many lines',
    'invalid-response',
    true,
    (peer, stream) => peer.send(headers(stream, [':status', '200', ...many(1_001)], true)),
  ],
  [
    'sends too large a head',
    'invalid-response',
    true,
    (peer, stream) => {
      const block = Buffer.concat([...Array(5)].map(() => headers(0, ['x-a', 'v'.repeat(16_000)]).subarray(9)))
      const first = headers(stream, [':status', '200']).subarray(9)
      peer.send(frame(FrameType.headers, 1, stream, first))
      for (let at = 0; at < block.length; at += 16_384) {
        const last = at + 16_384 >= block.length
        peer.send(frame(9, last ? 4 : 0, stream, block.subarray(at, at + 16_384)))
      }
    },
  ],
  [
    'sends a frame that is none',
    'invalid-response',
    true,
    (peer) => peer.send(frame(FrameType.ping, 0, 0, Buffer.alloc(3))),
  ],
  ['opens the window too far', 'invalid-response', true, (peer, stream) => peer.send(windowUpdate(stream, 0x7fffffff))],
  ['speaks HTTP/1.1', 'invalid-response', true, (peer) => peer.send(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))],
])('an origin that %s is %s', async ([, kind, unheard, misbehave]) => {
  const origin = await rig.peer({ heard: onRequest(misbehave) })
  const { error } = await rig.ask(rig.client(), origin)
  expect(error).toMatchObject({ kind, unheard })
})

test.for<[string, fields: string[]]>([
  ['whose length is reached', ['content-length', '1']],
  ['of unknown length', []],
])('a body %s may end with RST_STREAM NO_ERROR, as servers of Node.js do', async ([, fields]) => {
  const origin = await rig.peer({
    heard: onRequest((peer, stream) => {
      peer.send(headers(stream, [':status', '200', ...fields]), data(stream, 'a'))
      setTimeout(() => peer.send(rstStream(stream, constants.NGHTTP2_NO_ERROR)), 5)
    }),
  })
  const record = await rig.ask(rig.client(), origin)
  expect([record.body, record.trailers, record.error]).toEqual(['a', [], undefined])
})

test('an answer that has no body may end so too, all in one packet', async () => {
  const origin = await rig.peer({
    heard: onRequest((peer, stream) =>
      peer.send(
        headers(stream, [':status', '200', 'content-length', '5']),
        rstStream(stream, constants.NGHTTP2_NO_ERROR),
      ),
    ),
  })
  const record = await rig.ask(rig.client(), origin, { method: 'HEAD' })
  expect([record.answer?.status, record.trailers, record.error]).toEqual([200, [], undefined])
})

test('103 is something heard, and 100 is not', async () => {
  const informed = await rig.peer({
    heard: onRequest((peer, stream) =>
      peer.send(headers(stream, [':status', '103']), rstStream(stream, constants.NGHTTP2_CANCEL)),
    ),
  })
  expect((await rig.ask(rig.client(), informed)).error?.unheard).toBe(false)
  const urged = await rig.peer({
    heard: onRequest((peer, stream) =>
      peer.send(headers(stream, [':status', '100']), rstStream(stream, constants.NGHTTP2_CANCEL)),
    ),
  })
  expect((await rig.ask(rig.client(), urged)).error?.unheard).toBe(true)
})

test('space around a value is taken off', async () => {
  const origin = await rig.peer({
    heard: onRequest((peer, stream) => peer.send(headers(stream, [':status', '200', 'x-a', ' b\t', 'x-c', ''], true))),
  })
  expect((await rig.ask(rig.client(), origin)).answer?.headers).toEqual(['x-a', 'b', 'x-c', ''])
})

test('an answer in one packet, trailers and all, is told in its order', async () => {
  const origin = await rig.peer({
    heard: onRequest((peer, stream) =>
      peer.send(
        headers(stream, [':status', '103', 'link', '</a>']),
        ok(stream),
        data(stream, 'a'),
        data(stream, 'b'),
        headers(stream, ['x-sum', '1'], true),
      ),
    ),
  })
  const record = await rig.ask(rig.client(), origin)
  expect(record.informed).toEqual([{ status: 103, headers: ['link', '</a>'] }])
  expect([record.body, record.trailers]).toEqual(['ab', ['x-sum', '1']])
})

test('the same, when the connection is gone with it', async () => {
  const origin = await rig.peer({
    heard: onRequest((peer, stream) => {
      peer.send(ok(stream), data(stream, 'a'), headers(stream, ['x-sum', '1'], true))
      peer.socket.end()
    }),
  })
  const record = await rig.ask(rig.client(), origin)
  expect([record.body, record.trailers]).toEqual(['a', ['x-sum', '1']])
})

test('whoever answers before the end of an upload is told that it was not the whole', async () => {
  const origin = await rig.peer({
    heard: onRequest((peer, stream) => peer.send(headers(stream, [':status', '413'], true))),
  })
  const { exchange, record } = rig.open(rig.client(), origin, post)
  exchange.write(Buffer.from('a'))
  expect((await record.ended()).answer?.status).toBe(413)
  const connection = origin.peer.connections[0]
  expect((await connection?.take(FrameType.rstStream))?.payload.readUInt32BE()).toBe(constants.NGHTTP2_CANCEL)
  expect(connection?.of(FrameType.data).map(({ flags }) => flags)).toEqual([0])
  expect(exchange.write(Buffer.from('b'))).toBe(true)
  exchange.end([])
  exchange.abort()
})

test('an upload that an origin needs no more ends when the origin says so', async () => {
  const origin = await rig.peer({
    heard: onRequest((peer, stream) => peer.send(ok(stream, true), rstStream(stream, constants.NGHTTP2_NO_ERROR))),
  })
  const { exchange, record } = rig.open(rig.client(), origin, post)
  exchange.write(Buffer.from('a'))
  expect((await record.ended()).error).toBeUndefined()
  expect(exchange.write(Buffer.from('b'))).toBe(true)
})

test('abort leaves the wire with CANCEL within a turn', async () => {
  const origin = await rig.peer({})
  const { exchange, record } = rig.open(rig.client(), origin, post)
  await expect.poll(() => origin.peer.connections[0]?.of(FrameType.headers).length).toBe(1)
  exchange.abort()
  record.silence()
  const at = performance.now()
  const reset = await origin.peer.connections[0]?.take(FrameType.rstStream)
  expect(performance.now() - at).toBeLessThan(50)
  expect(reset?.payload.readUInt32BE()).toBe(constants.NGHTTP2_CANCEL)
})

test('a storm of resets fails what it resets, and nothing else', async () => {
  let count = 0
  const origin = await rig.peer({
    heard: onRequest((peer, stream) => {
      count++
      if (count % 10 === 0) peer.send(ok(stream, true))
      else peer.send(rstStream(stream, constants.NGHTTP2_REFUSED_STREAM), rstStream(stream, constants.NGHTTP2_CANCEL))
    }),
  })
  const client = rig.client()
  const records = await Promise.all(Array.from({ length: 500 }, () => rig.ask(client, origin)))
  expect(records.filter(({ answer }) => answer?.status === 200).length).toBe(50)
  expect(records.filter(({ error }) => error?.kind === 'unprocessed').length).toBe(450)
})

test('an upload into a window that never opens is a timeout, and is reset', async () => {
  const origin = await rig.peer({ settings: settings([SettingId.initialWindowSize, 0]) })
  const { exchange, record } = rig.open(rig.client({ idleTimeout: 100, pingAfter: 10_000 }), origin, post)
  while (exchange.write(Buffer.alloc(16_384)) || record.drains === 0) await pass(1)
  expect((await record.ended()).error).toMatchObject({ kind: 'timeout', unheard: true })
  // What goes out before the origin's SETTINGS come.
  const sent = origin.peer.connections[0]?.of(FrameType.data) ?? []
  expect(sent.reduce((bytes, { payload }) => bytes + payload.length, 0)).toBeLessThan(65_536)
  await origin.peer.connections[0]?.take(FrameType.rstStream)
})

test('a body that stops is a timeout, and one that drips is none', async () => {
  const origin = await rig.peer({
    heard: onRequest((peer, stream) => {
      peer.send(ok(stream))
      for (let drop = 1; drop <= 5; drop++) setTimeout(() => peer.send(data(stream, 'x')), 60 * drop)
    }),
  })
  const at = performance.now()
  const record = await rig.ask(rig.client({ idleTimeout: 150 }), origin)
  expect(record.error).toMatchObject({ kind: 'timeout', unheard: false })
  expect(record.body).toBe('xxxxx')
  expect(performance.now() - at).toBeGreaterThan(400)
})

test('a port where nobody listens is connect-failed, for all who wait', async () => {
  const origin = await rig.peer({})
  origin.peer.close()
  const client = rig.client()
  const records = await Promise.all([1, 2, 3].map(() => rig.ask(client, origin)))
  for (const { error } of records) expect(error).toMatchObject({ kind: 'connect-failed', unheard: true })
  expect(rig.connects).toBe(1)
})

test('a connection that is not made in time is connect-failed', async () => {
  // Accepts, and says nothing of TLS.
  const silent = createServer().listen(0, '127.0.0.1')
  await expect.poll(() => silent.address()).toBeTruthy()
  const address = silent.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const tls = { hostname: 'a.example', authorities: '', subjectAltNames: [] }
  const origin = { endpoint: { address: '127.0.0.1', port }, tls }
  const { error } = await rig.ask(rig.client({ connectTimeout: 50 }), origin)
  expect(error).toMatchObject({ kind: 'connect-failed', unheard: true, message: 'no connection after 50 ms' })
  silent.close()
})

test('a dead origin is found out by PING, and one that is only slow is left alone', async () => {
  const limits = { pingAfter: 50, pingTimeout: 50, pingAgainAfter: 100_000 }
  const dead = await rig.peer({ answers: false })
  expect((await rig.ask(rig.client(limits), dead)).error).toMatchObject({ kind: 'connection-lost', unheard: true })
  const slow = await rig.peer({
    heard: onRequest((peer, stream) => setTimeout(() => peer.send(ok(stream, true)), 400)),
  })
  expect((await rig.ask(rig.client(limits), slow)).answer?.status).toBe(200)
  expect(slow.peer.connections[0]?.of(FrameType.ping).length).toBe(1)
})

test('a PING goes out again after the longer time only, and none without a request', async () => {
  const origin = await rig.peer({})
  const { record } = rig.open(rig.client({ pingAfter: 40, pingTimeout: 40, pingAgainAfter: 200 }), origin)
  await pass(200)
  expect(origin.peer.connections[0]?.of(FrameType.ping).length).toBe(1)
  await origin.peer.connections[0]?.take(FrameType.ping, 2)
  origin.peer.connections[0]?.send(ok(1, true))
  await record.ended()
  await pass(300)
  expect(origin.peer.connections[0]?.of(FrameType.ping).length).toBe(2)
})

test('whoever aborts an upload from within an answer hears nothing more, and does not end it', async () => {
  const origin = await rig.peer({
    heard: onRequest((peer, stream) => peer.send(ok(stream), data(stream, 'a'), data(stream, 'b', true))),
  })
  for (const moment of ['head', 'data'] as const) {
    const { exchange, record } = rig.open(rig.client(), origin, post)
    let calls = 0
    record[moment] = () => {
      calls++
      exchange.abort()
      record.silence()
      return true
    }
    exchange.write(Buffer.from('half'))
    await expect.poll(() => origin.peer.connections.length).toBe(moment === 'head' ? 1 : 2)
    const connection = origin.peer.connections.at(-1)
    await connection?.take(FrameType.rstStream)
    expect(connection?.of(FrameType.data).map(({ flags }) => flags)).toEqual([0])
    expect(calls).toBe(1)
  }
})
