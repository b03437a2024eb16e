import { constants } from 'node:http2'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Http2ClientRig, pass, post, type Sent } from '../../test/http2-client-rig.ts'
import {
  data,
  type Frame,
  FrameType,
  goaway,
  type Http2Peer,
  headers,
  type PeerConnection,
  rstStream,
  SettingId,
  settings,
} from '../../test/http2-peer.ts'
import type { Origin, OriginClient } from '../origin-client.ts'
import type { Http2ClientLimits } from './limits.ts'

let rig: Http2ClientRig
beforeEach(() => {
  rig = new Http2ClientRig()
})
afterEach(() => {
  expect(rig.close()).toEqual([])
})

const ok = (stream: number): Buffer => headers(stream, [':status', '200'], true)

const answer = ({ type, stream }: Frame, connection: PeerConnection): void => {
  if (type === FrameType.headers) connection.send(ok(stream))
}

/** A client that knows how many streams the origin's connections have, and has one on which nothing is under way. */
async function acquainted(
  origin: Origin & { readonly peer: Http2Peer },
  limits?: Partial<Http2ClientLimits>,
): Promise<OriginClient> {
  const client = rig.client(limits)
  const first = rig.open(client, origin)
  await expect.poll(() => streamsOf(origin.peer.connections)).toEqual([1])
  await pass(20)
  origin.peer.connections[0]?.send(ok(1))
  await first.record.ended()
  await pass(20)
  return client
}

const streamsOf = (connections: readonly PeerConnection[]): number[] =>
  connections.map((connection) => connection.of(FrameType.headers).length)

test('requests one after another share a connection', async () => {
  const origin = await rig.peer({ heard: answer })
  const client = rig.client()
  for (let request = 0; request < 5; request++) await rig.ask(client, origin)
  expect(rig.connects).toBe(1)
})

test('another connection is opened when the streams of one are used up, and no earlier', async () => {
  const origin = await rig.peer({ settings: settings([SettingId.maxConcurrentStreams, 4]) })
  const client = await acquainted(origin)
  for (let request = 0; request < 4; request++) rig.open(client, origin)
  await expect.poll(() => streamsOf(origin.peer.connections)).toEqual([5])
  await pass(20)
  expect(rig.connects).toBe(1)
  for (let request = 0; request < 6; request++) rig.open(client, origin)
  await expect.poll(() => streamsOf(origin.peer.connections)).toEqual([5, 4, 2])
  rig.open(client, origin)
  await expect.poll(() => streamsOf(origin.peer.connections)).toEqual([5, 4, 3])
  expect(rig.connects).toBe(3)
})

test('a crowd that comes before the first connection waits for what that says', async () => {
  const origin = await rig.peer({ settings: settings([SettingId.maxConcurrentStreams, 1_000]), heard: answer })
  const client = rig.client()
  const records = await Promise.all(Array.from({ length: 500 }, () => rig.ask(client, origin)))
  expect(records.every(({ answer }) => answer?.status === 200)).toBe(true)
  expect(rig.connects).toBe(1)
})

test('connections are bounded; who finds no stream waits for one, and not for ever', async () => {
  const origin = await rig.peer({ settings: settings([SettingId.maxConcurrentStreams, 2]) })
  const client = await acquainted(origin, { connectionsPerOrigin: 2, queueTimeout: 200 })
  const sent = Array.from({ length: 6 }, () => rig.open(client, origin))
  await expect.poll(() => streamsOf(origin.peer.connections)).toEqual([3, 2])
  origin.peer.connections[0]?.send(ok(3))
  await sent[0]?.record.ended()
  await expect.poll(() => streamsOf(origin.peer.connections)).toEqual([4, 2])
  const last = await sent[5]?.record.ended()
  expect(last?.error).toMatchObject({ kind: 'overloaded', unheard: true })
  expect(sent.slice(1, 5).map(({ record }) => record.error)).toEqual([undefined, undefined, undefined, undefined])
  expect(rig.connects).toBe(2)
})

test('a body that is written while its request waits comes with it', async () => {
  const origin = await rig.peer({ settings: settings([SettingId.maxConcurrentStreams, 1]) })
  const client = rig.client({ connectionsPerOrigin: 1 })
  rig.open(client, origin)
  await expect.poll(() => streamsOf(origin.peer.connections)).toEqual([1])
  const { exchange, record } = rig.open(client, origin, post)
  expect(exchange.write(Buffer.from('a'))).toBe(false)
  await pass(50)
  expect(record.drains).toBe(0)
  const [connection] = origin.peer.connections
  connection?.send(ok(1))
  expect(`${(await connection?.take(FrameType.data))?.payload}`).toBe('a')
  expect(record.drains).toBe(1)
  exchange.end([])
  connection?.send(ok(3))
  await record.ended()
})

test('an upload that is aborted while it waits leaves its place to another', async () => {
  const origin = await rig.peer({ settings: settings([SettingId.maxConcurrentStreams, 1]) })
  const client = await acquainted(origin, { connectionsPerOrigin: 1 })
  const [first, second, third]: Sent[] = [1, 2, 3].map(() => rig.open(client, origin))
  await expect.poll(() => streamsOf(origin.peer.connections)).toEqual([2])
  second?.exchange.abort()
  second?.record.silence()
  const [connection] = origin.peer.connections
  connection?.send(ok(3))
  await first?.record.ended()
  await connection?.take(FrameType.headers, 3)
  connection?.send(ok(5))
  expect((await third?.record.ended())?.answer?.status).toBe(200)
})

test('more requests than may be are overloaded, until some have ended', async () => {
  const origin = await rig.peer({})
  const client = rig.client({ requestsPerOrigin: 3 })
  const [first] = [1, 2, 3].map(() => rig.open(client, origin))
  await expect.poll(() => streamsOf(origin.peer.connections)).toEqual([3])
  expect((await rig.ask(client, origin)).error).toMatchObject({ kind: 'overloaded', unheard: true })
  first?.exchange.abort()
  first?.record.silence()
  await expect.poll(() => origin.peer.connections[0]?.of(FrameType.rstStream).length).toBe(1)
  rig.open(client, origin)
  await expect.poll(() => streamsOf(origin.peer.connections)).toEqual([4])
})

test('who is refused hears nothing when it aborts first', async () => {
  const origin = await rig.peer({})
  const { exchange, record } = rig.open(rig.client({ requestsPerOrigin: 0 }), origin)
  exchange.write(Buffer.from('a'))
  exchange.abort()
  record.silence()
  await pass(20)
  expect(record.error).toBeUndefined()
})

test('after GOAWAY new requests go to a new connection, and those under way end on the old', async () => {
  const origin = await rig.peer({})
  const client = rig.client()
  const before = rig.open(client, origin)
  await expect.poll(() => streamsOf(origin.peer.connections)).toEqual([1])
  origin.peer.connections[0]?.send(goaway(2 ** 31 - 1, constants.NGHTTP2_NO_ERROR))
  await pass(20)
  const after = rig.open(client, origin)
  await expect.poll(() => streamsOf(origin.peer.connections)).toEqual([1, 1])
  origin.peer.connections[0]?.send(headers(1, [':status', '200']), data(1, 'a'))
  await before.record.until(({ body }) => body === 'a')
  origin.peer.connections[0]?.send(goaway(1, constants.NGHTTP2_NO_ERROR), data(1, 'b', true))
  origin.peer.connections[1]?.send(ok(1))
  expect((await before.record.ended()).body).toBe('ab')
  expect((await after.record.ended()).answer?.status).toBe(200)
  expect(rig.connects).toBe(2)
})

test('of requests that cross a GOAWAY, those behind its last stream are unprocessed, and can be sent again', async () => {
  const origin = await rig.peer({})
  const client = rig.client()
  const sent = [1, 2, 3].map(() => rig.open(client, origin))
  await expect.poll(() => streamsOf(origin.peer.connections)).toEqual([3])
  origin.peer.connections[0]?.send(goaway(1, constants.NGHTTP2_NO_ERROR), ok(1))
  await Promise.all(sent.map(({ record }) => record.ended()))
  expect(sent.map(({ record }) => record.answer?.status ?? record.error?.kind)).toEqual([
    200,
    'unprocessed',
    'unprocessed',
  ])
  rig.open(client, origin)
  await expect.poll(() => streamsOf(origin.peer.connections)).toEqual([3, 1])
})

test('a rolling restart fails no request that is sent again when it was not processed', async () => {
  let refused = 0
  const origin = await rig.peer({
    heard: ({ type, stream }, connection) => {
      if (type !== FrameType.headers) return
      // Each connection serves ten requests, and sees others come while it says so.
      if (stream < 20) setTimeout(() => connection.send(ok(stream)), 1)
      if (stream === 19) connection.send(goaway(19, constants.NGHTTP2_NO_ERROR))
      if (stream > 19) refused++
    },
  })
  const client = rig.client()
  const askUntilDone = async (): Promise<number> => {
    for (;;) {
      const { answer, error } = await rig.ask(client, origin)
      if (answer !== undefined) return answer.status
      expect(error?.kind).toBe('unprocessed')
    }
  }
  const statuses = await Promise.all(Array.from({ length: 100 }, askUntilDone))
  expect(new Set(statuses)).toEqual(new Set([200]))
  expect(refused).toBeGreaterThan(0)
})

test('who waits when a connection dies is served by the next', async () => {
  const origin = await rig.peer({ settings: settings([SettingId.maxConcurrentStreams, 1]) })
  const client = await acquainted(origin, { connectionsPerOrigin: 1 })
  const [first, second] = [1, 2].map(() => rig.open(client, origin))
  await expect.poll(() => streamsOf(origin.peer.connections)).toEqual([2])
  origin.peer.connections[0]?.socket.destroy()
  expect((await first?.record.ended())?.error?.kind).toBe('connection-lost')
  await expect.poll(() => streamsOf(origin.peer.connections)).toEqual([2, 1])
  origin.peer.connections[1]?.send(ok(1))
  expect((await second?.record.ended())?.answer?.status).toBe(200)
})

test('a connection without requests is closed after its time, and one with a request is not', async () => {
  const origin = await rig.peer({ heard: answer })
  const client = rig.client({ idleConnectionTimeout: 50 })
  await rig.ask(client, origin)
  await origin.peer.connections[0]?.take(FrameType.goaway)
  await rig.ask(client, origin)
  expect(rig.connects).toBe(2)
  const slow = await rig.peer({})
  const { record } = rig.open(client, slow)
  await pass(200)
  slow.peer.connections[0]?.send(ok(1))
  expect((await record.ended()).answer?.status).toBe(200)
})

test('a connection takes so many requests and no more', async () => {
  const origin = await rig.peer({ heard: answer })
  const client = rig.client({ requestsPerConnection: 3 })
  for (let request = 0; request < 7; request++) expect((await rig.ask(client, origin)).error).toBeUndefined()
  expect(streamsOf(origin.peer.connections)).toEqual([3, 3, 1])
})

test('close closes what is idle now, and the rest when it is', async () => {
  const origin = await rig.peer({})
  const client = rig.client()
  const { record } = rig.open(client, origin)
  await expect.poll(() => streamsOf(origin.peer.connections)).toEqual([1])
  client.close()
  const [connection] = origin.peer.connections
  await connection?.take(FrameType.goaway)
  connection?.send(ok(1))
  expect((await record.ended()).answer?.status).toBe(200)
  await expect.poll(() => connection?.socket.readableEnded).toBe(true)
})

test('no place is lost, however requests end', async () => {
  let count = 0
  const origin = await rig.peer({
    settings: settings([SettingId.maxConcurrentStreams, 7]),
    heard: ({ type, stream }, connection) => {
      if (type !== FrameType.headers) return
      count++
      if (count % 5 === 0) connection.send(rstStream(stream, count % 14))
      else if (count % 41 === 0) connection.socket.destroy()
      else if (count % 43 === 0) connection.send(goaway(Math.max(stream - 2, 0), 0))
      else if (count % 7 !== 0)
        connection.send(headers(stream, [':status', '200']), data(stream, 'a'), data(stream, 'b', true))
    },
  })
  const client = rig.client({ requestsPerOrigin: 30, connectionsPerOrigin: 2, idleTimeout: 60, queueTimeout: 60 })
  for (let round = 0; round < 30; round++) {
    const sent = Array.from({ length: 30 }, () => rig.open(client, origin))
    for (const [at, { exchange, record }] of sent.entries()) {
      if (at % 3 !== round % 3) continue
      if (at % 2 === 0) await pass(0)
      if (record.trailers !== undefined || record.error !== undefined) continue
      exchange.abort()
      record.silence()
    }
    await Promise.all(sent.filter((_, at) => at % 3 !== round % 3).map(({ record }) => record.ended()))
    expect(sent.some(({ record }) => record.error?.message.includes('under way'))).toBe(false)
    // The streams close behind the ends.
    await pass(20)
  }
})

test('nothing is left behind of origins that are gone', async () => {
  const client = rig.client({ idleConnectionTimeout: 20 })
  const origins = await Promise.all([1, 2, 3].map(() => rig.peer({ heard: answer })))
  for (const origin of origins) await rig.ask(client, origin)
  for (const { peer } of origins) await expect.poll(() => peer.connections[0]?.socket.readableEnded).toBe(true)
  await expect.poll(() => process.getActiveResourcesInfo().includes('TCPSocketWrap')).toBe(false)
})
