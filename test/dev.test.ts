import { randomInt, type X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectHttp2, type OutgoingHttpHeaders } from 'node:http2'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { type ConnectionOptions, connect as connectTls, createServer, type TLSSocket } from 'node:tls'
import { afterEach, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { issue } from './certificates.ts'
import { DevSite } from './dev-rig.ts'
import * as odd from './origins.ts'
import { RawConnection } from './raw-connection.ts'
import {
  authority,
  backend,
  backendTls,
  gateway,
  gatewayClass,
  http,
  https,
  pathPrefix,
  route,
  secret,
  service,
} from './serve-manifests.ts'
import { startTls } from './serve-origins.ts'

// `landfall dev`: what it does around the Worker as Cloudflare's edge does.

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

function newSite(port?: number): DevSite {
  const site = new DevSite(port)
  closers.push(() => site.close())
  return site
}

async function origin(...args: Parameters<typeof odd.startOrigin>): Promise<odd.Origin> {
  const started = await odd.startOrigin(...args)
  closers.push(started.close)
  return started
}

const edgeClass = { ...gatewayClass, spec: { controllerName: 'landfall.dev/edge-controller' } }

const named = (name: string) => issue({ subject: name, names: [`DNS:${name}`] })

async function raw(address: string, port: number): Promise<RawConnection> {
  const socket = connect({ host: address, port, allowHalfOpen: true })
  closers.push(() => socket.destroy())
  await once(socket, 'connect')
  return new RawConnection(socket)
}

async function tls(host: string, port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({ host, port, rejectUnauthorized: false, ...options })
  closers.push(() => socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

/** Status and body of a request by HTTP/2; `socket` undefined: in the clear. */
async function askHttp2(authority: string, headers: OutgoingHttpHeaders, socket?: TLSSocket) {
  const session = connectHttp2(authority, socket === undefined ? {} : { createConnection: () => socket })
  closers.push(() => session.destroy())
  const stream = session.request({ ':path': '/', ...headers })
  const [answer] = await once(stream, 'response')
  return { status: answer[':status'], headers: answer, body: await text(stream) }
}

const linesOf = (echoed: string, name: string): string[] =>
  echoed
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(`${name}:`))
    .map((line) => line.slice(name.length + 1).trim())

const forged =
  'CF-Connecting-IP: 6.6.6.6\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: gopher\r\nlandfall-proto: gopher\r\n' +
  'landfall-cf: {"clientIp":"6.6.6.6:1"}\r\nCF-Visitor: {"scheme":"gopher"}\r\n'

test('requests by HTTP/1.1 and HTTP/2, in the clear and within TLS, reach the origin with who and what they are', async () => {
  const site = newSite()
  const { endpoint } = await origin(odd.echo)
  await site.serve([
    gatewayClass,
    gateway(site.address, [http(8080), https(8443, ['one'])]),
    secret('one', named('one.example')),
    route('HTTPRoute', 'web', { rules: [{ backendRefs: [backend('web')] }] }),
    ...service('web', [endpoint]),
  ])
  const own = '127.0.0.1'
  const clear = await (await raw(site.address, 8080))
    .write(`GET / HTTP/1.1\r\nHost: One.Example:8080\r\n${forged}TE: trailers\r\n\r\n`)
    .message()
  const secured = new RawConnection(await tls(site.address, 8443, { servername: 'one.example' }))
  const secure = await secured.write(`GET / HTTP/1.1\r\nHost: One.Example:8443\r\n${forged}\r\n`).message()
  const h2c = await askHttp2(`http://${site.address}:8080`, {
    ':authority': 'One.Example:8080',
    'cf-connecting-ip': '6.6.6.6',
  })
  const socket = await tls(site.address, 8443, { servername: 'one.example', ALPNProtocols: ['h2'] })
  const h2 = await askHttp2(
    `https://${site.address}`,
    { ':authority': 'One.Example:8443', cookie: ['a=1', 'b=2'] },
    socket,
  )
  expect(linesOf(h2.body, 'cookie')).toEqual(['a=1; b=2'])
  for (const [{ body }, scheme, host] of [
    [clear, 'http', 'One.Example:8080'],
    [secure, 'https', 'One.Example:8443'],
    [h2c, 'http', 'One.Example:8080'],
    [h2, 'https', 'One.Example:8443'],
  ] as const) {
    expect(linesOf(body, 'host')).toEqual([host])
    expect(linesOf(body, 'x-forwarded-for')).toEqual([own])
    expect(linesOf(body, 'cf-connecting-ip')).toEqual([own])
    expect(linesOf(body, 'x-forwarded-proto')).toEqual([scheme])
    expect(linesOf(body, 'cf-visitor')).toEqual([`{"scheme":"${scheme}"}`])
    for (const name of ['landfall-cf', 'landfall-proto', 'te']) expect(linesOf(body, name)).toEqual([])
  }
})

test('each server name has its certificate, and a request for another listener is misdirected', async () => {
  const site = newSite()
  const { endpoint } = await origin(odd.echo)
  const listeners = ['one', 'two'].map((name) => ({
    ...https(8443, [name]),
    name,
    hostname: `${name}.example`,
  }))
  await site.serve([
    gatewayClass,
    gateway(site.address, listeners),
    ...['one', 'two'].map((name) => secret(name, named(`${name}.example`))),
    route('HTTPRoute', 'web', { rules: [{ backendRefs: [backend('web')] }] }),
    ...service('web', [endpoint]),
  ])
  for (const servername of ['one.example', 'two.example']) {
    const socket = await tls(site.address, 8443, { servername, ALPNProtocols: ['h2'] })
    expect(socket.getPeerX509Certificate()?.subjectAltName).toBe(`DNS:${servername}`)
    const { status, headers } = await askHttp2(`https://${servername}`, { ':authority': 'one.example' }, socket)
    expect([status, headers['landfall-reason']]).toEqual(
      servername === 'one.example' ? [200, undefined] : [421, 'misdirected'],
    )
  }
})

test('an HTTPS listener that Cloudflare would have a certificate for has one that is self-signed', async () => {
  const site = newSite()
  const { endpoint } = await origin(odd.echo)
  const listeners = ['edge.example', '*.wild.example', undefined].map((hostname, index) => ({
    name: `l${index}`,
    protocol: 'HTTPS',
    port: 8443,
    ...(hostname && { hostname }),
  }))
  await site.serve([
    edgeClass,
    gateway('127.0.0.1', listeners, { addresses: undefined }),
    route('HTTPRoute', 'web', { rules: [{ backendRefs: [backend('web')] }] }),
    ...service('web', [endpoint]),
  ])
  const seen: X509Certificate[] = []
  for (const [servername, name] of [
    ['edge.example', 'edge.example'],
    ['a.wild.example', '*.wild.example'],
    ['other.example', 'localhost'],
    ['edge.example', 'edge.example'],
  ] as const) {
    const socket = await tls('127.0.0.1', 8443, { servername })
    const certificate = socket.getPeerX509Certificate()
    if (certificate === undefined) throw new Error('no certificate')
    expect(certificate.subjectAltName).toBe(`DNS:${name}`)
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    seen.push(certificate)
    const connection = new RawConnection(socket)
    const { head } = await connection.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\n\r\n`).message()
    expect(head).toContain('200 OK')
  }
  expect(seen[3]?.fingerprint256).toBe(seen[0]?.fingerprint256)
})

test('a WebSocket passes, also when its first message comes right behind the request', async () => {
  const site = newSite()
  const { endpoint } = await origin(odd.webSocketEcho)
  await site.serve([
    gatewayClass,
    gateway(site.address, [http(8080)]),
    route('HTTPRoute', 'web', { rules: [{ backendRefs: [backend('web')] }] }),
    ...service('web', [endpoint]),
  ])
  const socket = new WebSocket(`ws://${site.address}:8080/chat`)
  const received: string[] = []
  socket.on('message', (data) => received.push(String(data)))
  await once(socket, 'open')
  socket.send('hello')
  await vi.waitFor(() => expect(received).toEqual(['hello']))
  socket.close(4001, 'enough')
  expect((await once(socket, 'close'))[0]).toBe(4001)

  const client = await raw(site.address, 8080)
  const frame = '\x81\x82\0\0\0\0hi'
  client.write(
    `GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n${frame}`,
  )
  expect(await client.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 101 /)
  expect(await client.take(4)).toBe('\x81\x02hi')
})

test('neither new routes nor new places break a connection, or a response under way', async () => {
  const site = newSite()
  const go: (() => void)[] = []
  const slow = await origin(odd.slowBody(['one', 'two'], () => new Promise<void>((resolve) => go.push(resolve))))
  const quick = await origin(odd.echo)
  const manifests = (path: string, ports: readonly number[]) => [
    gatewayClass,
    gateway(
      site.address,
      ports.map((port) => http(port, `http-${port}`)),
    ),
    route('HTTPRoute', 'slow', { rules: [{ matches: [pathPrefix('/slow')], backendRefs: [backend('slow')] }] }),
    route('HTTPRoute', 'quick', { rules: [{ matches: [pathPrefix(path)], backendRefs: [backend('quick')] }] }),
    ...service('slow', [slow.endpoint]),
    ...service('quick', [quick.endpoint]),
  ]
  await site.serve(manifests('/a', [8080]))
  const [under, between] = [await raw(site.address, 8080), await raw(site.address, 8080)]
  await under.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n').until('\r\n\r\n')
  go.shift()?.()
  await under.until('one\r\n')
  const status = async (path: string) =>
    (await between.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).message()).head.split(' ')[1]
  expect(await status('/a')).toBe('200')

  await site.serve(manifests('/b', [8080]))
  expect([await status('/a'), await status('/b')]).toEqual(['404', '200'])
  await site.serve(manifests('/c', [8080, 8081]))
  expect([await status('/b'), await status('/c')]).toEqual(['404', '200'])
  await raw(site.address, 8081)

  await vi.waitFor(() => expect(go).toHaveLength(1))
  go.shift()?.()
  expect(await under.until('0\r\n\r\n')).toBe('3\r\ntwo\r\n0\r\n\r\n')
})

test('ports of TLS and TCP pass connections on as they are, and their names choose', async () => {
  const site = newSite()
  const { certificate, privateKey } = named('pass.example')
  const server = createServer({ cert: certificate, key: privateKey }, (socket) => socket.end('passed'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => server.close())
  const bound = server.address()
  const endpoint = { address: '127.0.0.1', port: bound !== null && typeof bound === 'object' ? bound.port : 0 }
  const { endpoint: plain } = await origin((connection) => void connection.socket.end('plain'))
  await site.serve([
    gatewayClass,
    gateway(site.address, [
      { ...https(8443, ['own']), hostname: 'own.example' },
      { name: 'pass', protocol: 'TLS', port: 8443, hostname: 'pass.example', tls: { mode: 'Passthrough' } },
      { name: 'tcp', protocol: 'TCP', port: 5432 },
    ]),
    secret('own', named('own.example')),
    route('TLSRoute', 'pass', { parent: { sectionName: 'pass' }, hostnames: ['pass.example'] }),
    route('TCPRoute', 'tcp', { parent: { sectionName: 'tcp' } }),
    ...service('pass', [endpoint]),
    ...service('tcp', [plain]),
  ])
  const passed = await tls(site.address, 8443, { servername: 'pass.example' })
  expect(passed.getPeerX509Certificate()?.subjectAltName).toBe('DNS:pass.example')
  expect(await text(passed)).toBe('passed')
  const ended = await tls(site.address, 8443, { servername: 'own.example' })
  expect(ended.getPeerX509Certificate()?.subjectAltName).toBe('DNS:own.example')
  expect(await (await raw(site.address, 5432)).rest()).toBe('plain')
})

test('TLS that ends at the edge and TLS that passes through share a port, and what was within goes where the Worker says', async () => {
  const site = newSite()
  const behind = named('pass.example')
  const server = createServer({ cert: behind.certificate, key: behind.privateKey }, (socket) => socket.end('passed'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => server.close())
  const bound = server.address()
  const passed = { address: '127.0.0.1', port: bound !== null && typeof bound === 'object' ? bound.port : 0 }
  const saying = (word: string) =>
    origin(async (connection) => {
      const heard = await connection.rest()
      connection.socket.end(`${word} heard ${heard}`)
    })
  const listeners = ['end', 'pass'].map((name) => ({
    name,
    protocol: 'TLS',
    port: 8443,
    hostname: `${name === 'end' ? '*' : 'pass'}.example`,
    tls: name === 'end' ? { mode: 'Terminate', certificateRefs: [{ name: 'end' }] } : { mode: 'Passthrough' },
  }))
  await site.serve([
    gatewayClass,
    gateway(site.address, listeners),
    secret('end', named('*.example')),
    route('TLSRoute', 'one', { parent: { sectionName: 'end' }, hostnames: ['one.example'] }),
    route('TLSRoute', 'two', { parent: { sectionName: 'end' }, hostnames: ['two.example'] }),
    route('TLSRoute', 'gone', { parent: { sectionName: 'end' }, hostnames: ['gone.example'] }),
    route('TLSRoute', 'pass', { parent: { sectionName: 'pass' }, hostnames: ['pass.example'] }),
    ...service('one', [(await saying('one')).endpoint]),
    ...service('two', [(await saying('two')).endpoint]),
    ...service('gone', [await odd.closedEndpoint()]),
    ...service('pass', [passed]),
  ])
  const large = 'x'.repeat(300_000)
  for (const [name, words] of [
    ['one', 'hello\n'],
    ['two', large],
    ['one', ''],
  ] as const) {
    const socket = await tls(site.address, 8443, { servername: `${name}.example` })
    expect(socket.getPeerX509Certificate()?.subjectAltName).toBe('DNS:*.example')
    socket.end(words)
    expect(await text(socket)).toBe(`${name} heard ${words}`)
  }
  const through = await tls(site.address, 8443, { servername: 'pass.example' })
  expect(through.getPeerX509Certificate()?.subjectAltName).toBe('DNS:pass.example')
  expect(await text(through)).toBe('passed')

  expect(await text(await tls(site.address, 8443, { servername: 'gone.example' })).catch(() => '')).toBe('')
  await expect(tls(site.address, 8443, { servername: 'nobody.example' })).rejects.toThrow()
})

test('of a connection that is passed on, either end hears when the other is lost', async () => {
  const site = newSite()
  const { endpoint, connections } = await origin((connection) => void connection.write('hello'))
  await site.serve([
    gatewayClass,
    gateway(site.address, [{ name: 'tcp', protocol: 'TCP', port: 5432 }]),
    route('TCPRoute', 'tcp'),
    ...service('tcp', [endpoint]),
  ])
  const [leaves, stays] = [await raw(site.address, 5432), await raw(site.address, 5432)]
  await Promise.all([leaves.until('hello'), stays.until('hello')])
  leaves.socket.resetAndDestroy()
  await vi.waitFor(() => expect(connections.map(({ closed }) => closed !== undefined).sort()).toEqual([false, true]))
  connections.find(({ closed }) => closed === undefined)?.socket.resetAndDestroy()
  await stays.rest()
})

test('an origin is reached by TLS as its policy says, and one that is another by name is not', async () => {
  const site = newSite()
  const ca = issue({ subject: 'authority', isAuthority: true })
  const { endpoint, close } = await startTls(issue({ subject: 'origin', issuer: ca, names: ['DNS:origin.internal'] }))
  closers.push(close)
  const manifests = (hostname: string) => [
    gatewayClass,
    gateway(site.address, [http(8080)]),
    route('HTTPRoute', 'secured'),
    ...service('secured', [endpoint]),
    authority('ca', ca),
    backendTls('secured', 'ca', hostname),
  ]
  const ask = async () =>
    (await raw(site.address, 8080)).write('GET /a HTTP/1.1\r\nHost: Shop.Example\r\n\r\n').message()

  await site.serve(manifests('origin.internal'))
  const { head, body } = await ask()
  expect(head).toContain('200 OK')
  expect(body).toContain('"host":"Shop.Example"')

  await site.serve(manifests('other.internal'))
  expect((await ask()).head).toMatch(/^HTTP\/1\.1 502 .*landfall-reason: tls-failed\r\n/is)
})

test('an origin in the same zone is reached by its own name and asked under that of the client', async () => {
  // Gateways that Cloudflare is to serve ask for no address, and for few ports.
  const [address, port] = ['127.0.0.1', randomInt(20_000, 32_000)]
  const site = newSite(port)
  const { endpoint } = await origin(odd.echo)
  const webSocket = await origin(odd.webSocketEcho)
  const elsewhere = (name: string, address: string): readonly object[] => {
    const [of, ...slices] = service(name, [])
    const annotations = { 'landfall.dev/origin': 'resolve-override', 'landfall.dev/origin-address': address }
    return [{ ...of, metadata: { name, namespace: 'test', annotations } }, ...slices]
  }
  await site.serve([
    edgeClass,
    gateway(address, [http(80)], { addresses: undefined }),
    route('HTTPRoute', 'same', { hostnames: ['shop.localhost'] }),
    route('HTTPRoute', 'other', { hostnames: ['shop.example'] }),
    ...elsewhere('same', 'localhost'),
    ...elsewhere('other', 'localhost'),
  ])
  const ask = async (host: string, more = '', body = '') =>
    (await raw(address, port))
      .write(`${body === '' ? 'GET' : 'POST'} /a?b HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n${body}`)
      .message()

  const answer = await ask(`shop.localhost:${endpoint.port}`, 'Content-Length: 5\r\nX-A: 1\r\n', 'hello')
  expect(answer.head).toContain('200 OK')
  expect(answer.body).toMatch(/^POST \/a\?b HTTP\/1\.1\r\n.*hello$/s)
  expect(linesOf(answer.body, 'host')).toEqual([`shop.localhost:${endpoint.port}`])
  expect(linesOf(answer.body, 'x-a')).toEqual(['1'])
  for (const name of ['landfall-cf', 'landfall-proto']) expect(linesOf(answer.body, name)).toEqual([])

  const socket = new WebSocket(`ws://${address}:${port}/`, {
    headers: { host: `shop.localhost:${webSocket.endpoint.port}` },
  })
  await once(socket, 'open')
  socket.send('hello')
  expect(String((await once(socket, 'message'))[0])).toBe('hello')
  socket.close()
  await once(socket, 'close')

  // Cloudflare would ask the client's own name for the address.
  expect((await ask(`shop.example:${endpoint.port}`)).head).toMatch(/^HTTP\/1\.1 502 /)
  expect(site.logged).toContainEqual(expect.stringMatching(/resolve-override-ignored .*"shop\.example"/))
})
