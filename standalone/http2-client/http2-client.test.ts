import { createHash, randomBytes } from 'node:crypto'
import { constants, type ServerHttp2Stream } from 'node:http2'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { issue } from '../../test/certificates.ts'
import { Http2ClientRig, pass, post } from '../../test/http2-client-rig.ts'
import type { RequestHead } from '../exchange.ts'

let rig: Http2ClientRig
beforeEach(() => {
  rig = new Http2ClientRig()
})
afterEach(() => {
  expect(rig.close()).toEqual([])
})

const echo = (stream: ServerHttp2Stream): void => {
  stream.respond({ ':status': 200 })
  stream.pipe(stream)
}

test('a request arrives as it was opened: method, authority byte for byte, path, lines in their order', async () => {
  let received: string[] = []
  const origin = await rig.server((stream, lines) => {
    received = lines
    stream.respond({ ':status': 200 }, { endStream: true })
  })
  const record = await rig.ask(rig.client(), origin, {
    method: 'PURGE',
    target: '/a//../%2e?b=%20;c',
    authority: 'Very.Specific.com:1234',
    headers: ['X-B', '1', 'x-a', '2', 'X-B', '3', 'cookie', 'a=1', 'cookie', 'b=2', 'X-Empty', ''],
  })
  expect(record.answer?.status).toBe(200)
  expect(received).toEqual([
    ...[':method', 'PURGE', ':scheme', 'http', ':authority', 'Very.Specific.com:1234', ':path', '/a//../%2e?b=%20;c'],
    ...['x-b', '1', 'x-a', '2', 'x-b', '3', 'cookie', 'a=1', 'cookie', 'b=2', 'x-empty', ''],
  ])
})

test('a response arrives as it was sent, with lines in their order', async () => {
  const origin = await rig.server((stream) => {
    stream.respond([':status', '404', 'x-b', '1', 'set-cookie', 'a=1', 'x-b', '2', 'set-cookie', 'b=2', 'date', ''])
    stream.end('not here')
  })
  const record = await rig.ask(rig.client(), origin)
  expect(record.answer).toEqual({
    status: 404,
    reason: '',
    headers: ['x-b', '1', 'set-cookie', 'a=1', 'x-b', '2', 'set-cookie', 'b=2', 'date', ''],
  })
  expect(record.body).toBe('not here')
  expect(record.trailers).toEqual([])
})

test('bytes above 0x7f survive in both directions', async () => {
  let received: string[] = []
  const origin = await rig.server((stream, lines) => {
    received = lines
    stream.respond([':status', '200', 'x-a', '\xe9\xff'], { endStream: true })
  })
  const record = await rig.ask(rig.client(), origin, { headers: ['x-a', '\xe9\xff'] })
  expect(received.at(-1)).toBe('\xe9\xff')
  expect(record.answer?.headers).toContain('\xe9\xff')
})

test.for<[string, te: string, sent: string[]]>([
  ['trailers passes', 'trailers', ['te', 'trailers']],
  ['anything beside trailers does not', 'gzip, Trailers;q=0.5', ['te', 'trailers']],
  ['anything else does not', 'gzip', []],
  ['what only looks like it does not', 'x-trailers', []],
])('TE: %s', async ([, te, sent]) => {
  let received: string[] = []
  const origin = await rig.server((stream, lines) => {
    received = lines
    stream.respond({ ':status': 200 }, { endStream: true })
  })
  await rig.ask(rig.client(), origin, { headers: ['TE', te] })
  expect(received.slice(8)).toEqual(sent)
})

test('fields of one connection never pass', async () => {
  let received: string[] = []
  const origin = await rig.server((stream, lines) => {
    received = lines
    stream.respond({ ':status': 200 }, { endStream: true })
  })
  const ofOneHop = [
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Transfer-Encoding',
    'Upgrade',
    'HTTP2-Settings',
    'Host',
  ]
  await rig.ask(rig.client(), origin, { headers: [...ofOneHop.flatMap((name) => [name, 'x']), 'x-kept', '1'] })
  expect(received.slice(8)).toEqual(['x-kept', '1'])
})

test.for<[string, Partial<RequestHead>]>([
  ['a line feed in a value', { headers: ['x-a', '1\nx-b: 2'] }],
  ['a NUL in a value', { headers: ['x-a', '1\0x-b\x002'] }],
  ['a character that Latin-1 would write as a line feed', { headers: ['x-a', '\u010a'] }],
  ['a space in a name', { headers: ['x a', '1'] }],
  ['a pseudo-header field among the lines', { headers: [':path', '/b'] }],
  ['a space in the target', { target: '/a b' }],
  ['a NUL in the target', { target: '/a\0b' }],
  ['no target', { target: '' }],
  ['a line feed in the authority', { authority: 'a\nb' }],
  ['no authority', { authority: '' }],
  ['an authority that no server takes', { authority: 'a"b' }],
  ['CONNECT', { method: 'CONNECT' }],
  ['a method that is none', { method: 'G T' }],
  ['an upgrade', { upgrade: 'websocket' }],
  ['two lengths', { ...post, headers: ['content-length', '1', 'content-length', '1'] }],
  ['a length that is none', { ...post, headers: ['content-length', '+1'] }],
  ['a length without a body', { headers: ['content-length', '1'] }],
  ['a head too large', { headers: [...Array(3)].flatMap(() => ['x-a', 'x'.repeat(50_000)]) }],
  ['a field too large', { headers: ['x-a', 'x'.repeat(65_600)] }],
])('%s is an invalid-request, and no connection is opened', async ([, request]) => {
  const origin = await rig.server(echo)
  const { error } = await rig.ask(rig.client(), origin, request)
  expect(error).toMatchObject({ kind: 'invalid-request', unheard: true })
  expect(rig.connects).toBe(0)
})

test('a large head goes through, and the connection lives on', async () => {
  const origin = await rig.server(
    (stream, lines) => stream.respond({ ':status': 200, 'x-length': `${lines.join('').length}` }, { endStream: true }),
    { settings: { maxHeaderListSize: 1 << 20 }, maxSessionMemory: 100 },
  )
  const client = rig.client()
  const record = await rig.ask(client, origin, { headers: ['x-a', '~'.repeat(65_000), 'x-b', '~'.repeat(65_000)] })
  expect(Number(record.answer?.headers[1])).toBeGreaterThan(130_000)
  await rig.ask(client, origin)
  expect(rig.connects).toBe(1)
})

test('a head that is more than the origin says it takes is an invalid-request, and the connection lives on', async () => {
  const origin = await rig.server(echo, { settings: { maxHeaderListSize: 1_000 } })
  const client = rig.client()
  await rig.ask(client, origin)
  const { error } = await rig.ask(client, origin, { headers: ['x-a', 'x'.repeat(1_000)] })
  expect(error).toMatchObject({ kind: 'invalid-request', unheard: true })
  expect((await rig.ask(client, origin)).answer?.status).toBe(200)
  expect(rig.connects).toBe(1)
})

test('a body goes out and comes back whole, however large', async () => {
  const origin = await rig.server(echo)
  const { exchange, record } = rig.open(rig.client(), origin, post)
  const hash = createHash('sha256')
  for (let sent = 0; sent < 200; sent++) {
    const chunk = randomBytes(50_000)
    hash.update(chunk)
    const { drains } = record
    if (!exchange.write(chunk)) await record.until((now) => now.drains > drains)
  }
  exchange.end([])
  await record.ended()
  expect(createHash('sha256').update(Buffer.concat(record.chunks)).digest()).toEqual(hash.digest())
})

test('a body without a byte ends, and so does one of which all is written before there is a connection', async () => {
  const origin = await rig.server(echo)
  const client = rig.client()
  const early = rig.open(client, origin, post)
  for (const chunk of ['a', 'b', 'c']) early.exchange.write(Buffer.from(chunk))
  early.exchange.end([])
  expect((await early.record.ended()).body).toBe('abc')
  const empty = rig.open(client, origin, post)
  empty.exchange.end([])
  expect((await empty.record.ended()).body).toBe('')
  expect(rig.connects).toBe(1)
})

test.for(['HEAD', 'GET'] as const)('%s with 304 or a length and no body ends well', async (method) => {
  const origin = await rig.server((stream) => {
    stream.respond({ ':status': method === 'GET' ? 304 : 200, 'content-length': '55' }, { endStream: true })
  })
  const record = await rig.ask(rig.client(), origin, { method })
  expect(record.error).toBeUndefined()
  expect(record.answer?.headers).toContain('55')
})

test('trailers pass both ways, several of a name too, and fields that frame do not', async () => {
  let received: string[] = []
  const origin = await rig.server((stream) => {
    stream.on('trailers', (_headers: object, _flags: number, lines: string[]) => {
      received = lines
    })
    stream.respond({ ':status': 200 }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-a': ['1', '2'] }))
    stream.pipe(stream)
  })
  const { exchange, record } = rig.open(rig.client(), origin, post)
  exchange.write(Buffer.from('a'))
  exchange.end(['X-Sum', '1', 'Content-Length', '5', 'Host', 'x', 'x-sum', '2', 'x-bad', 'a\nb', ':path', '/'])
  await record.ended()
  expect(received).toEqual(['x-sum', '1', 'x-sum', '2'])
  expect(record.trailers).toEqual(['grpc-status', '0', 'x-a', '1', 'x-a', '2'])
  expect(record.body).toBe('a')
})

test('103 passes and 100 does not', async () => {
  const origin = await rig.server((stream) => {
    stream.additionalHeaders({ ':status': 100 })
    stream.additionalHeaders({ ':status': 103, link: '</a>' })
    stream.additionalHeaders({ ':status': 102 })
    echo(stream)
  })
  const { informed } = await rig.ask(rig.client(), origin)
  expect(informed).toEqual([
    { status: 103, headers: ['link', '</a>'] },
    { status: 102, headers: [] },
  ])
})

// The four shapes of gRPC, with a message a chunk.

const grpc = { ...post, headers: ['content-type', 'application/grpc', 'te', 'trailers'] }

function grpcServer(stream: ServerHttp2Stream, messages: (message: string) => string[], last: () => string[]): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('data', (message) => {
    for (const reply of messages(`${message}`)) stream.write(reply)
  })
  stream.on('end', () => stream.end(last().join('')))
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
}

test('gRPC: one message each way', async () => {
  const origin = await rig.server((stream) =>
    grpcServer(
      stream,
      (message) => [`${message}!`],
      () => [],
    ),
  )
  const { exchange, record } = rig.open(rig.client(), origin, grpc)
  exchange.write(Buffer.from('a'))
  exchange.end([])
  await record.ended()
  expect([record.body, record.trailers]).toEqual(['a!', ['grpc-status', '0']])
})

test('gRPC: a stream of messages from the origin', async () => {
  const origin = await rig.server((stream) =>
    grpcServer(
      stream,
      (message) => [message, message, message],
      () => ['.'],
    ),
  )
  const { exchange, record } = rig.open(rig.client(), origin, grpc)
  exchange.write(Buffer.from('a'))
  exchange.end([])
  await record.ended()
  expect([record.body, record.trailers]).toEqual(['aaa.', ['grpc-status', '0']])
})

test('gRPC: a stream of messages to the origin', async () => {
  const seen: string[] = []
  const keep = (message: string): string[] => {
    seen.push(message)
    return []
  }
  const origin = await rig.server((stream) => grpcServer(stream, keep, () => seen))
  const { exchange, record } = rig.open(rig.client(), origin, grpc)
  for (const message of ['a', 'b', 'c']) {
    exchange.write(Buffer.from(message))
    await expect.poll(() => seen.at(-1)).toBe(message)
  }
  exchange.end([])
  expect((await record.ended()).body).toBe('abc')
})

test('gRPC: messages to and fro, each end closed for itself', async () => {
  const origin = await rig.server((stream) =>
    grpcServer(
      stream,
      (message) => [message.toUpperCase()],
      () => ['bye'],
    ),
  )
  const { exchange, record } = rig.open(rig.client(), origin, grpc)
  for (const message of ['a', 'b', 'c']) {
    exchange.write(Buffer.from(message))
    await record.until(({ body }) => body.endsWith(message.toUpperCase()))
  }
  exchange.end([])
  await record.ended()
  expect([record.body, record.trailers]).toEqual(['ABCbye', ['grpc-status', '0']])
})

test('gRPC: an answer of trailers only', async () => {
  const origin = await rig.server((stream) =>
    stream.respond({ ':status': 200, 'grpc-status': '12' }, { endStream: true }),
  )
  const { exchange, record } = rig.open(rig.client(), origin, grpc)
  exchange.end([])
  await record.ended()
  expect(record.answer?.headers.slice(0, 2)).toEqual(['grpc-status', '12'])
  expect(record.trailers).toEqual([])
})

test('abort resets the stream with CANCEL at once, and nothing more is heard', async () => {
  const reset = Promise.withResolvers<number>()
  let stream: ServerHttp2Stream | undefined
  const origin = await rig.server((opened) => {
    stream = opened
    opened.on('close', () => reset.resolve(performance.now()))
    opened.respond({ ':status': 200 })
    opened.write('a')
  })
  const { exchange, record } = rig.open(rig.client(), origin, post)
  exchange.write(Buffer.from('x'))
  await record.until(({ body }) => body === 'a')
  const at = performance.now()
  exchange.abort()
  record.silence()
  stream?.write('b')
  expect((await reset.promise) - at).toBeLessThan(50)
  expect(stream?.rstCode).toBe(constants.NGHTTP2_CANCEL)
  exchange.write(Buffer.from('y'))
  exchange.end([])
  exchange.resume()
  await pass(20)
})

test('an upload that is aborted while its window is stalled is reset at once too', async () => {
  const reset = Promise.withResolvers<void>()
  const origin = await rig.server((stream) => stream.on('close', reset.resolve).pause())
  const { exchange, record } = rig.open(rig.client(), origin, post)
  for (let sent = 0; sent < 40; sent++) exchange.write(Buffer.alloc(50_000))
  await pass(50)
  exchange.abort()
  record.silence()
  await reset.promise
})

test('a request that is aborted while it waits for a connection is never sent', async () => {
  let streams = 0
  const origin = await rig.server((stream) => {
    streams++
    echo(stream)
  })
  const client = rig.client()
  const { exchange, record } = rig.open(client, origin)
  exchange.abort()
  record.silence()
  await rig.ask(client, origin)
  expect(streams).toBe(1)
})

test('a reader who wants no more holds the origin back, and loses nothing', async () => {
  let written = 0
  const origin = await rig.server((stream) => {
    stream.respond({ ':status': 200 })
    const chunk = Buffer.alloc(16_384, 'x')
    const write = (): void => {
      while (written < 300) {
        written++
        if (!stream.write(chunk)) {
          stream.once('drain', write)
          return
        }
      }
      stream.end()
    }
    write()
  })
  const { exchange, record } = rig.open(rig.client(), origin)
  record.appetite = 1
  await record.until(({ chunks }) => chunks.length === 1)
  await pass(100)
  expect(record.chunks.length).toBe(1)
  // The window, and what both ends keep before it.
  expect(written * 16_384).toBeLessThan(1_000_000)
  record.eat(exchange, 3)
  await record.until(({ chunks }) => chunks.length === 4)
  record.eat(exchange)
  await record.ended()
  expect(record.body.length).toBe(300 * 16_384)
})

test('an origin that takes no more holds the writer back, and a reader of another stream is not held', async () => {
  const taken = Promise.withResolvers<ServerHttp2Stream>()
  const origin = await rig.server((stream, lines) => {
    if (lines.includes('POST')) taken.resolve(stream)
    else echo(stream)
  })
  const client = rig.client()
  const { exchange, record } = rig.open(client, origin, post)
  const stream = await taken.promise
  let accepted = 0
  while (exchange.write(Buffer.alloc(16_384))) accepted += 16_384
  expect(accepted).toBeLessThan(400_000)
  await pass(30)
  const { drains } = record
  expect((await rig.ask(client, origin)).answer?.status).toBe(200)
  stream.resume()
  await record.until((now) => now.drains > drains)
  exchange.end([])
  stream.respond({ ':status': 200 }, { endStream: true })
  expect((await record.ended()).error).toBeUndefined()
})

test('what a slow reader has not taken of a whole answer outlives the connection', async () => {
  const sent = Promise.withResolvers<void>()
  const origin = await rig.server((stream) => {
    stream.respond({ ':status': 200 }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }))
    stream.end('x'.repeat(200_000))
    stream.on('close', sent.resolve)
  })
  const { exchange, record } = rig.open(rig.client(), origin)
  record.appetite = 1
  await sent.promise
  await pass(50)
  rig.cut()
  await pass(20)
  expect([record.chunks.length, record.error]).toEqual([1, undefined])
  record.eat(exchange)
  expect([record.body.length, record.trailers]).toEqual([200_000, ['x-sum', '1']])
})

test('by TLS the scheme is https and the protocol h2', async () => {
  const { certificate, privateKey } = issue({ subject: 'origin', names: ['DNS:origin.example'] })
  let received: string[] = []
  const origin = await rig.server(
    (stream, lines) => {
      received = lines
      echo(stream)
    },
    { cert: certificate, key: privateKey },
  )
  const tls = { hostname: 'origin.example', authorities: certificate, subjectAltNames: [] }
  const client = rig.client()
  const record = await rig.ask(client, { ...origin, tls })
  expect(record.answer?.status).toBe(200)
  expect(received.slice(2, 4)).toEqual([':scheme', 'https'])
  expect((await rig.ask(client, { ...origin, tls: { ...tls, hostname: 'other.example' } })).error?.kind).toBe(
    'tls-failed',
  )
  expect((await rig.ask(client, origin)).error?.kind).toBe('connection-lost')
  // A policy that says the same, from another version of the table.
  await rig.ask(client, { ...origin, tls: { ...tls } })
  expect(rig.connects).toBe(3)
})

test('a body that is longer or shorter than it says is an invalid-request, and the stream is reset', async () => {
  const codes: number[] = []
  const origin = await rig.server((stream) => stream.on('close', () => codes.push(stream.rstCode)).resume())
  const client = rig.client()
  const length = { ...post, headers: ['Content-Length', '3'] }
  const long = rig.open(client, origin, length)
  long.exchange.write(Buffer.from('ab'))
  await expect.poll(() => rig.connects).toBe(1)
  await pass(20)
  long.exchange.write(Buffer.from('cd'))
  expect((await long.record.ended()).error).toMatchObject({ kind: 'invalid-request', unheard: true })
  const short = rig.open(client, origin, length)
  short.exchange.write(Buffer.from('ab'))
  short.exchange.end([])
  expect((await short.record.ended()).error?.kind).toBe('invalid-request')
  await expect.poll(() => codes).toEqual([constants.NGHTTP2_CANCEL, constants.NGHTTP2_CANCEL])
})

test('many requests at once share a connection, and each gets its own answer', async () => {
  const origin = await rig.server((stream) => {
    stream.respond({ ':status': 200 })
    setTimeout(() => stream.pipe(stream), Math.random() * 20)
  })
  const client = rig.client()
  await rig.ask(client, origin, { method: 'HEAD' })
  const answers = await Promise.all(
    Array.from({ length: 500 }, async (_, index) => {
      const { exchange, record } = rig.open(client, origin, post)
      exchange.write(Buffer.from(`${index}`))
      exchange.end([])
      return (await record.ended()).body
    }),
  )
  expect(answers).toEqual(Array.from({ length: 500 }, (_, index) => `${index}`))
  expect(rig.connects).toBe(1)
})

test('close lets what is under way end', async () => {
  const origin = await rig.server(echo)
  const client = rig.client()
  const { exchange, record } = rig.open(client, origin, post)
  exchange.write(Buffer.from('a'))
  await record.until(({ body }) => body === 'a')
  client.close()
  exchange.write(Buffer.from('b'))
  exchange.end([])
  await record.ended()
  expect([record.body, record.error]).toEqual(['ab', undefined])
})
