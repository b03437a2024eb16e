import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { afterEach, expect, test, vi } from 'vitest'
import { issue } from '../../test/certificates.ts'
import { type Answer, type ClientRig, http1Rig } from '../../test/http1-client-rig.ts'
import * as odd from '../../test/origins.ts'
import { RawConnection } from '../../test/raw-connection.ts'
import type { Connect } from '../origin-client.ts'
import { createConnect } from '../origin-socket/origin-socket.ts'
import type { Http1ClientLimits } from './limits.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

function start(limits?: Partial<Http1ClientLimits>, connect?: Connect): ClientRig {
  const rig = http1Rig(limits, connect)
  closers.push(() => rig.client.close())
  return rig
}

async function origin(serve: Parameters<typeof odd.startOrigin>[0]): Promise<odd.Origin> {
  const started = await odd.startOrigin(serve)
  closers.push(() => started.close())
  return started
}

const ok = 'HTTP/1.1 200 OK\r\n'
const sized = (body: string, lines = ''): string => `${ok}${lines}Content-Length: ${body.length}\r\n\r\n${body}`

const post = { method: 'POST', hasBody: true } as const

const clear = createConnect(() => undefined)

/** How many connections are still open at the origin's end. */
const openAt = ({ connections }: odd.Origin): number =>
  connections.filter((connection) => connection.closed === undefined).length

test('a request goes out as it was given, and its response comes back', async () => {
  const { endpoint } = await origin(odd.echo)
  const answer = await start()
    .send(endpoint, { target: '/a?b', authority: 'B.example:1', headers: ['X', '1', 'x', '2'] })
    .over()
  expect(answer).toMatchObject({ status: 200, reason: 'OK', headers: ['Content-Length', '52'] })
  expect(answer.body).toBe('GET /a?b HTTP/1.1\r\nHost: B.example:1\r\nX: 1\r\nx: 2\r\n\r\n')
})

test('requests share a connection, one after the other', async () => {
  const echo = await origin(odd.echo)
  const rig = start({ requestsPerOrigin: 1 })
  for (let count = 0; count < 5; count++) await rig.send(echo.endpoint).over()
  expect(echo.connections).toHaveLength(1)
})

test('a request that is sent from the end of another takes its connection', async () => {
  const echo = await origin(odd.echo)
  const rig = start()
  const first = rig.send(echo.endpoint)
  const next: Answer[] = []
  const end = first.end.bind(first)
  first.end = (trailers) => {
    end(trailers)
    next.push(rig.send(echo.endpoint, { target: '/next' }))
  }
  await first.over()
  expect((await next[0]?.over())?.body).toContain('GET /next')
  expect(echo.connections).toHaveLength(1)
})

test('the connection that served last serves next', async () => {
  const { endpoint, connections } = await origin(async (connection) => {
    for (;;) {
      await connection.message()
      connection.write(sized(`${connections.indexOf(connection)}`))
    }
  })
  const rig = start()
  const [first, second] = [rig.send(endpoint), rig.send(endpoint)]
  await second.over()
  await first.over()
  const last = (await rig.send(endpoint).over()).body
  expect((await rig.send(endpoint).over()).body).toBe(last)
})

test('origins under different policies share no connection', async () => {
  const echo = await origin(odd.echo)
  const connected: unknown[] = []
  const rig = start({}, (wanted, protocols, ready, onread) => {
    connected.push(wanted.tls)
    return clear({ ...wanted, tls: undefined }, protocols, ready, onread)
  })
  const tls = { hostname: 'a', authorities: '', subjectAltNames: [] }
  for (const policy of [undefined, tls, { ...tls }, { ...tls, hostname: 'b' }]) {
    await rig.send(echo.endpoint, {}, undefined, policy).over()
  }
  expect(connected).toEqual([undefined, tls, { ...tls, hostname: 'b' }])
})

test.for([
  ['of known length goes out as it is', ['Content-Length', '5'], 'Content-Length: 5\r\n\r\nhello'],
  ['of unknown length goes out in chunks', [], 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
] as const)('a body %s, in one write with the head if it comes at once', async ([, headers, text]) => {
  const { endpoint, connections } = await origin(odd.answer(sized('')))
  const writes: { readonly mock: { readonly calls: unknown[] } }[] = []
  const rig = start({}, (...order) => {
    const socket = clear(...order)
    writes.push(vi.spyOn(socket, '_write'), vi.spyOn(socket, '_writev'))
    return socket
  })
  for (let count = 0; count < 2; count++) {
    const answer = rig.send(endpoint, { ...post, headers })
    answer.exchange?.write(Buffer.from('hello'))
    answer.exchange?.end([])
    await answer.over()
  }
  const request = `POST / HTTP/1.1\r\nHost: a.example\r\n${text}`
  expect(connections.map(({ received }) => received)).toEqual([`${request}${request}`])
  // Several pieces in one write pass by Writable._writev.
  expect(writes.map(({ mock }) => mock.calls.length)).toEqual([0, 2])
})

test('a head does not wait for its body for long', async () => {
  const { endpoint, connections } = await origin(odd.silent)
  start().send(endpoint, post)
  await vi.waitFor(() => expect(connections[0]?.received).toContain('\r\n\r\n'))
})

test('a body of unknown length goes out in chunks, with trailers', async () => {
  const { endpoint } = await origin(async (connection) => {
    const head = await connection.until('\r\n\r\n')
    connection.write(sized(head + (await connection.until('\r\n\r\n'))))
  })
  const answer = start().send(endpoint, post)
  for (const piece of ['hello', '', 'x'.repeat(17)]) answer.exchange?.write(Buffer.from(piece))
  answer.exchange?.end(['T', '1'])
  expect((await answer.over()).body.split('\r\n\r\n')[1]).toBe(`5\r\nhello\r\n11\r\n${'x'.repeat(17)}\r\n0\r\nT: 1`)
})

test('a slow origin holds the upload back', async () => {
  const megabytes = 64
  const { endpoint, connections } = await origin(({ socket }) => {
    socket.pause()
  })
  const answer = start().send(endpoint, { ...post, headers: ['Content-Length', `${megabytes << 20}`] })
  let written = 0
  const upload = async () => {
    for (const block = Buffer.alloc(1 << 20, 'x'); written < megabytes; written++) {
      const { drains } = answer
      if (answer.exchange?.write(block) === false) await answer.when(() => answer.drains > drains)
    }
  }
  const uploaded = upload()
  await vi.waitFor(() => expect(connections).toHaveLength(1))
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(written).toBeLessThan(megabytes / 2)
  connections[0]?.socket.resume()
  await uploaded
  await vi.waitFor(() => expect(connections[0]?.received.length).toBeGreaterThan(megabytes << 20))
  answer.exchange?.abort()
})

test('who cannot take more holds the origin back', async () => {
  const { serve, state } = odd.bigBody(64)
  const { endpoint } = await origin(serve)
  let takes = false
  const answer = start().send(endpoint, {}, () => takes)
  await answer.when(({ pieces }) => pieces.length === 1)
  await vi.waitFor(() => expect(state.written).toBeGreaterThan(0))
  const length = () => answer.pieces.reduce((sum, piece) => sum + piece.length, 0)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(answer.pieces).toHaveLength(1)
  expect(state.written).toBeLessThan(32 << 20)
  takes = true
  answer.exchange?.resume()
  await answer.over()
  expect(length()).toBe(64 << 20)
})

test('bodies of many connections at once do not get mixed up', async () => {
  const bodies = Array.from({ length: 8 }, () => randomBytes(300_000))
  const { endpoint } = await origin(async (connection) => {
    const body = bodies[Number(/GET \/(\d)/.exec(await connection.until('\r\n\r\n'))?.[1])] ?? Buffer.alloc(0)
    connection.write(`${ok}Transfer-Encoding: chunked\r\n\r\n`)
    for (let at = 0; at < body.length; ) {
      const piece = body.subarray(at, at + 1 + (body[at] ?? 0) * (at % 3 === 0 ? 1 : 40))
      connection.socket.write(`${piece.length.toString(16)}\r\n`)
      connection.socket.write(piece)
      if (!connection.socket.write('\r\n')) await once(connection.socket, 'drain')
      at += piece.length
    }
    connection.write('0\r\n\r\n')
  })
  const rig = start()
  const answers = bodies.map((_, index) => rig.send(endpoint, { target: `/${index}` }))
  const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
  for (const [index, answer] of answers.entries()) {
    expect(hash(Buffer.concat((await answer.over()).pieces))).toBe(hash(bodies[index] ?? Buffer.alloc(0)))
  }
})

test('1xx pass on, but for 100', async () => {
  const { endpoint } = await origin(odd.interim)
  const answer = await start().send(endpoint).over()
  expect(answer.informationals).toEqual([[103, ['Link', '</a.css>']]])
  expect(answer.body).toBe('after all')
})

test('trailers come with the end', async () => {
  const { endpoint } = await origin(odd.answer(`${ok}Transfer-Encoding: chunked\r\n\r\n0\r\nT: 1\r\n\r\n`))
  expect((await start().send(endpoint).over()).trailers).toEqual(['T', '1'])
})

test('a response to HEAD has no body, and the connection goes on', async () => {
  const head = await origin(odd.answer(`${ok}Content-Length: 5\r\n\r\n`))
  const rig = start()
  for (let count = 0; count < 2; count++) {
    const answer = await rig.send(head.endpoint, { method: 'HEAD' }).over()
    expect(answer).toMatchObject({ headers: ['Content-Length', '5'], body: '' })
  }
  expect(head.connections).toHaveLength(1)
})

test('a body may last until the connection ends', async () => {
  const { endpoint } = await origin(odd.halfClose)
  const answer = start().send(endpoint)
  expect(await answer.outcome()).toBe('whole')
  expect(answer.body).toBe('until the end')
})

test.for<[string, string, string]>([
  ['is shorter than its length', `${ok}Content-Length: 10\r\n\r\nhello`, 'hello'],
  ['breaks off in a chunk', `${ok}Transfer-Encoding: chunked\r\n\r\n8\r\nhello`, 'hello'],
  ['breaks off between chunks', `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`, 'hello'],
  ['breaks off in its head', `${ok}Content-Le`, ''],
])('a response that %s is lost', async ([, bytes, body]) => {
  const { endpoint } = await origin(odd.dieAfter(bytes))
  const answer = start().send(endpoint)
  expect(await answer.outcome()).toBe('connection-lost')
  expect(answer.body).toBe(body)
})

test('a body until the end that ends with a reset is lost', async () => {
  const { endpoint, connections } = await origin(odd.answer(`${ok}\r\nhello`))
  const answer = start().send(endpoint)
  await answer.when(({ body }) => body === 'hello')
  connections[0]?.socket.resetAndDestroy()
  expect(await answer.outcome()).toBe('connection-lost')
  expect(answer.error?.message).toContain('ECONNRESET')
})

test('what is no response fails', async () => {
  const { endpoint, ...garbage } = await origin(odd.garbage)
  expect(await start().send(endpoint).outcome()).toBe('invalid-response')
  await vi.waitFor(() => expect(openAt({ endpoint, ...garbage })).toBe(0))
})

test.for<[string, string]>([
  ['more than its length', sized('hello') + sized('other')],
  ['Connection: close', sized('hello', 'Connection: close\r\n')],
  ['Keep-Alive: timeout=0', sized('hello', 'Keep-Alive: timeout=0\r\n')],
  ['HTTP/1.0', sized('hello').replace('1.1', '1.0')],
])('behind %s, a connection serves no more', async ([, bytes]) => {
  const served = await origin(odd.answer(bytes))
  const rig = start()
  for (let count = 1; count <= 2; count++) {
    const answer = rig.send(served.endpoint)
    expect(await answer.outcome()).toBe('whole')
    expect(answer.body).toBe('hello')
    expect(served.connections).toHaveLength(count)
  }
  await vi.waitFor(() => expect(openAt(served)).toBe(0))
})

test('bytes that come on an idle connection close it, and belong to no request', async () => {
  const talker = await origin(odd.answer(sized('one')))
  const rig = start()
  await rig.send(talker.endpoint).over()
  talker.connections[0]?.write(sized('two'))
  await vi.waitFor(() => expect(openAt(talker)).toBe(0))
  expect((await rig.send(talker.endpoint).over()).body).toBe('one')
})

test('a response before the end of its request stops the upload', async () => {
  const early = await origin(odd.answerEarly(sized('too large')))
  const answer = start().send(early.endpoint, post)
  answer.exchange?.write(Buffer.from('a piece'))
  expect(await answer.outcome()).toBe('whole')
  await vi.waitFor(() => expect(openAt(early)).toBe(0))
  expect(answer.exchange?.write(Buffer.from('another'))).toBe(true)
  answer.exchange?.end([])
})

test.for<[string, string, string]>([
  ['with its answer, is heard', sized('too large'), 'whole'],
  ['without an answer, is noticed', '', 'connection-lost, unheard'],
])('an origin that resets the connection in the middle of an upload, %s', async ([, bytes, outcome]) => {
  const upload = { current: (): unknown => undefined }
  const rude = await origin(async (connection) => {
    await connection.until('piece')
    connection.write(bytes)
    connection.socket.resetAndDestroy()
    // The write meets the reset before anything has been read.
    upload.current()
  })
  const rig = start()
  for (let count = 1; count <= 2; count++) {
    const answer = rig.send(rude.endpoint, post)
    upload.current = () => answer.exchange?.write(Buffer.from('another'))
    answer.exchange?.write(Buffer.from('a piece'))
    expect(await answer.outcome()).toBe(outcome)
  }
  expect(rude.connections).toHaveLength(2)
})

/** Answers one request and ends in another way at the next. */
const onceThen = (then: (connection: RawConnection) => unknown) => async (connection: RawConnection) => {
  await connection.message()
  connection.write(sized('first'))
  await connection.message()
  await then(connection)
}

test.for<[string, (connection: RawConnection) => unknown]>([
  ['closed', ({ socket }) => socket.destroy()],
  ['reset', ({ socket }) => socket.resetAndDestroy()],
])('a request is sent once more when the connection it was to share was %s', async ([, end]) => {
  let connections = 0
  const flaky = await origin((connection) => (connections++ === 0 ? onceThen(end)(connection) : odd.echo(connection)))
  const rig = start()
  await rig.send(flaky.endpoint).over()
  expect((await rig.send(flaky.endpoint, { method: 'PUT' }).over()).body).toContain('PUT / HTTP/1.1')
  expect(flaky.connections).toHaveLength(2)
})

test.for<[string, Parameters<ClientRig['send']>[1]]>([
  ['with a body', { method: 'PUT', hasBody: true }],
  ['that is not idempotent', { method: 'POST' }],
])('a request %s is not', async ([, changes]) => {
  const flaky = await origin(onceThen(({ socket }) => socket.destroy()))
  const rig = start()
  await rig.send(flaky.endpoint).over()
  const answer = rig.send(flaky.endpoint, changes)
  answer.exchange?.end([])
  expect(await answer.outcome()).toBe('connection-lost, unheard')
  expect(flaky.connections).toHaveLength(1)
})

test('nor is one that got a byte of an answer', async () => {
  const flaky = await origin(onceThen(({ socket }) => socket.end('H')))
  const rig = start()
  await rig.send(flaky.endpoint).over()
  expect(await rig.send(flaky.endpoint).outcome()).toBe('connection-lost')
  expect(flaky.connections).toHaveLength(1)
})

test('nor a third time', async () => {
  let connections = 0
  const flaky = await origin((connection) =>
    connections++ === 0 ? onceThen(({ socket }) => socket.destroy())(connection) : odd.closeEarly(connection),
  )
  const rig = start()
  await rig.send(flaky.endpoint).over()
  expect(await rig.send(flaky.endpoint).outcome()).toBe('connection-lost, unheard')
  expect(flaky.connections).toHaveLength(2)
})

test('a connection that dies in use loses its request', async () => {
  const { endpoint, connections } = await origin(odd.closeEarly)
  expect(await start().send(endpoint).outcome()).toBe('connection-lost, unheard')
  expect(connections).toHaveLength(1)
})

test('where nobody listens, nothing is sent', async () => {
  expect(
    await start()
      .send(await odd.closedEndpoint())
      .outcome(),
  ).toBe('connect-failed, unheard')
})

test('who is too slow to connect is left', async () => {
  const sockets: Socket[] = []
  const rig = start({ connectTimeout: 40 }, () => {
    sockets.push(new Socket())
    return sockets[0] ?? new Socket()
  })
  const since = performance.now()
  expect(await rig.send({ address: '127.0.0.1', port: 1 }).outcome()).toBe('connect-failed, unheard')
  expect(performance.now() - since).toBeGreaterThan(39)
  expect(sockets[0]?.destroyed).toBe(true)
})

test.for<[string, Parameters<typeof odd.startOrigin>[0], string]>([
  ['before its answer', odd.silent, 'timeout, unheard'],
  ['within it', odd.hangMidBody, 'timeout'],
])('an origin that falls silent %s is left', async ([, serve, outcome]) => {
  const silent = await origin(serve)
  const since = performance.now()
  expect(await start({ idleTimeout: 40 }).send(silent.endpoint).outcome()).toBe(outcome)
  expect(performance.now() - since).toBeGreaterThan(39)
  await vi.waitFor(() => expect(openAt(silent)).toBe(0))
})

test('an origin that speaks slowly is not', async () => {
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 30))
  const { endpoint } = await origin(odd.slowBody(['a', 'b', 'c', 'd', 'e'], pause))
  const answer = start({ idleTimeout: 100 }).send(endpoint)
  expect(await answer.outcome()).toBe('whole')
  expect(answer.body).toBe('abcde')
})

test.for<[string, Partial<Http1ClientLimits>, string]>([
  ['its own time', { reuseTimeout: 40 }, ''],
  ["the origin's", { reuseTimeout: 60_000, connectTimeout: 100 }, 'Keep-Alive: timeout=1, max=7\r\n'],
])('a connection waits for its next request for %s at most', async ([, limits, lines]) => {
  const served = await origin(odd.answer(sized('', lines)))
  await start(limits).send(served.endpoint).over()
  expect(openAt(served)).toBe(1)
  await vi.waitFor(() => expect(openAt(served)).toBe(0), { timeout: 2_000 })
})

test('more requests to an origin than may be are not sent', async () => {
  const busy = await origin(odd.silent)
  const rig = start({ requestsPerOrigin: 2 })
  const [first] = [rig.send(busy.endpoint), rig.send(busy.endpoint)]
  expect(await rig.send(busy.endpoint).outcome()).toBe('overloaded, unheard')
  first.exchange?.abort()
  const next = rig.send(busy.endpoint)
  await vi.waitFor(() => expect(busy.connections).toHaveLength(3))
  expect(next.state).toBe('waiting')
  next.exchange?.abort()
})

test('no more idle connections are kept than may be', async () => {
  const echo = await origin(odd.echo)
  const rig = start({ idleConnectionsPerOrigin: 2 })
  const answers = Array.from({ length: 5 }, () => rig.send(echo.endpoint))
  for (const answer of answers) await answer.over()
  await vi.waitFor(() => expect(openAt(echo)).toBe(2))
})

test.for<[string, (answer: Answer) => unknown]>([
  ['before the answer', () => undefined],
  ['within the body', (answer) => answer.when(({ pieces }) => pieces.length > 0)],
])('the origin hears of an abort %s within 50 ms, and the sink nothing', async ([name, moment]) => {
  const { endpoint, connections } = await origin(name === 'within the body' ? odd.hangMidBody : odd.silent)
  const answer = start().send(endpoint)
  await vi.waitFor(() => expect(connections[0]?.received).toContain('\r\n\r\n'))
  await moment(answer)
  const since = performance.now()
  answer.exchange?.abort()
  await connections[0]?.rest()
  expect(performance.now() - since).toBeLessThan(50)
  expect(answer.error).toBeUndefined()
})

test('an abort ends a connection that does not stand yet', async () => {
  const socket = new Socket()
  const answer = start({}, () => socket).send({ address: '127.0.0.1', port: 1 })
  answer.exchange?.abort()
  expect(socket.destroyed).toBe(true)
  await once(socket, 'close')
  expect(answer.state).toBe('waiting')
})

test('an abort from within the head leaves a connection that is done to others', async () => {
  const echo = await origin(odd.echo)
  const rig = start()
  const answer = rig.send(echo.endpoint)
  answer.head = () => answer.exchange?.abort()
  answer.data = () => {
    throw new Error('data')
  }
  await vi.waitFor(() => expect(echo.connections[0]?.received).toContain('\r\n\r\n'))
  await new Promise(setImmediate)
  await rig.send(echo.endpoint).over()
  expect(echo.connections).toHaveLength(1)
})

test('nothing follows an abort from within an interim response', async () => {
  const { endpoint } = await origin(odd.interim)
  const answer = start().send(endpoint)
  const aborted = new Promise<void>((resolve) => {
    answer.informational = () => {
      answer.exchange?.abort()
      resolve()
    }
  })
  await aborted
  await new Promise(setImmediate)
  expect(answer.state).toBe('waiting')
})

test.for<[string, string[], string[], string]>([
  ['that cannot be written', ['A', '1\r\nB: 2'], [], 'invalid-request, unheard'],
  ['with a shorter body than it says', ['Content-Length', '5'], ['hell'], 'invalid-request, unheard'],
  ['with a longer body than it says', ['Content-Length', '5'], ['hello', 'x'], 'invalid-request, unheard'],
])('a request %s fails, and its connection serves no other', async ([, headers, body, outcome]) => {
  const echo = await origin(odd.silent)
  const answer = start().send(echo.endpoint, { ...post, headers })
  for (const piece of body) answer.exchange?.write(Buffer.from(piece))
  answer.exchange?.end([])
  expect(await answer.outcome()).toBe(outcome)
  await vi.waitFor(() => expect(openAt(echo)).toBe(0))
  expect(echo.connections.map(({ received }) => received).join('')).not.toContain('hellox')
})

const upgrade = { upgrade: 'websocket', headers: ['Sec-WebSocket-Key', 'eA=='] } as const

test('an upgrade hands the socket over, with what came behind the head', async () => {
  let connections = 0
  const serve = odd.upgradeEcho('greeting')
  const { endpoint } = await origin((connection) => (connections++ === 0 ? odd.echo : serve)(connection))
  const rig = start({ requestsPerOrigin: 1 })
  // A connection that has served does not do for an upgrade.
  await rig.send(endpoint).over()
  const { tunnel, status, headers } = await rig.send(endpoint, upgrade).over()
  expect(status).toBe(101)
  expect(headers).toEqual(['Sec-WebSocket-Accept', expect.any(String)])
  expect(tunnel?.rest.toString()).toBe('greeting')
  expect(tunnel?.socket.listenerCount('data')).toBe(0)
  tunnel?.socket.write('ping')
  tunnel?.socket.resume()
  const [echoed] = await once(tunnel?.socket ?? new Socket(), 'data')
  expect(`${echoed}`).toBe('ping')
  // Tunnels are no requests under way.
  const second = await rig.send(endpoint, upgrade).over()
  expect(second.status).toBe(101)
  tunnel?.socket.destroy()
  second.tunnel?.socket.destroy()
})

test('a refused upgrade is a response like any other', async () => {
  const { endpoint, ...rest } = await origin(odd.answer(sized('no').replace('200', '403')))
  const answer = await start().send(endpoint, upgrade).over()
  expect(answer).toMatchObject({ status: 403, body: 'no' })
  await vi.waitFor(() => expect(openAt({ endpoint, ...rest })).toBe(0))
})

test('closing leaves what is under way, and keeps nothing idle', async () => {
  const gate = Promise.withResolvers<void>()
  const slow = await origin(odd.slowBody(['a', 'b'], () => gate.promise))
  const echo = await origin(odd.echo)
  const rig = start()
  await rig.send(echo.endpoint).over()
  const answer = rig.send(slow.endpoint)
  await answer.when(({ state }) => state === 'begun')
  rig.client.close()
  await vi.waitFor(() => expect(openAt(echo)).toBe(0))
  gate.resolve()
  expect(await answer.outcome()).toBe('whole')
  await vi.waitFor(() => expect(openAt(slow)).toBe(0))
})

test('a client without connections does nothing', async () => {
  const echo = await origin(odd.echo)
  let looks = 0
  const rig = http1Rig({ reuseTimeout: 40 }, undefined, () => {
    looks++
    return performance.now()
  })
  await rig.send(echo.endpoint).over()
  await vi.waitFor(() => expect(openAt(echo)).toBe(0))
  await new Promise((resolve) => setTimeout(resolve, 20))
  const before = looks
  expect(before).toBeGreaterThan(1)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(looks).toBe(before)
  await rig.send(echo.endpoint).over()
  await vi.waitFor(() => expect(openAt(echo)).toBe(0))
})

test('TLS origins are spoken to in the same way', async () => {
  const authority = issue({ subject: 'authority', isAuthority: true })
  const { certificate, privateKey } = issue({ subject: 'origin', issuer: authority, names: ['DNS:origin.example'] })
  const bodies = randomBytes(200_000).toString('hex')
  const connections: RawConnection[] = []
  const server = createTlsServer({ cert: certificate, key: privateKey }, (socket) => {
    const connection = new RawConnection(socket)
    connections.push(connection)
    odd
      .answer(sized(bodies))(connection)
      .catch(() => socket.destroy())
  })
  closers.push(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const bound = server.address()
  const endpoint = { address: '127.0.0.1', port: bound !== null && typeof bound === 'object' ? bound.port : 0 }
  const tls = { hostname: 'origin.example', authorities: authority.certificate, subjectAltNames: [] }
  const rig = start()
  for (let count = 0; count < 3; count++) {
    expect((await rig.send(endpoint, {}, undefined, tls).over()).body === bodies).toBe(true)
  }
  expect(connections).toHaveLength(1)
  const wrong = rig.send(endpoint, {}, undefined, { ...tls, hostname: 'other.example' })
  expect(await wrong.outcome()).toBe('tls-failed, unheard')
})
