import { once } from 'node:events'
import { constants } from 'node:http2'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls, createServer, type TLSSocket } from 'node:tls'
import { queryObjects } from 'node:v8'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Http2Connection } from '../standalone/http2-server/connection.ts'
import { createHttp2Server } from '../standalone/http2-server/http2-server.ts'
import { issue } from './certificates.ts'
import { client, get, good, startHttp2, wire } from './front-end-http2-rig.ts'
import { type Asked, peer, within50ms } from './front-end-rig.ts'
import { Flag, FrameType, fieldBlock, frame, preface } from './http2-wire.ts'

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

/** Asks for something, and has no bound for what comes. */
const floodingRequest = Buffer.concat([
  Buffer.from(preface),
  // SETTINGS_INITIAL_WINDOW_SIZE; the connection's window is its own.
  frame(FrameType.settings, 0, 0, Buffer.of(0, 4, 0x7f, 0xff, 0xff, 0xff)),
  frame(FrameType.windowUpdate, 0, 0, Buffer.of(0x7f, 0, 0, 0)),
  frame(FrameType.headers, Flag.endStream | Flag.endHeaders, 1, fieldBlock(good)),
])

test.for<[string, (tcp: Socket, tls: TLSSocket) => void]>([
  ['resets it', (tcp) => tcp.resetAndDestroy()],
  ['ends its own direction, and stays', (_tcp, tls) => tls.end()],
])('nothing stays of a connection within TLS that is written to while its client %s', async ([, leave]) => {
  const frontEnd = createHttp2Server({
    handler: (_request, sink) => {
      sink.head(200, '', [])
      sink.data(Buffer.alloc(8 << 20))
      return { write: () => true, end() {}, resume() {}, abort() {} }
    },
    log: () => {},
    webSocketKey: () => '',
  })
  const issued = issue({ subject: 'a.example', names: ['DNS:a.example'] })
  const server = createServer(
    { cert: issued.certificate, key: issued.privateKey, ALPNProtocols: ['h2'], allowHalfOpen: true },
    (socket) => frontEnd.take(socket, peer, { port: 443, scheme: 'https' }),
  )
  onTestFinished(() => void server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const before = queryObjects(Http2Connection, { format: 'count' })
  for (let connections = 1; connections <= 10; connections++) {
    const tcp = connect(port, '127.0.0.1')
    onTestFinished(() => void tcp.destroy())
    const tls = connectTls({ socket: tcp, host: 'a.example', ca: issued.certificate, ALPNProtocols: ['h2'] })
    tls.on('error', () => {})
    await once(tls, 'secureConnect')
    tls.write(floodingRequest)
    await once(tls, 'readable')
    leave(tcp, tls)
    await vi.waitFor(() => expect(frontEnd.counters).toMatchObject({ open: 0, active: 0, connections }))
  }
  await vi.waitFor(() => expect(queryObjects(Http2Connection, { format: 'count' })).toBeLessThanOrEqual(before + 1))
})
