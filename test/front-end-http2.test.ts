import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { createHttp2Server } from '../standalone/http2-server/http2-server.ts'
import type { Http2Limits } from '../standalone/http2-server/limits.ts'
import { type Asked, echoed, type FrontEndRig, type FrontEndRigOptions, startFrontEnd } from './front-end-rig.ts'
import { flood, floods } from './http2-floods.ts'
import { Flag, FrameType, fieldBlock, frame, Http2Wire, statusIn } from './http2-wire.ts'

let rig: FrontEndRig
const closers: (() => void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) close()
  await rig?.close()
})

const webSocketKey = 'dGhlIHNhbXBsZSBub25jZQ=='
const webSocketAccept = createHash('sha1')
  .update(`${webSocketKey}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  .digest('base64')

const start = async (options: FrontEndRigOptions<Http2Limits> = {}): Promise<FrontEndRig> => {
  rig = await startFrontEnd((shared) => createHttp2Server({ ...shared, webSocketKey: () => webSocketKey }), options)
  return rig
}

async function client(): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${rig.port}`)
  closers.push(() => session.destroy())
  session.on('error', () => {})
  await once(session, 'remoteSettings')
  return session
}

async function wire(): Promise<Http2Wire> {
  const opened = await Http2Wire.open(rig.port)
  closers.push(() => opened.socket.destroy())
  return opened
}

interface Got {
  readonly status: number
  readonly lines: readonly string[]
  readonly body: string
  readonly trailers: readonly string[]
  /** undefined: the stream was not reset. */
  readonly reset: number | undefined
}

/** All of an answer. */
function answerOf(stream: ClientHttp2Stream): Promise<Got> {
  return new Promise((resolve) => {
    let status = 0
    let lines: readonly string[] = []
    let trailers: readonly string[] = []
    const body: Buffer[] = []
    stream.on('response', (headers, _flags, raw: readonly string[]) => {
      status = headers[':status'] ?? 0
      lines = raw.slice(2)
    })
    stream.on('trailers', (_headers, _flags, raw: readonly string[]) => {
      trailers = raw
    })
    stream.on('data', (chunk: Buffer) => body.push(chunk))
    stream.on('error', () => {})
    stream.on('close', () => {
      const reset = stream.rstCode === 0 ? undefined : stream.rstCode
      resolve({ status, lines, body: Buffer.concat(body).toString('latin1'), trailers, reset })
    })
  })
}

const get: OutgoingHttpHeaders = { ':path': '/g?q=1', ':authority': 'Shop.Example:8080' }
const post: OutgoingHttpHeaders = { ':path': '/p', ':method': 'POST', ':authority': 'a' }

const within50ms = async (done: Promise<void>): Promise<boolean> =>
  Promise.race([done.then(() => true), sleep(50).then(() => false)])

test('a request is handed over with what the engine and the next hop want to know', async () => {
  await start({ entrance: { port: 8443, scheme: 'https' } })
  const session = await client()
  session.request({
    ...get,
    'x-a': ['1', '2'],
    cookie: ['a=b', 'c=d', 'e=f'],
    te: 'trailers',
    'landfall-origin': 'x',
    'proxy-authorization': 'Basic x',
    'x-latin': 'caf\xe9',
    host: 'shop.example:8080',
  })
  const { request, trailers } = await rig.next()
  expect(request).toMatchObject({
    version: 'HTTP/2',
    method: 'GET',
    target: '/g?q=1',
    path: '/g',
    query: 'q=1',
    authority: 'Shop.Example:8080',
    port: 8443,
    scheme: 'https',
    hasBody: false,
    upgrade: undefined,
    peer: { address: '192.0.2.7' },
  })
  expect(request.headers).toEqual([
    'x-a',
    '1',
    'x-a',
    '2',
    'te',
    'trailers',
    'x-latin',
    'caf\xe9',
    'cookie',
    'a=b; c=d; e=f',
  ])
  expect(request.header('x-a')).toBe('1,2')
  expect(request.header('cookie')).toBe('a=b; c=d; e=f')
  expect(request.header('host')).toBe('Shop.Example:8080')
  expect(request.header('x-b')).toBeUndefined()
  expect(trailers).toEqual([])
})

test('a body passes as it comes, and its trailers but for those that belong into a head', async () => {
  await start()
  const session = await client()
  const stream = session.request(post, { waitForTrailers: true })
  stream.on('wantTrailers', () =>
    stream.sendTrailers({ 'x-sum': '6', host: 'b', 'landfall-host': 'b', authorization: 'x', 'content-length': '6' }),
  )
  stream.write('one')
  const asked = await rig.next()
  expect(asked.request.hasBody).toBe(true)
  await asked.until(({ body }) => body === 'one')
  stream.end('two')
  await asked.until(({ trailers }) => trailers !== undefined)
  expect(asked.body).toBe('onetwo')
  expect(asked.trailers).toEqual(['x-sum', '6'])
})

test('an answer passes as it is, but for what HTTP/2 does not have', async () => {
  await start()
  const session = await client()
  const stream = session.request(get)
  const date = 'Mon, 23 Nov 2026 09:00:00 GMT'
  const { sink } = await rig.next()
  sink.head(299, 'Fine', ['Set-Cookie', 'a', 'set-cookie', 'b', 'DATE', date, 'X', '\xe9', 'Content-Length', '4'])
  sink.data(Buffer.from('bo'))
  sink.data(Buffer.from('dy'))
  sink.end([])
  expect(await answerOf(stream)).toEqual({
    status: 299,
    lines: ['set-cookie', 'a', 'set-cookie', 'b', 'date', date, 'x', '\xe9', 'content-length', '4'],
    body: 'body',
    trailers: [],
    reset: undefined,
  })
})

test('an answer that comes at once goes out in two frames, and one without a body in one', async () => {
  await start({
    serve: (asked) =>
      queueMicrotask(() => asked.answer(200, ['content-length', '2'], asked.request.path === '/body' ? 'ok' : '')),
  })
  const session = await wire()
  const fields = (path: string) => [...good.slice(0, 3), [':path', path] as const]
  session.request(1, fields('/body'))
  const data = await session.frame(FrameType.data, 1)
  expect(data).toMatchObject({ flags: Flag.endStream })
  expect(data.payload.toString()).toBe('ok')
})

test('an answer without a date gets one, and its head does not wait for its body', async () => {
  await start()
  const session = await client()
  const stream = session.request(get)
  const { sink } = await rig.next()
  sink.head(200, '', [])
  const [headers] = await once(stream, 'response')
  expect(headers.date).toMatch(/ GMT$/)
  const answer = answerOf(stream)
  sink.data(Buffer.from('one'))
  await sleep(10)
  sink.data(Buffer.from('two'))
  sink.end(['X-Sum', '6', 'Content-Length', '6', 'X-Sum', '7', 'Connection', 'close'])
  expect(await answer).toMatchObject({ body: 'onetwo', trailers: ['x-sum', '6', 'x-sum', '7'] })
})

test('an answer of head and trailers alone passes', async () => {
  await start()
  const session = await client()
  const stream = session.request(get)
  const { sink } = await rig.next()
  sink.head(200, '', ['Content-Type', 'application/grpc'])
  sink.end(['grpc-status', '5'])
  expect(await answerOf(stream)).toMatchObject({ status: 200, body: '', trailers: ['grpc-status', '5'] })
})

test.for<[string, string, number, readonly string[]]>([
  ['HEAD with a length', 'HEAD', 200, ['content-length', '99']],
  ['HEAD without one', 'HEAD', 200, []],
  ['304 with a length', 'GET', 304, ['content-length', '99']],
  ['204', 'GET', 204, ['content-length', '0']],
  ['205', 'GET', 205, []],
])('%s has no body', async ([name, method, status, headers]) => {
  await start()
  const session = await client()
  for (const pause of [0, 10]) {
    const stream = session.request({ ...get, ':method': method })
    const answered = answerOf(stream)
    const { sink } = await rig.next()
    sink.head(status, '', headers)
    if (pause > 0) await sleep(pause)
    sink.end([])
    const answer = await answered
    expect(answer).toMatchObject({ status, body: '', reset: undefined })
    expect(answer.lines.includes('content-length')).toBe(name.includes('with a'))
  }
})

// The four shapes of a call. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

const call: OutgoingHttpHeaders = { ...post, 'content-type': 'application/grpc', te: 'trailers' }
const message = (text: string): Buffer => Buffer.concat([Buffer.of(0, 0, 0, 0, text.length), Buffer.from(text)])

test('a call of one message each way', async () => {
  await start()
  const session = await client()
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
  await start()
  const session = await client()
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
  await start()
  const session = await client()
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
  await start()
  const session = await client()
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
  await start({ limits: { lingerTimeout: 50 } })
  const session = await client()
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

// Back-pressure

test('an upload waits while the exchange takes no more', async () => {
  await start()
  const session = await client()
  const stream = session.request(post)
  const size = 16 << 20
  stream.end(Buffer.alloc(size))
  const asked = await rig.next()
  asked.takes = false
  await asked.until(({ received }) => received.length > 0)
  await sleep(100)
  const held = Buffer.concat(asked.received).length
  expect(held).toBeLessThan(1 << 20)
  asked.takes = true
  asked.sink.drain()
  await asked.until(({ trailers }) => trailers !== undefined)
  expect(asked.received.reduce((sum, { length }) => sum + length, 0)).toBe(size)
})

test('an answer waits while the client takes no more', async () => {
  await start()
  const session = await client()
  const stream = session.request(get)
  const asked = await rig.next()
  const block = Buffer.alloc(64 << 10)
  const blocks = 64
  asked.sink.head(200, '', [])
  let sent = 0
  const fill = () => {
    while (sent < blocks) {
      sent++
      if (!asked.sink.data(block)) return
    }
  }
  fill()
  await sleep(50)
  expect(sent).toBeLessThan(8)
  const answer = answerOf(stream)
  while (sent < blocks) {
    const before = asked.resumed
    await asked.until(({ resumed }) => resumed > before)
    fill()
  }
  asked.sink.end([])
  expect((await answer).body.length).toBe(blocks * block.length)
})

// Clients that leave

test.for([
  ['CANCEL', constants.NGHTTP2_CANCEL],
  ['NO_ERROR', constants.NGHTTP2_NO_ERROR],
] as const)(
  'a request that is reset (%s) while its body comes is known in 50 ms, and never passes for whole',
  async ([, code]) => {
    await start()
    const session = await wire()
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
  await start()
  const session = await wire()
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
  await start()
  const session = await client()
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

// Exchanges that fail

test.for([
  ['overloaded', 503, 'overloaded'],
  ['timeout', 504, 'backend-timeout'],
  ['connect-failed', 502, 'connect-failed'],
] as const)('an exchange that fails before its answer (%s) becomes a %i', async ([kind, status, why]) => {
  await start()
  const session = await client()
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
  await start()
  const session = await wire()
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
  await start({
    serve: ({ request }) => {
      if (request.path === '/second') rig.asked[0]?.fail('connection-lost')
    },
  })
  const session = await wire()
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
  await start()
  const session = await client()
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
  await start()
  const session = await client()
  const stream = session.request(get)
  const asked = await rig.next()
  asked.sink.head(status, '', headers)
  expect(await answerOf(stream)).toMatchObject({ status: 502, body: '502 invalid-response\n' })
  expect(asked.aborted).toBe(true)
})

test('a handler that throws costs its own request only', async () => {
  await start({
    serve: ({ request }) => {
      if (request.path === '/throw') throw new Error('a bug')
    },
  })
  const session = await client()
  expect(await answerOf(session.request({ ':path': '/throw', ':authority': 'a' }))).toMatchObject({ status: 500 })
  expect(rig.logged.join()).toContain('a bug')
})

// Between request and answer

test('hints come before the answer', async () => {
  await start()
  const session = await client()
  const stream = session.request(get)
  const asked = await rig.next()
  asked.sink.informational(103, ['Link', '</a.css>', 'Link', '</b.css>'])
  const [headers] = await once(stream, 'headers')
  expect(headers).toMatchObject({ ':status': 103, link: '</a.css>, </b.css>' })
  asked.answer(200, [])
  expect(await answerOf(stream)).toMatchObject({ status: 200 })
})

test('a client that waits with its body is asked for it, unless it is answered at once', async () => {
  await start({
    serve: (asked) => {
      if (asked.request.path === '/no') queueMicrotask(() => asked.answer(404, []))
      else echoed(asked)
    },
  })
  const session = await client()
  const stream = session.request({ ...post, expect: '100-continue' })
  await once(stream, 'continue')
  stream.end('ok')
  expect(await answerOf(stream)).toMatchObject({ status: 200, body: 'POST /p ok' })
  expect(rig.asked[0]?.request.headers).toEqual([])

  const refused = session.request({ ...post, ':path': '/no', expect: '100-continue' })
  let continued = false
  refused.on('continue', () => {
    continued = true
  })
  const answer = answerOf(refused)
  await once(refused, 'response')
  refused.end()
  expect(await answer).toMatchObject({ status: 404 })
  expect(continued).toBe(false)
})

// Requests that have two readings. RFC 9113 section 8

const good: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'a'],
  [':path', '/'],
]
const path = (value: string) => [...good.slice(0, 3), [':path', value] as const]
const authority = (value: string) => good.map(([name, old]) => [name, name === ':authority' ? value : old] as const)

test.for<[string, readonly (readonly [string, string])[]]>([
  ['a name in capitals', [...good, ['X-A', 'b']]],
  ['no method', good.slice(1)],
  ['no path', good.slice(0, 3)],
  ['no scheme', good.filter(([name]) => name !== ':scheme')],
  ['no authority', good.filter(([name]) => name !== ':authority')],
  ['two Hosts', [...good, ['host', 'a'], ['host', 'a']]],
  ['two methods', [[':method', 'GET'], ...good]],
  ['two paths', [...good, [':path', '/']]],
  ['a pseudo field behind another', [...good.slice(0, 3), ['x', 'y'], [':path', '/']]],
  ['an unknown pseudo field', [...good, [':x', 'y']]],
  ['a status', [...good, [':status', '200']]],
  ['an empty path', path('')],
  ['a path with a space', path('/a b')],
  ['a path with a line feed', path('/a\nb')],
  ['* for GET', path('*')],
  ['an authority with a user', authority('user@a')],
  ['Connection', [...good, ['connection', 'close']]],
  ['Transfer-Encoding', [...good, ['transfer-encoding', 'chunked']]],
  ['Upgrade', [...good, ['upgrade', 'h2c']]],
  ['Keep-Alive', [...good, ['keep-alive', '1']]],
  ['Proxy-Connection', [...good, ['proxy-connection', '1']]],
  ['TE but for trailers', [...good, ['te', 'gzip']]],
  ['a length without a body', [...good, ['content-length', '5']]],
  ['two lengths', [...good, ['content-length', '0'], ['content-length', '0']]],
  ['a length that is none', [...good, ['content-length', '+0']]],
  ['a protocol without CONNECT', [...good, [':protocol', 'websocket']]],
  ['more fields than there may be', [...good, ...Array.from({ length: 600 }, (_, at) => [`x${at}`, 'y'] as const)]],
])('a request with %s is reset', async ([, fields]) => {
  await start()
  const session = await wire()
  session.request(1, fields)
  const reset = await session.frame(FrameType.resetStream, 1)
  const codes: number[] = [constants.NGHTTP2_PROTOCOL_ERROR, constants.NGHTTP2_ENHANCE_YOUR_CALM]
  expect(codes).toContain(reset.payload.readUInt32BE())
  expect(rig.asked).toEqual([])
})

test.for<[string, readonly (readonly [string, string])[]]>([
  ['an authority and another Host', [...good, ['host', 'b']]],
  ['an authority that is none', authority('a,b')],
  ['a Host that is none', [...good.filter(([name]) => name !== ':authority'), ['host', 'a,b']]],
  ['another scheme', good.map(([name, old]) => [name, name === ':scheme' ? 'ftp' : old] as const)],
  ['a fragment', path('/a#b')],
  ['a path that is no UTF-8', path('/\xe9')],
])('a request with %s is a 400', async ([, fields]) => {
  await start()
  const session = await wire()
  session.request(1, fields)
  expect(statusIn(await session.frame(FrameType.headers, 1))).toBe(400)
  expect(rig.asked).toEqual([])
  expect(rig.frontEnd.counters).toMatchObject({ refused: 1 })
})

test.for<[string, number, OutgoingHttpHeaders]>([
  ['CONNECT', 501, { ':method': 'CONNECT', ':authority': 'internal:80' }],
  ['another Expect', 417, { ...post, expect: 'x' }],
  ['a target too long', 414, { ...get, ':path': `/${'x'.repeat(20_000)}` }],
])('a request with %s is a %i', async ([, status, headers]) => {
  await start({ limits: { lingerTimeout: 20 } })
  const session = await client()
  expect(await answerOf(session.request(headers))).toMatchObject({ status })
  expect(rig.asked).toEqual([])
})

test.for<[string, readonly (readonly [string, string])[], string, string]>([
  ['Host for :authority', [...good.filter(([name]) => name !== ':authority'), ['host', 'B']], '/', 'B'],
  ['Host like :authority', [...good, ['host', 'A']], '/', 'a'],
  ['a path with dots', path('/a/../g/%2e%2e/\\x'), '//x', 'a'],
  ['a path in UTF-8', path('/caf\xc3\xa9'), '/caf%C3%A9', 'a'],
  ['OPTIONS *', [[':method', 'OPTIONS'], ...good.slice(1, 3), [':path', '*']], '*', 'a'],
])('a request with %s is understood', async ([, fields, target, authority]) => {
  await start()
  const session = await wire()
  session.request(1, fields)
  expect((await rig.next()).request).toMatchObject({ target, authority, headers: [] })
})

test('a field with what no line may have is left out', async () => {
  await start()
  const session = await wire()
  session.request(1, [...good, ['x', 'a\nb'], ['y', 'a\0b'], ['z z', 'a'], ['v', 'a\rb'], ['w', 'a']])
  expect((await rig.next()).request.headers).toEqual(['w', 'a'])
})

test('a body that is longer than it says closes the connection', async () => {
  await start()
  const session = await wire()
  session.request(1, [[':method', 'POST'], ...good.slice(1), ['content-length', '2']], 0)
  session.send(FrameType.data, Flag.endStream, 1, Buffer.from('three'))
  const goAway = await session.frame(FrameType.goAway, 0)
  expect(goAway.payload.readUInt32BE(4)).not.toBe(0)
  const asked = await rig.next()
  await asked.until(({ aborted }) => aborted)
  expect(asked.trailers).toBeUndefined()
})

test('a body that is shorter than it says is reset, and never passes for whole', async () => {
  await start()
  const session = await wire()
  session.request(1, [[':method', 'POST'], ...good.slice(1), ['content-length', '9']], 0)
  session.send(FrameType.data, Flag.endStream, 1, Buffer.from('three'))
  const asked = await rig.next()
  await asked.until(({ aborted }) => aborted)
  expect(asked.trailers).toBeUndefined()
})

// WebSocket. RFC 8441

const webSocket: OutgoingHttpHeaders = {
  ':method': 'CONNECT',
  ':protocol': 'websocket',
  ':scheme': 'http',
  ':path': '/chat',
  ':authority': 'a',
  'sec-websocket-version': '13',
}

test('an extended CONNECT joins client and origin', async () => {
  await start()
  const session = await client()
  expect(session.remoteSettings.enableConnectProtocol).toBe(true)
  const stream = session.request(webSocket)
  const asked = await rig.next()
  expect(asked.request).toMatchObject({ method: 'GET', path: '/chat', upgrade: 'websocket', hasBody: false })
  expect(asked.request.headers).toEqual(['sec-websocket-version', '13', 'sec-websocket-key', webSocketKey])
  expect(asked.trailers).toEqual([])
  const origin = new PassThrough()
  const answered = once(stream, 'response')
  asked.sink.upgraded(
    'Switching Protocols',
    ['Sec-WebSocket-Accept', webSocketAccept, 'Sec-WebSocket-Protocol', 'chat'],
    origin,
    Buffer.from('early '),
  )
  const [headers] = await answered
  expect(headers).toMatchObject({ ':status': 200, 'sec-websocket-protocol': 'chat' })
  expect(headers['sec-websocket-accept']).toBeUndefined()
  const answer = answerOf(stream)
  stream.write('late')
  await sleep(20)
  stream.end()
  expect(await answer).toMatchObject({ body: 'early late', reset: undefined })
  expect(rig.frontEnd.counters).toMatchObject({ active: 0, abandoned: 0 })
})

test('an extended CONNECT that the origin refuses is answered', async () => {
  await start()
  const session = await client()
  const stream = session.request(webSocket)
  ;(await rig.next()).answer(403, [], 'no')
  expect(await answerOf(stream)).toMatchObject({ status: 403, body: 'no' })
})

test('an origin that has not read the key is no WebSocket server', async () => {
  await start()
  const session = await client()
  const stream = session.request(webSocket)
  const origin = new PassThrough()
  ;(await rig.next()).sink.upgraded('', ['Sec-WebSocket-Accept', 'x'], origin, Buffer.alloc(0))
  expect(await answerOf(stream)).toMatchObject({ status: 502 })
  expect(origin.destroyed).toBe(true)
})

test('when either end of a WebSocket is lost, the other is told', async () => {
  await start()
  const session = await client()
  const origins: PassThrough[] = []
  const open = async () => {
    const stream = session.request(webSocket)
    const origin = new PassThrough()
    origins.push(origin)
    ;(await rig.next()).sink.upgraded('', ['Sec-WebSocket-Accept', webSocketAccept], origin, Buffer.alloc(0))
    await once(stream, 'response')
    return { stream, origin }
  }
  const [first, second] = [await open(), await open()]
  first.origin.destroy(new Error('reset'))
  expect(await answerOf(first.stream)).toMatchObject({ reset: constants.NGHTTP2_CANCEL })
  second.stream.close(constants.NGHTTP2_CANCEL)
  await once(second.origin, 'close')
})

test('another protocol than WebSocket is a 501', async () => {
  await start({ limits: { lingerTimeout: 20 } })
  const session = await client()
  expect(await answerOf(session.request({ ...webSocket, ':protocol': 'connect-udp' }))).toMatchObject({ status: 501 })
})

// Limits

test('no more streams are served at a time than are announced', async () => {
  await start({ limits: { streams: 3 } })
  const session = await wire()
  for (const stream of [1, 3, 5, 7]) session.request(stream, good)
  const reset = await session.frame(FrameType.resetStream, 7)
  expect(reset.payload.readUInt32BE()).toBe(constants.NGHTTP2_REFUSED_STREAM)
  expect(rig.asked).toHaveLength(3)
})

test.for(floods)('a flood of %s closes the connection', async (each) => {
  await start()
  expect(await flood(await wire(), each, 100_000)).toBeLessThan(100_000)
  await vi.waitFor(() => expect(rig.frontEnd.counters).toMatchObject({ open: 0, active: 0 }))
  expect(rig.asked.length).toBeLessThan(2_000)
  expect(rig.asked.every(({ aborted }) => aborted)).toBe(true)
})

// Times

test('a client that opens no stream is closed after a while', async () => {
  await start({ limits: { headTimeout: 50 } })
  const session = await wire()
  await session.end()
  await vi.waitFor(() => expect(rig.frontEnd.counters.open).toBe(0))
})

test('a client that begins a head and does not end it is closed after a while', async () => {
  await start({ limits: { headTimeout: 100 } })
  const session = await wire()
  session.send(FrameType.headers, 0, 1, fieldBlock(good))
  const dripping = setInterval(() => session.send(FrameType.continuation, 0, 1, fieldBlock([['x', 'y']])), 20)
  await session.end()
  clearInterval(dripping)
})

test('a connection without a stream is closed after a while, whatever else is sent on it', async () => {
  await start({ serve: echoed, limits: { keepAliveTimeout: 100 } })
  const session = await wire()
  session.request(1, good)
  const pinging = setInterval(() => session.send(FrameType.ping, 0, 0, Buffer.alloc(8)), 20)
  const goAway = await session.frame(FrameType.goAway, 0)
  clearInterval(pinging)
  expect(goAway.payload.readUInt32BE(4)).toBe(constants.NGHTTP2_NO_ERROR)
  expect(goAway.payload.readUInt32BE(0)).toBe(1)
})

test('a body that stops is not waited for', async () => {
  await start({ limits: { idleTimeout: 50 } })
  const session = await client()
  const stream = session.request(post)
  stream.write('half')
  const asked = await rig.next()
  expect(await answerOf(stream)).toMatchObject({ reset: constants.NGHTTP2_CANCEL })
  expect(asked.aborted).toBe(true)
})

test('a client that does not read is not waited for', async () => {
  await start({ limits: { idleTimeout: 50 } })
  const session = await client()
  const stream = session.request(get)
  stream.on('error', () => {})
  const asked = await rig.next()
  asked.sink.head(200, '', [])
  await once(stream, 'response')
  asked.sink.data(Buffer.alloc(4 << 20))
  await asked.until(({ aborted }) => aborted)
})

test('an answer that takes its time is waited for', async () => {
  await start({ limits: { idleTimeout: 30, keepAliveTimeout: 30 } })
  const session = await client()
  const stream = session.request(get)
  const asked = await rig.next()
  await sleep(150)
  asked.answer(200, [], 'ok')
  expect(await answerOf(stream)).toMatchObject({ status: 200, body: 'ok' })
})

// Closing

test('closing serves streams that are on their way, then names the last, and waits for it', async () => {
  await start()
  const session = await wire()
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
  await start()
  const session = await client()
  session.request(get).on('error', () => {})
  const asked = await rig.next()
  const started = Date.now()
  await rig.frontEnd.close(100)
  expect(Date.now() - started).toBeLessThan(1_000)
  expect(asked.aborted).toBe(true)
  expect(rig.frontEnd.counters).toMatchObject({ open: 0, active: 0 })
})
