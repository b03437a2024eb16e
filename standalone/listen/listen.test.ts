import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { BlockList, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type ConnectionOptions,
  connect as connectTls,
  createServer as createTlsServer,
  type TLSSocket,
} from 'node:tls'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { EndpointBalancer } from '../../engine/endpoints.ts'
import { Streams } from '../../engine/streams.ts'
import { type Listener, Protocol, type Tls } from '../../proto/gen/route_table.ts'
import { issue } from '../../test/certificates.ts'
import { backend, host, listener, ref, routerOf, rule, type TableParts } from '../../test/engine-tables.ts'
import { type Origin, startOrigin } from '../../test/origins.ts'
import { RawConnection } from '../../test/raw-connection.ts'
import { Certificates } from '../certificates.ts'
import type { FrontEnd } from '../front-end/front-end.ts'
import type { Handler } from '../handler.ts'
import { createHttp1Server } from '../http1-server/http1-server.ts'
import { createHttp2Server } from '../http2-server/http2-server.ts'
import { createConnect } from '../origin-socket/origin-socket.ts'
import { TlsTermination } from '../tls-termination.ts'
import type { Bind } from './bind.ts'
import { Listen, type ListenLimits } from './listen.ts'
import type { ConnectionReport } from './report.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((part) => part.close()))
})

/** Answers with what it was told of the client. */
const tell: Handler = ({ version, target, peer, port, scheme }, sink) => {
  const about = { version, target, port, scheme, address: peer.address, serverName: peer.tls?.serverName }
  return {
    write: () => true,
    end: () => {
      const body = Buffer.from(JSON.stringify(about))
      sink.head(200, '', ['content-length', `${body.length}`])
      sink.data(body)
      sink.end([])
    },
    resume: () => {},
    abort: () => {},
  }
}

interface Rig {
  readonly listen: Listen
  readonly reports: readonly ConnectionReport[]
  readonly frontEnds: { readonly http1: FrontEnd; readonly http2: FrontEnd }
  readonly certificates: Certificates
  /** The rest of a bind, and the port that it comes to. */
  bind(bind: BindParts): Promise<number>
  /** Sets the same bind once more. */
  again(): Promise<readonly string[]>
  why(): string[]
}

type BindParts =
  | { readonly type: 'http' }
  | { readonly type: 'tls' | 'tcp'; readonly streams: () => readonly Streams[] }

function startRig(limits: Partial<ListenLimits> = {}, balancers = new BlockList()): Rig {
  const log = (event: string): void => {
    throw new Error(event)
  }
  const http1 = createHttp1Server({ handler: tell, log: () => {} })
  const http2 = createHttp2Server({ handler: tell, log: () => {}, webSocketKey: () => '' })
  const certificates = new Certificates(log)
  certificates.set(pairs)
  const reports: ConnectionReport[] = []
  let drawn = 0
  const listen = new Listen({
    termination: new TlsTermination({ certificates, ticketSecret: Buffer.from('secret'), now: Date.now }),
    tunnels: {
      balancer: new EndpointBalancer(),
      connect: createConnect(() => undefined),
      now: () => performance.now(),
      random: () => (drawn++ % 8) / 8,
    },
    balancers,
    reusePort: false,
    observe: (report) => reports.push(report),
    log,
    limits,
  })
  open.push({ close: () => Promise.all([listen.close(0), http1.close(0), http2.close(0)]) })
  let binds: readonly Bind[] = []
  return {
    listen,
    reports,
    frontEnds: { http1, http2 },
    certificates,
    bind: async (parts) => {
      const bind: Bind = { address: '127.0.0.1', port: 0, listenerPort: 443, http1, http2, ...parts }
      binds = [bind]
      expect(await listen.set(binds)).toEqual([])
      return listen.portOf(bind) ?? 0
    },
    again: () => listen.set(binds),
    why: () => reports.map((report) => (report.type === 'refused' ? report.why : report.tunnel.ending)),
  }
}

const pair = issue({ subject: 'test', names: ['DNS:*.example'] })
const pairs = new Map([['a/cert', pair]])
const terminate: Tls = { passthrough: false, certificates: ['a/cert'], clients: undefined }
const passthrough: Tls = { passthrough: true, certificates: [], clients: undefined }

const https = (id: string, hostname: string, changes: Partial<Listener> = {}): Listener =>
  listener({ id, hostname, port: 443, protocol: Protocol.HTTPS, tls: terminate, ...changes })
const tls = (id: string, hostname: string, of: Tls): Listener =>
  https(id, hostname, { protocol: Protocol.TLS, tls: of })
const stream = (id: string, hostname: string, key: string) =>
  host({ listener: id, hostname, rules: [rule({ route: 'TLSRoute a/b', backends: [ref({ backend: key })] })] })

const streamsOf = (parts: TableParts): Streams => new Streams(routerOf(parts).table)

async function startTlsOrigin(name: string): Promise<{ readonly address: string; readonly port: number }> {
  const { certificate, privateKey } = issue({ subject: name })
  const server = createTlsServer({ cert: certificate, key: privateKey }, (socket) => {
    socket.on('error', () => {})
    socket.end(`from ${name}`)
    socket.resume()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push({ close: () => server.close() })
  const bound = server.address()
  return { address: '127.0.0.1', port: typeof bound === 'object' ? (bound?.port ?? 0) : 0 }
}

async function startPlainOrigin(serve: Parameters<typeof startOrigin>[0]): Promise<Origin> {
  const origin = await startOrigin(serve)
  open.push(origin)
  return origin
}

/** What a client of TLS reads to the end, and whose certificate it saw; or how it failed. */
async function callTls(port: number, serverName: string, options: ConnectionOptions = {}): Promise<string> {
  const socket: TLSSocket = connectTls({
    port,
    host: '127.0.0.1',
    servername: serverName,
    rejectUnauthorized: false,
    ...options,
  })
  let text = ''
  socket.on('secureConnect', () => {
    text += `${socket.getPeerCertificate().subject.CN}: `
  })
  socket.on('data', (bytes) => {
    text += bytes
  })
  socket.on('error', (error: Error & { readonly code?: string }) => {
    text += `${error.code} ${error.message}`
  })
  await new Promise((resolve) => socket.once('close', resolve))
  return text
}

const request = 'GET /x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n'
const jsonOf = (response: string): Record<string, unknown> => JSON.parse(response.slice(response.indexOf('{')))

/** Sends bytes one at a time, each on its own. */
async function drip(socket: Socket, bytes: Uint8Array): Promise<void> {
  socket.setNoDelay(true)
  for (const byte of bytes) {
    socket.write(Buffer.of(byte))
    await sleep(0)
  }
}

const run = promisify(execFile)

describe('a port in the clear', () => {
  test('serves HTTP/1.1, whole or a byte at a time', async () => {
    const port = await startRig().bind({ type: 'http' })
    const whole = await RawConnection.open(port)
    expect(jsonOf(await whole.write(request).rest())).toEqual({
      version: 'HTTP/1.1',
      target: '/x',
      port: 443,
      scheme: 'http',
      address: '127.0.0.1',
    })
    const slow = await RawConnection.open(port)
    await drip(slow.socket, Buffer.from(request))
    expect(jsonOf(await slow.rest())).toMatchObject({ version: 'HTTP/1.1', target: '/x' })
  })

  test('serves requests that begin like the preface of HTTP/2', async () => {
    const port = await startRig().bind({ type: 'http' })
    for (const method of ['PRI', 'P', 'PROPFIND', 'PUT']) {
      const client = await RawConnection.open(port)
      await drip(client.socket, Buffer.from(`${method} * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`))
      expect(await client.rest(), method).toMatch(/^HTTP\/1\.1 (200|400|501) /)
    }
    const almost = await RawConnection.open(port)
    await drip(almost.socket, Buffer.from('PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n'))
    expect(await almost.rest()).toMatch(/^HTTP\/1\.1 (400|505) /)
  })

  test('serves HTTP/2 with prior knowledge, whole or with the preface a byte at a time', async () => {
    const port = await startRig().bind({ type: 'http' })
    const session = connectHttp2(`http://127.0.0.1:${port}`)
    const ask = session.request({ ':path': '/y' })
    let body = ''
    for await (const chunk of ask) body += chunk
    expect(JSON.parse(body)).toMatchObject({ version: 'HTTP/2', target: '/y', scheme: 'http' })
    session.close()

    const slow = await RawConnection.open(port)
    // The preface, and empty SETTINGS.
    await drip(slow.socket, Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1'))
    const settings = await slow.take(9)
    expect(settings.charCodeAt(3)).toBe(4)
    slow.socket.destroy()
  })

  test('serves curl over both', async () => {
    const port = await startRig().bind({ type: 'http' })
    for (const [option, version] of [
      ['--http1.1', 'HTTP/1.1'],
      ['--http2-prior-knowledge', 'HTTP/2'],
    ] as const) {
      const { stdout } = await run('curl', ['-s', option, `http://127.0.0.1:${port}/z`])
      expect(JSON.parse(stdout)).toMatchObject({ version, target: '/z' })
    }
  })

  test('costs next to nothing while a client has sent a part of the preface', async () => {
    const port = await startRig().bind({ type: 'http' })
    const client = await RawConnection.open(port)
    client.write('PRI * H')
    await sleep(50)
    const before = process.cpuUsage()
    await sleep(300)
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(150)
    client.socket.destroy()
  })

  test.for(['', 'P', 'PRI * HTTP/2.0\r\n\r\nS'])('closes when no more than %j comes in time', async (bytes) => {
    const rig = startRig({ headTimeout: 150 })
    const client = await RawConnection.open(await rig.bind({ type: 'http' }))
    const since = performance.now()
    if (bytes !== '') await drip(client.socket, Buffer.from(bytes))
    expect(await client.rest()).toBe('')
    expect(performance.now() - since).toBeGreaterThan(100)
    expect(rig.why()).toEqual(['head-timeout'])
    await expect.poll(() => rig.listen.open).toBe(0)
  })

  test('forgets clients that leave before they have said anything', async () => {
    const rig = startRig()
    const port = await rig.bind({ type: 'http' })
    for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) (await RawConnection.open(port)).socket[leave]()
    await expect.poll(() => rig.why()).toEqual(['client-left', 'client-left', 'client-left'])
    await expect.poll(() => rig.listen.open).toBe(0)
  })

  test('closes at once what is above the limit, and takes others when there is room again', async () => {
    const rig = startRig({ connections: 2 })
    const port = await rig.bind({ type: 'http' })
    const kept = [await RawConnection.open(port), await RawConnection.open(port)]
    await expect.poll(() => rig.listen.open).toBe(2)
    expect(await (await RawConnection.open(port)).rest()).toBe('')
    expect(rig.why()).toEqual(['too-many-connections'])
    kept[0]?.socket.destroy()
    await expect.poll(() => rig.listen.open).toBe(1)
    expect(await (await RawConnection.open(port)).write(request).rest()).toContain('200 OK')
    kept[1]?.socket.destroy()
  })
})

describe('a port of TLS', () => {
  const listeners = [
    https('any', ''),
    https('site', 'site.example'),
    tls('through', 'through.example', passthrough),
    tls('ended', 'ended.example', terminate),
    tls('lost', '*.lost.example', passthrough),
    tls('empty', 'empty.example', terminate),
  ]

  async function startSite(
    rig: Rig,
    changes: Partial<TableParts> = {},
  ): Promise<{ port: number; set(parts: TableParts): void }> {
    const secure = await startTlsOrigin('the origin')
    const plain = await startPlainOrigin(async (connection) => {
      const bytes = await connection.take(4)
      connection.socket.end(`plain ${bytes}`)
    })
    const parts = {
      listeners,
      hosts: [
        stream('through', 'through.example', 'a/secure:443'),
        stream('ended', 'ended.example', 'a/plain:80'),
        stream('lost', 'no-endpoints.lost.example', 'a/none:80'),
      ],
      backends: [
        backend({ key: 'a/secure:443', endpoints: [secure] }),
        backend({ key: 'a/plain:80', endpoints: [plain.endpoint] }),
        backend({ key: 'a/none:80', endpoints: [] }),
      ],
      ...changes,
    }
    let streams = streamsOf(parts)
    return {
      port: await rig.bind({ type: 'tls', streams: () => [streams] }),
      set: (changed) => {
        streams = streamsOf({ ...parts, ...changed })
      },
    }
  }

  test('ends TLS for HTTPS listeners, with HTTP/2 or HTTP/1.1 as the client has it', async () => {
    const { port } = await startSite(startRig())
    for (const [alpn, version] of [
      ['--http1.1', 'HTTP/1.1'],
      ['--http2', 'HTTP/2'],
      ['--no-alpn', 'HTTP/1.1'],
    ] as const) {
      const to = ['--resolve', `site.example:${port}:127.0.0.1`, `https://site.example:${port}/s`]
      const { stdout } = await run('curl', ['-sk', alpn, ...to])
      expect(JSON.parse(stdout), alpn).toEqual({
        version,
        target: '/s',
        port: 443,
        scheme: 'https',
        address: '127.0.0.1',
        serverName: 'site.example',
      })
    }
    const session = connectHttp2(`https://127.0.0.1:${port}`, {
      servername: 'other.example',
      rejectUnauthorized: false,
    })
    const ask = session.request({ ':path': '/y' })
    let body = ''
    for await (const chunk of ask) body += chunk
    expect(JSON.parse(body)).toMatchObject({ version: 'HTTP/2', serverName: 'other.example' })
    session.close()
  })

  test('passes TLS through to its backend, and ends it for another beside it', async () => {
    const rig = startRig()
    const { port } = await startSite(rig)
    expect(await callTls(port, 'through.example')).toBe('the origin: from the origin')
    const ended = connectTls({ port, host: '127.0.0.1', servername: 'ended.example', rejectUnauthorized: false })
    ended.write('ping')
    expect(`${await once(ended, 'data')}`).toBe('plain ping')
    ended.end()
    await expect.poll(() => rig.why()).toEqual(['finished', 'finished'])
    expect(rig.reports[0]).toMatchObject({
      serverName: 'through.example',
      gateway: 'infra/edge',
      matched: { route: 'TLSRoute a/b', listener: 'through' },
      tunnel: { backend: 'a/secure:443' },
    })
  })

  test('takes a ClientHello a byte at a time', async () => {
    const { port } = await startSite(startRig())
    const proxy = createServer((client) => {
      client.on('error', () => {})
      const onward = connect(port, '127.0.0.1')
      onward.on('error', () => {})
      onward.pipe(client)
      client.once('data', async (hello) => {
        await drip(onward, hello)
        client.pipe(onward)
      })
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    open.push({ close: () => proxy.close() })
    const bound = proxy.address()
    const through = typeof bound === 'object' ? (bound?.port ?? 0) : 0
    expect(await callTls(through, 'through.example')).toBe('the origin: from the origin')
    const { stdout } = await run('curl', [
      '-sk',
      '--resolve',
      `site.example:${through}:127.0.0.1`,
      `https://site.example:${through}/`,
    ])
    expect(JSON.parse(stdout)).toMatchObject({ serverName: 'site.example' })
  })

  test.for([
    ['without a route', 'x.lost.example', 'no-route'],
    ['whose backend has no endpoints', 'no-endpoints.lost.example', 'no-endpoints'],
    ['without a route, though TLS would end here', 'empty.example', 'no-route'],
  ] as const)(
    'closes the connection of a name %s before the handshake ends, without an alert',
    async ([, name, why]) => {
      const rig = startRig()
      const { port } = await startSite(rig)
      expect(await callTls(port, name)).toMatch(/^ECONNRESET /)
      expect(rig.why()).toEqual([why])
    },
  )

  test('closes the connection of a name without a listener', async () => {
    const rig = startRig()
    const { port } = await startSite(rig, { listeners: listeners.slice(1) })
    expect(await callTls(port, 'other.example')).toMatch(/^ECONNRESET /)
    expect(await callTls(port, '')).toMatch(/^ECONNRESET /)
    expect(rig.why()).toEqual(['no-listener', 'no-listener'])
  })

  test('closes the connection where no certificate can be used', async () => {
    const rig = startRig()
    const { port } = await startSite(rig)
    rig.certificates.set(new Map())
    expect(await callTls(port, 'site.example')).toMatch(/^ECONNRESET /)
    expect(rig.why()).toEqual(['no-certificate'])
  })

  test.for([
    ['a request in the clear', Buffer.from(request), 'not-tls'],
    ['a malformed hello', Buffer.from([22, 3, 1, 0, 5, 2, 0, 0, 1, 0]), 'malformed-hello'],
    ['an oversized hello', Buffer.from([22, 3, 1, 0, 4, 1, 1, 0, 0]), 'malformed-hello'],
  ] as const)('closes the connection of %s', async ([, bytes, why]) => {
    const rig = startRig()
    const { port } = await startSite(rig)
    const client = await RawConnection.open(port)
    client.socket.write(bytes)
    expect(await client.rest()).toBe('')
    expect(rig.why()).toEqual([why])
  })

  test('closes the connection of a hello that does not end', async () => {
    const rig = startRig({ headTimeout: 150 })
    const { port } = await startSite(rig)
    const client = await RawConnection.open(port)
    const hello = readFileSync(join(import.meta.dirname, '../../test/corpus/client-hello/curl.bin'))
    await drip(client.socket, hello.subarray(0, 40))
    expect(await client.rest()).toBe('')
    expect(rig.why()).toEqual(['head-timeout'])
  })

  test('a tunnel stays while its listener does, and gets a while when that is gone', async () => {
    const rig = startRig({ partingTimeout: 100 })
    const quiet = await startPlainOrigin(({ socket }) => void socket.write('hi'))
    const parts = { backends: [backend({ key: 'a/plain:80', endpoints: [quiet.endpoint] })] }
    const { port, set } = await startSite(rig, parts)
    const client = connectTls({ port, host: '127.0.0.1', servername: 'ended.example', rejectUnauthorized: false })
    client.on('error', () => {})
    await once(client, 'data')
    set({ ...parts, hosts: [] })
    await rig.again()
    await sleep(200)
    expect(rig.why()).toEqual([])
    set({ ...parts, listeners: listeners.filter(({ id }) => id !== 'ended') })
    await rig.again()
    await sleep(20)
    expect(rig.why()).toEqual([])
    await once(client, 'close')
    expect(rig.why()).toEqual(['cut'])
  })

  test('connections go on when listeners change, but not when clients are asked for another certificate', async () => {
    const rig = startRig()
    const { port, set } = await startSite(rig)
    const client = connectTls({ port, host: '127.0.0.1', servername: 'site.example', rejectUnauthorized: false })
    client.on('error', () => {})
    const ask = async (): Promise<string> => {
      client.write('GET / HTTP/1.1\r\nHost: site.example\r\n\r\n')
      const [answer] = await Promise.race([once(client, 'data'), once(client, 'close')])
      return `${answer}`
    }
    expect(await ask()).toContain('200 OK')
    set({
      listeners: [https('another', 'site.example', { tls: { ...terminate, certificates: ['a/cert', 'a/more'] } })],
    })
    await rig.again()
    expect(await ask()).toContain('200 OK')
    const clients = { authorities: pair.certificate, insecureFallback: false }
    set({ listeners: [https('another', 'site.example', { tls: { ...terminate, clients } })] })
    await rig.again()
    expect(await ask()).not.toContain('200 OK')
    // Neither client has a certificate to show.
    expect(await callTls(port, 'site.example')).not.toContain('200')
  })
})

describe('a port of TCP', () => {
  const tcp = listener({ id: 'tcp', port: 443, protocol: Protocol.TCP })

  test('passes everything on from the first byte, whoever speaks first', async () => {
    const rig = startRig()
    const origin = await startPlainOrigin(async (connection) => {
      connection.write('220 ')
      connection.socket.end(await connection.take(4))
    })
    const streams = streamsOf({
      listeners: [tcp],
      hosts: [stream('tcp', '', 'a/tcp:25')],
      backends: [backend({ key: 'a/tcp:25', endpoints: [origin.endpoint] })],
    })
    const port = await rig.bind({ type: 'tcp', streams: () => [streams] })
    const client = await RawConnection.open(port)
    expect(await client.take(4)).toBe('220 ')
    client.socket.end('HELO')
    expect(await client.rest()).toBe('HELO')
    await expect.poll(() => rig.why()).toEqual(['finished'])
  })

  test('shares connections out by weight', async () => {
    const rig = startRig()
    const origins = await Promise.all(['0', '1'].map((name) => startPlainOrigin(({ socket }) => void socket.end(name))))
    const backends = origins.map(({ endpoint }, i) => backend({ key: `a/${i}:1`, endpoints: [endpoint] }))
    const weights = [3, 1]
    const refs = backends.map(({ key }, i) => ref({ backend: key, weight: weights[i] ?? 0 }))
    const streams = streamsOf({
      listeners: [tcp],
      hosts: [host({ listener: 'tcp', rules: [rule({ backends: refs })] })],
      backends,
    })
    const port = await rig.bind({ type: 'tcp', streams: () => [streams] })
    const seen: string[] = []
    for (let i = 0; i < 8; i++) seen.push(await (await RawConnection.open(port)).rest())
    expect(seen.sort().join('')).toBe('00000011')
  })

  test('closes a connection that has no listener or no route', async () => {
    const rig = startRig()
    let streams = streamsOf({ listeners: [tcp] })
    const port = await rig.bind({ type: 'tcp', streams: () => [streams] })
    await (await RawConnection.open(port)).rest()
    streams = streamsOf({})
    await (await RawConnection.open(port)).rest()
    expect(rig.why()).toEqual(['no-route', 'no-listener'])
  })
})

test('a port of any kind takes whatever comes, and is still there', async () => {
  const balancers = new BlockList()
  balancers.addAddress('127.0.0.1')
  const streams = streamsOf({
    listeners: [https('any', ''), listener({ id: 'tcp', port: 443, protocol: Protocol.TCP })],
  })
  const hello = readFileSync(join(import.meta.dirname, '../../test/corpus/client-hello/curl.bin'))
  const beginnings = [
    hello,
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    Buffer.from(request),
    Buffer.from('PROXY TCP4 '),
  ]
  for (const parts of [{ type: 'http' }, { type: 'tls', streams: () => [streams] }] as const) {
    for (const trusted of [new BlockList(), balancers]) {
      const rig = startRig({ headTimeout: 100 }, trusted)
      const port = await rig.bind(parts)
      let random = 1
      const next = (below: number): number => {
        random = (random * 48_271) % 2_147_483_647
        return random % below
      }
      const clients = Array.from({ length: 60 }, async () => {
        const bytes = Buffer.from(beginnings[next(4)] ?? '')
        for (let changes = next(4); changes > 0; changes--) bytes[next(bytes.length)] = next(256)
        const client = connect(port, '127.0.0.1')
        client.on('error', () => {})
        const closed = new Promise((resolve) => client.once('close', resolve))
        client.write(bytes.subarray(0, next(bytes.length)))
        client.write(bytes.subarray(next(bytes.length)))
        await sleep(next(100))
        client[(['end', 'destroy', 'resetAndDestroy'] as const)[next(3)] ?? 'end']()
        client.resume()
        await closed
      })
      await Promise.all(clients)
      await expect.poll(() => rig.listen.open, { timeout: 5_000 }).toBe(0)
    }
  }
})

describe('behind a balancer', () => {
  const balancers = new BlockList()
  balancers.addSubnet('127.0.0.1', 32, 'ipv4')
  const header = 'PROXY TCP4 198.51.100.7 192.0.2.1 4711 443\r\n'

  test('the client is who the PROXY header says, however the bytes come', async () => {
    const port = await startRig({}, balancers).bind({ type: 'http' })
    const whole = await RawConnection.open(port)
    expect(jsonOf(await whole.write(header + request).rest())).toMatchObject({ address: '198.51.100.7' })
    const slow = await RawConnection.open(port)
    await drip(slow.socket, Buffer.from(header + request))
    expect(jsonOf(await slow.rest())).toMatchObject({ address: '198.51.100.7' })
    const local = await RawConnection.open(port)
    expect(jsonOf(await local.write(`PROXY UNKNOWN\r\n${request}`).rest())).toMatchObject({ address: '127.0.0.1' })
  })

  test('curl may send it before TLS', async () => {
    const rig = startRig({}, balancers)
    const streams = streamsOf({ listeners: [https('any', '')] })
    const port = await rig.bind({ type: 'tls', streams: () => [streams] })
    const { stdout } = await run('curl', ['-sk', '--haproxy-protocol', `https://127.0.0.1:${port}/`])
    expect(JSON.parse(stdout)).toMatchObject({ version: 'HTTP/2', address: '127.0.0.1', serverName: '' })
  })

  test('a tunnel gets what follows the header', async () => {
    const rig = startRig({}, balancers)
    const origin = await startPlainOrigin(async (connection) => void connection.socket.end(await connection.take(4)))
    const streams = streamsOf({
      listeners: [listener({ id: 'tcp', port: 443, protocol: Protocol.TCP })],
      hosts: [stream('tcp', '', 'a/tcp:25')],
      backends: [backend({ key: 'a/tcp:25', endpoints: [origin.endpoint] })],
    })
    const port = await rig.bind({ type: 'tcp', streams: () => [streams] })
    const client = await RawConnection.open(port)
    expect(await client.write(`${header}ping`).rest()).toBe('ping')
    client.socket.end()
    await expect.poll(() => rig.reports[0]?.peer).toEqual({ address: '198.51.100.7', port: 4711 })
  })

  test('a balancer that sends no header is refused, and another peer that sends one, too', async () => {
    const rig = startRig({}, balancers)
    const port = await rig.bind({ type: 'http' })
    expect(await (await RawConnection.open(port)).write(request).rest()).toBe('')
    expect(rig.why()).toEqual(['no-proxy-header'])
    const open = await startRig().bind({ type: 'http' })
    expect(await (await RawConnection.open(open)).write(header + request).rest()).toContain(' 400 ')
  })

  test('a header that does not come is waited for no longer than the first bytes', async () => {
    const rig = startRig({ headTimeout: 100 }, balancers)
    const client = await RawConnection.open(await rig.bind({ type: 'http' }))
    expect(await client.write('PROXY TCP4').rest()).toBe('')
    expect(rig.why()).toEqual(['head-timeout'])
  })
})

describe('binds', () => {
  const httpBind = ({ frontEnds }: Rig, changes: Partial<Bind> = {}): Bind =>
    ({
      type: 'http',
      address: '127.0.0.1',
      port: 0,
      listenerPort: 80,
      ...frontEnds,
      ...changes,
    }) as Bind

  test('come and go, and leave connections to their front ends', async () => {
    const rig = startRig()
    const first = httpBind(rig)
    const second = httpBind(rig, { address: '127.0.0.2' })
    expect(await rig.listen.set([first, second])).toEqual([])
    const [firstPort = 0, secondPort = 0] = [rig.listen.portOf(first), rig.listen.portOf(second)]
    const kept = await RawConnection.open(firstPort)
    kept.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n')
    await kept.message()
    expect(await rig.listen.set([second])).toEqual([])
    await expect(RawConnection.open(firstPort)).rejects.toThrow('ECONNREFUSED')
    kept.write('GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(await kept.rest()).toContain('"/2"')
    expect(rig.listen.portOf(second)).toBe(secondPort)
    // The same again, while the old one may still be closing.
    await Promise.all([rig.listen.set([]), rig.listen.set([httpBind(rig, { port: firstPort })])])
    expect(await (await RawConnection.open(firstPort)).write(request).rest()).toContain('200 OK')
  })

  test('change what they are for', async () => {
    const rig = startRig()
    const port = await rig.bind({ type: 'http' })
    const streams = streamsOf({ listeners: [https('any', '')] })
    expect(await rig.bind({ type: 'tls', streams: () => [streams] })).toBe(port)
    expect(await (await RawConnection.open(port)).write(request).rest()).toBe('')
    expect(rig.why()).toEqual(['not-tls'])
  })

  test('that are taken, or nobody has the address of, are told, and tried again', async () => {
    const rig = startRig({ retryDelay: 50 })
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const bound = other.address()
    const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0
    const faults = await rig.listen.set([httpBind(rig, { port }), httpBind(rig, { address: '192.0.2.1', port: 80 })])
    expect(faults).toEqual([
      expect.stringMatching(`^127.0.0.1 port ${port}: listen EADDRINUSE`),
      expect.stringMatching('^192.0.2.1 port 80: listen EADDRNOTAVAIL'),
    ])
    other.close()
    const answer = (): Promise<string> =>
      RawConnection.open(port).then(
        (client) => client.write(request).rest(),
        () => '',
      )
    await expect.poll(answer).toContain('200 OK')
  })

  test('listen on IPv6, and tell IPv4 clients as such', async () => {
    const rig = startRig()
    const bind = httpBind(rig, { address: '::' })
    expect(await rig.listen.set([bind])).toEqual([])
    const port = rig.listen.portOf(bind)
    for (const [host, address] of [
      ['127.0.0.1', '127.0.0.1'],
      ['[::1]', '::1'],
    ]) {
      const { stdout } = await run('curl', ['-s', `http://${host}:${port}/`])
      expect(JSON.parse(stdout)).toMatchObject({ address })
    }
  })
})

describe('closing', () => {
  test('waits for tunnels, and cuts them in the end', async () => {
    const rig = startRig()
    const origin = await startPlainOrigin(({ socket }) => void socket.write('hi'))
    const streams = streamsOf({
      listeners: [listener({ id: 'tcp', port: 443, protocol: Protocol.TCP })],
      hosts: [stream('tcp', '', 'a/tcp:25')],
      backends: [backend({ key: 'a/tcp:25', endpoints: [origin.endpoint] })],
    })
    const port = await rig.bind({ type: 'tcp', streams: () => [streams] })
    const short = await RawConnection.open(port)
    const long = await RawConnection.open(port)
    await Promise.all([short.take(2), long.take(2)])
    const since = performance.now()
    const closed = rig.listen.close(300)
    short.socket.end()
    origin.connections[0]?.socket.end()
    await closed
    expect(performance.now() - since).toBeGreaterThan(250)
    expect(rig.why()).toEqual(['finished', 'cut'])
  })

  test('does not wait long for clients that say nothing, and serves those that speak up', async () => {
    const rig = startRig()
    const port = await rig.bind({ type: 'http' })
    const silent = await RawConnection.open(port)
    const late = await RawConnection.open(port)
    late.write('GET ')
    await expect.poll(() => rig.listen.open).toBe(2)
    const since = performance.now()
    const closed = rig.listen.close(5_000)
    await sleep(50)
    late.write(request.slice(4))
    expect(await late.rest()).toContain('200 OK')
    await closed
    expect(performance.now() - since).toBeLessThan(2_000)
    expect(silent.closed).toBeDefined()
    expect(rig.why()).toEqual(['closing'])
  })

  test('accepts what the kernel has established already', async () => {
    const rig = startRig()
    const port = await rig.bind({ type: 'http' })
    const clients = Array.from({ length: 50 }, () => connect({ port, host: '127.0.0.1', allowHalfOpen: true }))
    // All have asked for a connection, and none is accepted before the event loop turns.
    await new Promise<void>((resolve) => process.nextTick(resolve))
    const closed = rig.listen.close(5_000)
    const answers = clients.map((client) => new RawConnection(client).write(request).rest())
    for (const answer of await Promise.all(answers)) expect(answer).toContain('200 OK')
    await closed
    await expect(RawConnection.open(port)).rejects.toThrow('ECONNREFUSED')
  })
})
