import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type Rig, secret, startRig } from './connector-rig.ts'
import * as odd from './origins.ts'
import { RawConnection } from './raw-connection.ts'

// What workerd really does in front of the connector: a Worker of twenty lines that signs as the real one does and sends
// everything through one `external` service binding.

const root = join(import.meta.dirname, '..')

const worker = `
import { formatToken, hostHeader, originHeader, tokenPayload } from './engine/origin-token.ts'

const bytes = (text) => new TextEncoder().encode(text)

export default {
  async fetch(request, env) {
    const key = await crypto.subtle.importKey('raw', bytes(env.SECRET), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    const expires = Math.floor(Date.now() / 1000) + 30
    const payload = tokenPayload({ keyId: 'k1', protocol: 'http1', tls: '', endpoint: request.headers.get('x-endpoint'), expires })
    const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, bytes(payload)))
    const headers = new Headers(request.headers)
    headers.set(originHeader, formatToken(payload, mac))
    headers.set(hostHeader, request.headers.get('host'))
    try {
      return await env.CONNECTOR.fetch(new Request(request, { headers, redirect: 'manual' }))
    } catch (error) {
      return new Response(error.message, { status: 599 })
    }
  },
}`

const config = (connector: string, secret: string): string => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js")],
      compatibilityDate = "2026-10-01",
      bindings = [(name = "CONNECTOR", service = "connector"), (name = "SECRET", text = "${secret}")],
    )),
    (name = "connector", external = (address = "${connector}", http = ())),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);`

let rig: Rig
let workerd: ChildProcess
let directory: string
let port: number

beforeAll(async () => {
  rig = await startRig([])
  directory = await mkdtemp(join(tmpdir(), 'connector-'))
  await build({
    stdin: { contents: worker, resolveDir: root },
    bundle: true,
    format: 'esm',
    outfile: join(directory, 'worker.js'),
  })
  await writeFile(join(directory, 'config.capnp'), config(`127.0.0.1:${rig.port}`, secret.toString()))
  workerd = spawn(
    join(root, 'node_modules/.bin/workerd'),
    ['serve', '--control-fd=3', join(directory, 'config.capnp')],
    {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    },
  )
  const control = workerd.stdio[3]
  if (!(control instanceof Readable)) throw new Error('no control pipe')
  for await (const line of createInterface(control)) {
    const message: unknown = JSON.parse(line)
    if (message === null || typeof message !== 'object' || !('port' in message)) continue
    port = Number(message.port)
    break
  }
})

afterAll(async () => {
  workerd.kill('SIGKILL')
  await once(workerd, 'exit')
  await rig.close()
  await rm(directory, { recursive: true })
})

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A client of workerd, and the headers that lead to an origin. */
async function start(serve: (connection: RawConnection) => void | Promise<void>) {
  const origin = await odd.startOrigin(serve)
  closers.push(() => origin.close())
  const endpoint = `${origin.endpoint.address}:${origin.endpoint.port}`
  rig.endpoints.add(endpoint)
  const client = await RawConnection.open(port)
  return { origin, client, lines: `Host: Shop.Example:8443\r\nX-Endpoint: ${endpoint}\r\n`, endpoint }
}

test('a GET reaches the origin with the Host of the client, and the response comes back', async () => {
  const { client, lines } = await start(odd.echo)
  client.write(`GET /a%2Fb//c;d?q=%41&e= HTTP/1.1\r\n${lines}X-MIXED: 1\r\nx-mixed: 2\r\nLandfall-Forged: 1\r\n\r\n`)
  const { head, body } = await client.message()
  expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(head).not.toMatch(/landfall|keep-alive/i)
  expect(body).toBe(
    'GET /a%2Fb//c;d?q=%41&e= HTTP/1.1\r\nHost: Shop.Example:8443\r\nX-Endpoint: ' +
      `${lines.split('X-Endpoint: ')[1]}X-MIXED: 1\r\nX-MIXED: 2\r\n\r\n`,
  )
})

test.for([
  ['of known length', 'Content-Length: 5\r\n', 'hello', 'Content-Length: 5', 'hello'],
  [
    'in chunks',
    'Transfer-Encoding: chunked\r\n',
    '5\r\nhello\r\n0\r\n\r\n',
    'Transfer-Encoding: chunked',
    '5\r\nhello\r\n0\r\n\r\n',
  ],
  [
    'behind Expect: 100-continue',
    'Expect: 100-continue\r\nContent-Length: 5\r\n',
    'hello',
    'Content-Length: 5',
    'hello',
  ],
  ['that is empty', 'Content-Length: 0\r\n', '', 'Content-Length: 0', ''],
] as const)('a body %s arrives as it was framed', async ([, framing, sent, line, arrived]) => {
  const { client, lines } = await start(odd.echo)
  client.write(`POST / HTTP/1.1\r\n${lines}${framing}\r\n${sent}`)
  if (framing.startsWith('Expect')) expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n')
  const { body } = await client.message()
  expect(body).toContain(`\r\n${line}\r\n`)
  expect(body.endsWith(`\r\n\r\n${arrived}`)).toBe(true)
})

test('a response arrives piece by piece', async () => {
  const go: (() => void)[] = []
  const { client, lines } = await start(
    odd.slowBody(['one', 'two'], () => new Promise<void>((resolve) => go.push(resolve))),
  )
  client.write(`GET / HTTP/1.1\r\n${lines}\r\n`)
  await client.until('\r\n\r\n')
  go.shift()?.()
  await client.until('one')
  await vi.waitFor(() => expect(go).toHaveLength(1))
  go.shift()?.()
  await client.until('0\r\n\r\n')
})

test('an upload arrives piece by piece', async () => {
  const { origin, client, lines } = await start(odd.echo)
  client.write(`POST / HTTP/1.1\r\n${lines}Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n`)
  await vi.waitFor(() => expect(origin.connections[0]?.received).toContain('one'))
  client.write('3\r\ntwo\r\n')
  await vi.waitFor(() => expect(origin.connections[0]?.received).toContain('two'))
  expect((await client.write('0\r\n\r\n').message()).body).toContain('one\r\n3\r\ntwo\r\n0\r\n\r\n')
})

test('a response and an upload pass one another', async () => {
  const { client, lines } = await start(async (connection) => {
    await connection.until('\r\n\r\n')
    connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    for (;;) {
      const size = await connection.until('\r\n')
      connection.write(size + (await connection.until('\r\n')))
    }
  })
  client.write(`POST / HTTP/1.1\r\n${lines}Transfer-Encoding: chunked\r\n\r\n`)
  await client.until('\r\n\r\n')
  for (const word of ['one', 'two', 'three']) {
    client.write(`${word.length}\r\n${word}\r\n`)
    await client.until(word)
  }
  await client.write('0\r\n\r\n').until('0\r\n\r\n')
})

test('a response before the end of an upload does not make the origin believe the upload whole', async () => {
  const { origin, client, lines } = await start(
    odd.answerEarly('HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno'),
  )
  client.write(`POST / HTTP/1.1\r\n${lines}Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n`)
  expect((await client.message()).head).toContain('413')
  await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
  expect(origin.connections[0]?.received).not.toContain('\r\n0\r\n')
})

test('an upload that breaks off does not make the origin believe it whole', async () => {
  const { origin, client, lines } = await start(odd.silent)
  client.write(`POST / HTTP/1.1\r\n${lines}Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n`)
  await vi.waitFor(() => expect(origin.connections[0]?.received).toContain('one'))
  client.socket.resetAndDestroy()
  await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
  expect(origin.connections[0]?.received).not.toContain('\r\n0\r\n')
})

test('an upload that breaks off after the response began does not make the origin believe it whole', async () => {
  const { origin, client, lines } = await start(
    odd.answerEarly('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n'),
  )
  client.write(`POST / HTTP/1.1\r\n${lines}Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n`)
  await vi.waitFor(() => expect(origin.connections[0]?.received).toContain('one'))
  await client.until('ok')
  client.socket.resetAndDestroy()
  await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
  expect(origin.connections[0]?.received).not.toContain('\r\n0\r\n')
})

test('a client that goes away leaves nothing open at the origin', async () => {
  const { origin, client, lines } = await start(odd.silent)
  client.write(`GET / HTTP/1.1\r\n${lines}\r\n`)
  await vi.waitFor(() => expect(origin.connections[0]?.received).toContain('\r\n\r\n'))
  client.socket.resetAndDestroy()
  await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
})

test.for([
  ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'],
  ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
] as const)('a response %s that breaks off at the origin breaks off at the client', async ([, bytes]) => {
  const { client, lines } = await start(odd.dieAfter(bytes))
  client.write(`GET / HTTP/1.1\r\n${lines}\r\n`)
  await client.until('\r\n\r\n')
  expect(await client.rest()).not.toContain('0\r\n\r\n')
})

test("the connector's error reaches the Worker", async () => {
  const { origin, client, lines, endpoint } = await start(odd.closeEarly)
  const head = await client.write(`GET / HTTP/1.1\r\n${lines}\r\n`).until('\r\n\r\n')
  expect(head).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/)
  expect(head).toMatch(/^landfall-error: connection-lost\r$/m)
  rig.endpoints.delete(endpoint)
  expect(await client.write(`GET / HTTP/1.1\r\n${lines}\r\n`).until('\r\n\r\n')).toMatch(/^landfall-error: refused\r$/m)
  expect(origin.connections).toHaveLength(1)
})

test('a WebSocket passes messages both ways and its close', async () => {
  const { origin, endpoint } = await start(odd.webSocketEcho)
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat?room=1`, { headers: { 'X-Endpoint': endpoint } })
  const received: unknown[] = []
  socket.onmessage = ({ data }) => received.push(data)
  await once(socket, 'open')
  for (const text of ['one', 'two']) socket.send(text)
  await vi.waitFor(() => expect(received).toEqual(['one', 'two']))
  socket.close(4001, 'enough')
  const [closed] = await once(socket, 'close')
  expect([closed.code, closed.reason, closed.wasClean]).toEqual([4001, 'enough', true])
  expect(origin.connections[0]?.received).toMatch(/^GET \/chat\?room=1 HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/)
})

test('a WebSocket hears with which code its origin closes, though the connection ends right behind that', async () => {
  const { endpoint } = await start(odd.webSocketEcho)
  const closeOne = async (): Promise<number> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { 'X-Endpoint': endpoint } })
    await once(socket, 'open')
    socket.close(4001)
    return (await once(socket, 'close'))[0].code
  }
  for (let round = 0; round < 20; round++)
    expect(await Promise.all(Array.from({ length: 4 }, closeOne))).toEqual([4001, 4001, 4001, 4001])
})
