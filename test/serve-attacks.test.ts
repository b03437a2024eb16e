import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { issue } from './certificates.ts'
import { flood, floods } from './http2-floods.ts'
import { FrameType, fieldBlock, frame, Http2Wire, preface } from './http2-wire.ts'
import { type Origin, startHttpOrigin, startOrigin, webSocketEcho } from './origins.ts'
import { RawConnection } from './raw-connection.ts'
import { gateway, gatewayClass, http, https, route, secret, service } from './serve-manifests.ts'
import { serveOnDeno } from './serve-on-deno.ts'
import { startTls } from './serve-origins.ts'
import { type Command, type Running, Site, serve } from './serve-rig.ts'
import { smuggledRequests } from './smuggled-requests.ts'

// What clients may send to the whole process. What origins may answer is in serve-bodies.test.ts.

const ports = { http: 8080, https: 8443 } as const
const hosts = { https: 'www.example.test', passthrough: 'pass.example.test', webSocket: 'ws.example.test' } as const

/** Milliseconds within which a connection must have shown where it belongs, and a head be whole. */
const headTimeout = 10_000

/** Requests that Deno reads otherwise: it refuses the first, and has no limit for the second. */
const readOtherwise = ['a body of known length, in spaces', 'a chunk extension too long']

describe.for<[string, Command, readonly string[], speaksHttp2: boolean]>([
  ['Node.js', serve, [], true],
  ['Deno', serveOnDeno, readOtherwise, false],
])('landfall serve on %s', ([, command, otherwise, speaksHttp2]) => {
  let site: Site
  let running: Running
  let origin: Origin
  let webSocket: Origin
  let behind: Awaited<ReturnType<typeof startTls>>
  /** Requests that have reached the origin whole: method, target and body. */
  const asked: string[] = []
  const sockets = new Set<Socket>()

  beforeAll(async () => {
    site = await Site.create()
    origin = await startHttpOrigin((request, response) => tell(request, response, asked))
    webSocket = await startOrigin(webSocketEcho)
    behind = await startTls(issue({ subject: 'behind', names: [`DNS:${hosts.passthrough}`] }))
    await site.write('site', [
      gatewayClass,
      gateway(site.address, [
        http(ports.http),
        https(ports.https, ['site']),
        { name: 'tls', protocol: 'TLS', port: ports.https, hostname: hosts.passthrough, tls: { mode: 'Passthrough' } },
      ]),
      secret('site', issue({ subject: 'site', names: ['DNS:*.example.test'] })),
      route('HTTPRoute', 'origin'),
      ...service('origin', [origin.endpoint]),
      route('HTTPRoute', 'websocket', { hostnames: [hosts.webSocket] }),
      ...service('websocket', [webSocket.endpoint]),
      route('TLSRoute', 'behind', { parent: { sectionName: 'tls' }, hostnames: [hosts.passthrough] }),
      ...service('behind', [behind.endpoint]),
    ])
    running = await site.start(Object.values(ports), command)
  }, 60_000)
  afterAll(async () => {
    await site.close()
    await Promise.all([origin, webSocket, behind].map((each) => each.close()))
  })

  afterEach(async () => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
    expect(running.hasEnded, running.stderr).toBe(false)
    expect(running.stderr).not.toContain('handler-failed')
    expect((await site.get(ports.http, '/after')).status).toBe(200)
    asked.length = 0
  })

  async function client(port: number = ports.http): Promise<RawConnection> {
    const connection = await RawConnection.open(port, site.address)
    connection.socket.setNoDelay()
    sockets.add(connection.socket)
    return connection
  }

  async function http2Client(): Promise<Http2Wire> {
    const wire = await Http2Wire.open(ports.http, site.address)
    sockets.add(wire.socket)
    return wire
  }

  describe('a request of two readings has one, or is refused:', () => {
    const read = smuggledRequests.filter(([name]) => !otherwise.includes(name))
    expect(read.length).toBe(smuggledRequests.length - otherwise.length)
    test.for(read)('%s', async ([, bytes, answers, served]) => {
      const connection = await client()
      connection.write(bytes)
      const got: number[] = []
      while (got.length < answers.length) {
        const status = Number((await connection.message()).head.split(' ')[1])
        if (status !== 100) got.push(status)
      }
      expect(got).toEqual(answers)
      connection.socket.end()
      expect(await connection.rest()).toBe('')
      // One whose body broke off has not reached the origin whole.
      expect(asked).toEqual(served.filter((each) => each !== 'broken'))
    })
  })

  test.for(speaksHttp2 ? floods : [])(
    'a flood of %s costs the client its connection',
    { timeout: 60_000 },
    async (each) => {
      const wire = await http2Client()
      expect(await flood(wire, each, 200_000)).toBeLessThan(200_000)
    },
  )

  test('the preface of HTTP/2 may come a byte at a time', async () => {
    const connection = await client()
    await drip(connection.socket, Buffer.concat([Buffer.from(preface), frame(FrameType.settings, 0, 0)]))
    if (speaksHttp2) expect((await connection.take(9)).charCodeAt(3)).toBe(FrameType.settings)
    else expect(await connection.rest()).toBe('')
  })

  test('a ClientHello may come a byte at a time, to a listener that ends TLS and to one that passes it on', async () => {
    for (const [host, subject] of [
      [hosts.https, 'site'],
      [hosts.passthrough, 'behind'],
    ] as const) {
      const through = await dripping(ports.https, site.address)
      const secured = connectTls({ port: through, host: '127.0.0.1', servername: host, rejectUnauthorized: false })
      sockets.add(secured)
      expect(await subjectShownTo(secured)).toBe(subject)
    }
  })

  test('a ClientHello that is too large is not waited for', async () => {
    const connection = await client(ports.https)
    const since = performance.now()
    // A handshake message of 60,000 bytes in records of 16 KB. RFC 8446 sections 4 and 5.1.
    const message = Buffer.concat([Buffer.of(1, 0, 0xea, 0x60), Buffer.alloc(60_000)])
    for (let at = 0; at < message.length; at += 16_384) {
      const part = message.subarray(at, at + 16_384)
      connection.socket.write(Buffer.concat([Buffer.of(22, 3, 1, part.length >> 8, part.length & 0xff), part]))
    }
    expect(await connection.rest()).toBe('')
    expect(performance.now() - since).toBeLessThan(headTimeout / 2)
  })

  test('clients that send next to nothing are not waited for, and hold up nobody', { timeout: 40_000 }, async () => {
    const hello = readFileSync(join(import.meta.dirname, 'corpus/client-hello/curl.bin'))
    const begun: readonly (readonly [port: number, first: string | Buffer, next: string])[] = [
      [ports.http, '', ''],
      [ports.http, 'GET / HTTP/1.1\r\nHost: a\r\n', 'X: y\r\n'],
      [ports.http, 'G', 'E'],
      [ports.http, preface.slice(0, 3), ''],
      [ports.http, preface.slice(0, 20), ''],
      [ports.http, Buffer.concat([Buffer.from(preface), frame(FrameType.settings, 0, 0)]), ''],
      [
        ports.http,
        Buffer.concat([
          Buffer.from(preface),
          frame(FrameType.settings, 0, 0),
          frame(FrameType.headers, 0, 1, fieldBlock([[':method', 'GET']])),
        ]),
        frame(FrameType.continuation, 0, 1, fieldBlock([['x', 'y']])).toString('latin1'),
      ],
      [ports.https, '', ''],
      [ports.https, hello.subarray(0, 40), '\0'],
      [ports.https, hello, ''],
    ]
    const since = performance.now()
    const slow = await Promise.all(begun.map(([port]) => client(port)))
    for (const [at, connection] of slow.entries()) connection.socket.write(begun[at]?.[1] ?? '')
    const dripping = setInterval(() => {
      for (const [at, connection] of slow.entries()) connection.write(begun[at]?.[2] ?? '')
    }, 500)
    while (performance.now() - since < headTimeout - 2_000) {
      expect((await site.get(ports.http, '/meanwhile')).status).toBe(200)
      await sleep(500)
    }
    await Promise.all(slow.map((connection) => connection.rest()))
    clearInterval(dripping)
    expect(performance.now() - since).toBeLessThan(headTimeout + 5_000)
  })

  test('an upload that its origin does not take waits with its client, and not in memory', async () => {
    const connection = await client()
    const size = 256 * 1024 * 1024
    const block = Buffer.alloc(1024 * 1024)
    connection.socket.write(`POST /stuck HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`)
    const sent = (): number => connection.socket.bytesWritten - connection.socket.writableLength
    for (let last = -1; last !== sent(); await sleep(300)) {
      last = sent()
      while (connection.socket.bytesWritten < size && connection.socket.write(block)) {}
    }
    // What the buffers of the kernel take: those of both connections.
    expect(sent()).toBeLessThan(64 * 1024 * 1024)
  })

  const upgrade = (host: string): string =>
    `GET /chat HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`

  test('what a WebSocket client sends before it is agreed on arrives', async () => {
    const connection = await client()
    // "hi", masked by zeros. RFC 6455 section 5.2.
    connection.socket.write(
      Buffer.concat([Buffer.from(upgrade(hosts.webSocket)), Buffer.of(0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69)]),
    )
    expect(await connection.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 101 /)
    expect(await connection.take(4)).toBe('\x81\x02hi')
  })

  test('what a client sends behind an upgrade that its origin refuses is no request', async () => {
    const connection = await client()
    connection.socket.write(`${upgrade('a')}GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n`)
    expect((await connection.message()).head).toMatch(/^HTTP\/1\.1 200 /)
    connection.socket.end()
    expect(await connection.rest()).toBe('')
    expect(asked).toEqual(['GET /chat '])
  })
})

/** 200 to all that comes whole, but for /stuck, of which nothing is read. */
async function tell(request: IncomingMessage, response: ServerResponse, asked: string[]): Promise<void> {
  const { method, url } = request
  if (url === '/stuck') return
  let body = ''
  request.setEncoding('latin1')
  try {
    for await (const chunk of request) body += chunk
  } catch {
    return
  }
  asked.push(`${method} ${url} ${body}`)
  response.end('ok')
}

async function drip(socket: Socket, bytes: Uint8Array): Promise<void> {
  for (const byte of bytes) {
    socket.write(Buffer.of(byte))
    await sleep(1)
  }
}

/** A port of 127.0.0.1 that leads to another, and passes on what a client sends first a byte at a time. */
async function dripping(port: number, host: string): Promise<number> {
  const server = createServer((near) => {
    const far = connect({ port, host, noDelay: true })
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
    far.pipe(near)
    near.once('data', async (bytes) => {
      near.pause()
      await drip(far, bytes)
      near.pipe(far)
    })
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  return bound !== null && typeof bound === 'object' ? bound.port : 0
}

/** The common name of the certificate that its server shows. */
async function subjectShownTo(socket: TLSSocket): Promise<string> {
  await once(socket, 'secureConnect')
  return String(socket.getPeerCertificate().subject.CN)
}
