import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import type { FrontEnd, FrontEndOptions } from '../standalone/front-end/front-end.ts'
import { createHttp1Server } from '../standalone/http1-server/http1-server.ts'
import { createHttp2Server } from '../standalone/http2-server/http2-server.ts'
import { type Asked, startFrontEnd } from './front-end-rig.ts'
import { FrameType, fieldBlock, frame, preface } from './http2-wire.ts'

// Clients and exchanges that do what they please: whatever it is, each request is over in the end, and told so once.

/** Numbers in [0, 1) that are the same in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

/** An exchange that answers as it likes. */
function misbehave(asked: Asked, random: () => number): void {
  const { sink } = asked
  const steps = [
    () => sink.informational(103, ['Link', '</a>']),
    () => sink.head(200, 'OK', random() < 0.5 ? [] : ['Content-Length', '3000']),
    () => sink.data(Buffer.alloc(random() < 0.1 ? 100_000 : 1_000)),
    () => sink.data(Buffer.alloc(1_000)),
    () => sink.data(Buffer.alloc(1_000)),
    () => (random() < 0.8 ? sink.end(random() < 0.5 ? [] : ['X', 'y']) : asked.fail('connection-lost')),
  ]
  asked.takes = random() < 0.8
  const from = random() < 0.9 ? 0 : steps.length
  const step = (at: number): void => {
    if (asked.aborted) return
    if (!asked.takes) sink.drain()
    if (at >= steps.length) {
      asked.fail('timeout')
      return
    }
    steps[at]?.()
    if (at === steps.length - 1) return
    if (random() < 0.5) queueMicrotask(() => step(at + 1))
    else setTimeout(() => step(at + 1), random() * 10)
  }
  queueMicrotask(() => step(from))
}

const http1Pieces = [
  'GET /a HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
  '0\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
  'hello',
  'HEAD /a HTTP/1.0\r\nHost: a\r\n\r\n',
  'GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n',
  'junk\r\n\r\n',
  'GET /a HT',
].map((text) => Buffer.from(text))

const good = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':authority', 'a'],
  [':path', '/'],
] as const

/** Frames that come one after the other, each stream's in order. */
function* http2Pieces(random: () => number): Generator<Buffer> {
  yield Buffer.concat([Buffer.from(preface), frame(FrameType.settings, 0, 0)])
  for (let stream = 1; ; stream += 2) {
    const choice = random()
    yield frame(FrameType.headers, choice < 0.4 ? 5 : 4, stream, fieldBlock(good))
    if (choice < 0.4) continue
    yield frame(FrameType.data, 0, stream, Buffer.alloc(100))
    if (choice < 0.6) yield frame(FrameType.resetStream, 0, stream, Buffer.alloc(4))
    else if (choice < 0.9) yield frame(FrameType.data, 1, stream)
    else if (choice < 0.92) yield frame(FrameType.data, 0, 2, Buffer.alloc(1))
    yield frame(FrameType.windowUpdate, 0, 0, Buffer.from([0, 0, 0xff, 0xff]))
  }
}

function* drawn(pieces: readonly Buffer[], random: () => number): Generator<Buffer> {
  for (;;) yield pieces[Math.floor(random() * random() * pieces.length)] ?? Buffer.alloc(0)
}

async function wildClient(port: number, pieces: Generator<Buffer>, random: () => number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let isClosed = false
  socket.on('error', () => {})
  socket.on('close', () => {
    isClosed = true
  })
  if (random() < 0.9) socket.on('data', () => {})
  for (let sent = 0; sent < 12 && !isClosed; sent++) {
    const { value } = pieces.next()
    if (value !== undefined) socket.write(value)
    if (random() < 0.5) await sleep(random() * 10)
    const choice = random()
    if (choice < 0.03) socket.end()
    else if (choice < 0.06) socket.resetAndDestroy()
    else if (choice < 0.09) socket.destroy()
  }
  await sleep(random() * 50)
  socket.destroy()
}

const limits = { idleTimeout: 100, lingerTimeout: 20, headTimeout: 100, keepAliveTimeout: 50 }

test.for<[string, (options: FrontEndOptions<object>) => FrontEnd, (random: () => number) => Generator<Buffer>]>([
  ['HTTP/1', (options) => createHttp1Server({ ...options, limits }), (random) => drawn(http1Pieces, random)],
  ['HTTP/2', (options) => createHttp2Server({ ...options, limits, webSocketKey: () => '' }), http2Pieces],
])('%s: every request ends once, and none is left', async ([, create, pieces]) => {
  const random = randomNumbers(7)
  const rig = await startFrontEnd(create, { serve: (asked) => misbehave(asked, random) })
  for (let round = 0; round < 10; round++)
    await Promise.all(Array.from({ length: 40 }, () => wildClient(rig.port, pieces(random), random)))
  await vi.waitFor(() => expect(rig.frontEnd.counters).toMatchObject({ open: 0, active: 0 }), 5_000)
  expect(rig.asked.length).toBeGreaterThan(300)
  const left = rig.asked.filter(({ aborted, failed, trailers }) => !aborted && !failed && trailers === undefined)
  expect(left.map(({ request }) => request.method)).toEqual([])
  expect(rig.logged.filter((line) => line.startsWith('handler-failed'))).toEqual([])
  await rig.close()
})
