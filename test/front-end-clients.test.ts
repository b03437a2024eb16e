import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { request as httpsRequest, Agent as TlsAgent } from 'node:https'
import { connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { afterEach, expect, test, vi } from 'vitest'
import type { FrontEnd } from '../standalone/front-end/front-end.ts'
import { createHttp1Server } from '../standalone/http1-server/http1-server.ts'
import { createHttp2Server } from '../standalone/http2-server/http2-server.ts'
import { issue } from './certificates.ts'
import { Asked, echoed, peer } from './front-end-rig.ts'
import { startOrigin, webSocketEcho } from './origins.ts'
import { RawConnection } from './raw-connection.ts'

// Clients that were not written here, and connections that somebody else has read from or decrypted before.

const run = promisify(execFile)
const issued = issue({ subject: 'a.example', names: ['DNS:a.example', 'IP:127.0.0.1'] })

const closers: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

interface Site {
  readonly port: number
  readonly tlsPort: number
  readonly http1: FrontEnd
  readonly http2: FrontEnd
  readonly asked: Asked[]
}

/** Both front ends behind a port in the clear, where the first bytes choose, and one with TLS, where ALPN does. */
async function startSite(serve: (asked: Asked) => void): Promise<Site> {
  const asked: Asked[] = []
  const options = {
    handler: (request: Asked['request'], sink: Asked['sink']) => {
      const one = new Asked(request, sink)
      asked.push(one)
      serve(one)
      return one
    },
    log: () => {},
    webSocketKey: () => '',
  }
  const http1 = createHttp1Server(options)
  const http2 = createHttp2Server(options)
  const clear = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.once('data', (bytes: Buffer) => {
      socket.pause()
      socket.unshift(bytes)
      const frontEnd = bytes.toString('latin1').startsWith('PRI') ? http2 : http1
      frontEnd.take(socket, peer, { port: 80, scheme: 'http' })
    })
  })
  const secure = createTlsServer(
    { cert: issued.certificate, key: issued.privateKey, ALPNProtocols: ['h2', 'http/1.1'], allowHalfOpen: true },
    (socket) => {
      const frontEnd = socket.alpnProtocol === 'h2' ? http2 : http1
      frontEnd.take(socket, peer, { port: 443, scheme: 'https' })
    },
  )
  const ports: number[] = []
  for (const server of [clear, secure]) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const bound = server.address()
    ports.push(bound !== null && typeof bound === 'object' ? bound.port : 0)
    closers.push(() => server.close())
  }
  closers.push(() => Promise.all([http1.close(0), http2.close(0)]))
  const [port = 0, tlsPort = 0] = ports
  return { port, tlsPort, http1, http2, asked }
}

const curl = async (...args: string[]): Promise<string> =>
  (await run('curl', ['-sS', '--max-time', '10', '-w', ' %{http_version} %{http_code}', ...args])).stdout

test.for([
  ['HTTP/1.1', ['--http1.1'], '1.1'],
  ['HTTP/1.0', ['--http1.0'], '1.1'],
  ['HTTP/2 with prior knowledge', ['--http2-prior-knowledge'], '2'],
  ['an upgrade to HTTP/2 that is not taken', ['--http2'], '1.1'],
] as const)('curl: %s', async ([, args, version]) => {
  const { port } = await startSite(echoed)
  expect(await curl(...args, `http://127.0.0.1:${port}/g?q`)).toBe(`GET /g?q  ${version} 200`)
  const large = 'x'.repeat(100_000)
  const posted = curl(...args, '-d', large, `http://127.0.0.1:${port}/p`)
  expect(await posted).toBe(`POST /p ${large} ${version} 200`)
})

test.for([
  ['HTTP/1.1', '--http1.1', '1.1'],
  ['HTTP/2', '--http2', '2'],
] as const)('curl within TLS: %s', async ([, version, number]) => {
  const { tlsPort, asked } = await startSite(echoed)
  expect(await curl('-k', version, `https://127.0.0.1:${tlsPort}/g`)).toBe(`GET /g  ${number} 200`)
  expect(asked[0]?.request).toMatchObject({ scheme: 'https', port: 443 })
})

test('node:http keeps its connection from request to request', async () => {
  const { port, http1 } = await startSite(echoed)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  closers.push(() => agent.destroy())
  for (const body of ['one', 'two', 'three']) {
    const request = httpRequest({ agent, port, host: '127.0.0.1', method: 'POST', path: '/p' })
    request.write(body.slice(0, 1))
    request.end(body.slice(1))
    const [response] = await once(request, 'response')
    expect(await text(response)).toBe(`POST /p ${body}`)
  }
  expect(http1.counters).toMatchObject({ connections: 1, requests: 3, active: 0 })
})

test('node:http within TLS', async () => {
  const { tlsPort, http1 } = await startSite(echoed)
  const agent = new TlsAgent({ keepAlive: true, maxSockets: 1, ca: issued.certificate })
  closers.push(() => agent.destroy())
  for (const body of ['one', 'two']) {
    const request = httpsRequest({ agent, port: tlsPort, host: '127.0.0.1', method: 'POST', path: '/p' })
    request.end(body)
    const [response] = await once(request, 'response')
    expect(await text(response)).toBe(`POST /p ${body}`)
  }
  expect(http1.counters.connections).toBe(1)
})

test('node:http2 within TLS', async () => {
  const { tlsPort } = await startSite(echoed)
  const session = connectHttp2(`https://127.0.0.1:${tlsPort}`, { ca: issued.certificate })
  closers.push(() => session.destroy())
  const answers = ['one', 'two', 'three'].map(async (body) => {
    const stream = session.request({ ':method': 'POST', ':path': '/p' })
    stream.end(body)
    expect(await text(stream)).toBe(`POST /p ${body}`)
  })
  await Promise.all(answers)
})

test('closing is announced within TLS, and what is under way is answered', async () => {
  const { tlsPort, http2, asked } = await startSite(() => {})
  const session = connectHttp2(`https://127.0.0.1:${tlsPort}`, { ca: issued.certificate })
  closers.push(() => session.destroy())
  const stream = session.request({ ':path': '/g' })
  await vi.waitFor(() => expect(asked).toHaveLength(1))
  const announced = once(session, 'goaway')
  const closed = http2.close(5_000)
  expect((await announced)[0]).toBe(0)
  asked[0]?.answer(200, [], 'ok')
  expect(await text(stream)).toBe('ok')
  await closed
})

async function tlsClient(port: number): Promise<TLSSocket> {
  const socket = connectTls({ port, host: '127.0.0.1', ca: issued.certificate })
  closers.push(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  return socket
}

const get = 'GET /g HTTP/1.1\r\nHost: a\r\n\r\n'

test.for<[string, (socket: TLSSocket) => void]>([
  ['is gone', (socket) => socket.destroy()],
  ['has ended its direction, which ends both', (socket) => socket.end()],
])('that a client within TLS %s is known in 50 ms', async ([, leave]) => {
  const { tlsPort, asked } = await startSite(() => {})
  const socket = await tlsClient(tlsPort)
  socket.write(get)
  await vi.waitFor(() => expect(asked).toHaveLength(1))
  leave(socket)
  const known = asked[0]?.until(({ aborted }) => aborted).then(() => true)
  expect(await Promise.race([known, sleep(50)])).toBe(true)
})

test('an answer within TLS that fails, and whose end would be that of the connection, is cut without a word', async () => {
  const { tlsPort, asked } = await startSite(() => {})
  // Only OpenSSL itself tells an end from a cut.
  const client = run('openssl', ['s_client', '-connect', `127.0.0.1:${tlsPort}`, '-quiet', '-alpn', 'http/1.1'])
  client.child.stdin?.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
  await vi.waitFor(() => expect(asked).toHaveLength(1))
  asked[0]?.sink.head(200, 'OK', [])
  asked[0]?.sink.data(Buffer.from('half'))
  await sleep(50)
  asked[0]?.fail('connection-lost')
  const { stderr } = await client.catch((error: { stderr: string }) => error)
  expect(stderr).toMatch(/unexpected eof/)
})

test('the WebSocket of Node.js', async () => {
  const origin = await startOrigin(webSocketEcho)
  closers.push(() => origin.close())
  const { port, http1 } = await startSite(({ request, sink }) => {
    const socket = connect(origin.endpoint.port, origin.endpoint.address, async () => {
      const connection = new RawConnection(socket)
      const key = request.header('sec-websocket-key')
      connection.write(`GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: ${key}\r\n\r\n`)
      const head = await connection.until('\r\n\r\n')
      socket.removeAllListeners('data')
      const accept = /^sec-websocket-accept: (.*)\r$/im.exec(head)?.[1] ?? ''
      sink.upgraded('Switching Protocols', ['Sec-WebSocket-Accept', accept], socket, Buffer.alloc(0))
    })
  })
  const client = new WebSocket(`ws://127.0.0.1:${port}/chat`)
  await once(client, 'open')
  for (const text of ['one', 'two']) {
    client.send(text)
    const [event] = await once(client, 'message')
    expect(event.data).toBe(text)
  }
  client.close()
  await once(client, 'close')
  await vi.waitFor(() => expect(http1.counters).toMatchObject({ open: 0, active: 0 }))
})

test('a request that comes a byte at a time is understood', async () => {
  const { port } = await startSite(echoed)
  const client = await RawConnection.open(port)
  closers.push(() => client.socket.destroy())
  for (const byte of 'POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n') {
    client.write(byte)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect((await client.message()).body).toContain('POST /p one')
})
