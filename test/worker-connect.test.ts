import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { bundleWorker } from '../dev/bundle.ts'
import { createKvServer } from '../dev/kv-server.ts'
import { Workerd } from '../dev/workerd.ts'
import { Protocol } from '../proto/gen/route_table.ts'
import { issue } from './certificates.ts'
import { backend, encodeTable, host, listener, ref, rule } from './engine-tables.ts'

// The Worker's connect handler on plain workerd, which Cloudflare has no inbound connections for.

const gateway = 'infra/edge'
const servers: Server[] = []
let directory: string
let workerd: Workerd
const at = (name: string): string => join(directory, `${name}.sock`)

async function serve(server: Server): Promise<{ readonly address: string; readonly port: number }> {
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  if (bound === null || typeof bound !== 'object') throw new Error('no port')
  return { address: bound.address, port: bound.port }
}

const raw = (name: string) => ({ name, address: `unix:${at(name)}`, raw: true as const })
const ended = { passthrough: false, certificates: ['ns/a'], clients: undefined }
const passthrough = { passthrough: true, certificates: [], clients: undefined }
const names = (name: string) => issue({ subject: name, names: [`DNS:${name}`] })

const tlsOrigin = (name: string) => {
  const { certificate, privateKey } = names(name)
  return serve(createTlsServer({ cert: certificate, key: privateKey }, (socket) => socket.end(`from ${name}`)))
}

/** Says back what it gets once the client is done. */
const echo = () =>
  serve(createServer({ allowHalfOpen: true }, async (socket) => socket.end(`heard ${await text(socket)}`)))

let heard = ''
let isOver = false

/** Listens, and says nothing. */
const silent = () =>
  serve(
    createServer((socket) => {
      socket.on('data', (bytes) => {
        heard += bytes
      })
      socket.on('end', () => {
        isOver = true
      })
      socket.on('error', () => {})
    }),
  )

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'landfall-connect-'))
  const gone = await echo()
  servers.at(-1)?.close()
  const streamHost = (id: string, hostname: string, key: string) =>
    host({ listener: id, hostname, rules: [rule({ route: 'TLSRoute a/b', backends: [ref({ backend: key })] })] })
  const { root, shards } = encodeTable({
    gateway,
    listeners: [
      listener({ id: 'tls', port: 443, protocol: Protocol.TLS, hostname: '*.example', tls: passthrough }),
      listener({ id: 'ended', port: 443, protocol: Protocol.TLS, hostname: '*.ended.example', tls: ended }),
      listener({ id: 'https', port: 443, protocol: Protocol.HTTPS, hostname: 'https.example', tls: ended }),
      listener({ id: 'tcp', port: 5432, protocol: Protocol.TCP }),
      listener({ id: 'hang', port: 5433, protocol: Protocol.TCP }),
      listener({ id: 'policy', port: 5434, protocol: Protocol.TCP }),
    ],
    hosts: [
      streamHost('tls', 'one.example', 'a/one:443'),
      streamHost('tls', '*.example', 'a/any:443'),
      streamHost('tls', 'gone.example', 'a/gone:443'),
      streamHost('ended', 'a.ended.example', 'a/tcp:80'),
      streamHost('https', 'https.example', 'a/tcp:80'),
      streamHost('tcp', '', 'a/tcp:80'),
      streamHost('hang', '', 'a/hang:80'),
      streamHost('policy', '', 'a/policy:443'),
    ],
    backends: [
      backend({ key: 'a/one:443', endpoints: [gone, await tlsOrigin('one.example')] }),
      backend({ key: 'a/any:443', endpoints: [await tlsOrigin('any.example')] }),
      backend({ key: 'a/gone:443', endpoints: [gone] }),
      backend({ key: 'a/hang:80', endpoints: [await silent()] }),
      backend({ key: 'a/tcp:80', endpoints: [await echo()] }),
      backend({
        key: 'a/policy:443',
        endpoints: [await echo()],
        tls: { hostname: 'a', authorities: '', subjectAltNames: [] },
      }),
    ],
  })
  const entries = new Map([
    [`gateway/${gateway}`, root],
    ...[...shards].map(([name, bytes]) => [`shard/${name}`, bytes] as const),
  ])
  const kv = createKvServer({ get: async (key) => entries.get(key), list: async () => [`gateway/${gateway}`] })
  servers.push(kv)
  kv.listen(at('store'))
  await once(kv, 'listening')
  await writeFile(join(directory, 'worker.js'), await bundleWorker())
  workerd = new Workerd(directory, () => {})
  await workerd.serve({
    sockets: [
      { ...raw('tls'), props: { gateways: [gateway], port: 443, protocol: 'tls' } },
      { ...raw('ended'), props: { gateways: [gateway], port: 443, protocol: 'ended-tls' } },
      { ...raw('tcp'), props: { gateways: [gateway], port: 5432, protocol: 'tcp' } },
      { ...raw('hang'), props: { gateways: [gateway], port: 5433, protocol: 'tcp' } },
      { ...raw('policy'), props: { gateways: [gateway], port: 5434, protocol: 'tcp' } },
      { ...raw('none'), props: { gateways: [gateway], port: 1, protocol: 'tcp' } },
    ],
    storeAddress: `unix:${at('store')}`,
    connectorAddress: `unix:${at('connector')}`,
    variables: {},
  })
})

afterAll(async () => {
  await workerd?.close()
  for (const server of servers) server.close()
  await rm(directory, { recursive: true })
})

/** What a client of TLS hears, and whether there was a handshake. */
async function overTls(servername: string): Promise<readonly [heard: string, secured: boolean]> {
  const socket = connectTls({ path: at('tls'), servername, rejectUnauthorized: false })
  let secured = false
  socket.on('secureConnect', () => {
    secured = true
  })
  return [await text(socket).catch(() => ''), secured]
}

test('a connection goes on by its server name, as it is, to the next endpoint where one takes none', async () => {
  expect(await overTls('one.example')).toEqual(['from one.example', true])
  expect(await overTls('two.example')).toEqual(['from any.example', true])
})

test.each([
  ['that no listener takes', 'a.other'],
  ['of a backend that nobody answers for', 'gone.example'],
])('a server name %s ends the connection before the handshake', async (_, name) => {
  expect(await overTls(name)).toEqual(['', false])
})

test('a ClientHello may come a byte at a time', async () => {
  const { port } = await serve(
    createServer((socket: Socket) => {
      const onward = connect(at('tls'))
      onward.pipe(socket)
      socket.on('data', (bytes) => {
        for (const byte of bytes) onward.write(Buffer.from([byte]))
      })
      for (const each of [socket, onward]) each.on('error', () => {})
    }),
  )
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'one.example', rejectUnauthorized: false })
  expect(await text(socket)).toBe('from one.example')
})

test('what is no TLS is closed', async () => {
  const socket = connect(at('tls'))
  socket.write('GET / HTTP/1.1\r\n\r\n')
  expect(await text(socket)).toBe('')
})

test('TCP passes both ways, each for as long as it has something to say', async () => {
  const socket = connect({ path: at('tcp'), allowHalfOpen: true })
  socket.write('one ')
  socket.end('two')
  expect(await text(socket)).toBe('heard one two')
})

test('what was within TLS goes on by the server name that stands in front of it, in whatever pieces it comes', async () => {
  for (const pieces of [
    ['a.ended.example\none\ntwo'],
    ['a.ended.example\n', 'one\ntwo'],
    [...'a.ended.example', '\no', 'ne\ntwo'],
  ]) {
    const socket = connect({ path: at('ended'), allowHalfOpen: true }).setNoDelay()
    for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve))
    socket.end()
    expect(await text(socket)).toBe('heard one\ntwo')
  }
})

test.each([
  ['without a server name in front', 'x'.repeat(300)],
  ['that ends within the server name', 'a.ended.example'],
  ['for a name that no route takes', 'b.ended.example\nhello'],
  ['for a name whose TLS is to pass through', 'one.example\nhello'],
  ['for a name whose listener is of HTTPS', 'https.example\nhello'],
])('what was within TLS, %s, ends', async (_, bytes) => {
  const socket = connect({ path: at('ended'), allowHalfOpen: true })
  socket.write(bytes)
  if (!bytes.includes('\n') && bytes.length < 254) socket.end()
  expect(await text(socket)).toBe('')
})

test.each([
  ['whose TLS is to end in front of the Worker', 'a.ended.example'],
  ['of an HTTPS listener', 'https.example'],
])('TLS to a name %s ends before the handshake', async (_, name) => {
  expect(await overTls(name)).toEqual(['', false])
})

test.each([
  ['a port without a listener', 'none'],
  ['a backend with a policy that the Worker cannot keep', 'policy'],
])('%s closes', async (_, name) => {
  expect(await text(connect(at(name)))).toBe('')
})

test('an origin hears that its client is gone', async () => {
  const socket = connect(at('hang'))
  socket.write('half a word')
  await vi.waitFor(() => expect(heard).toBe('half a word'))
  expect(isOver).toBe(false)
  socket.destroy()
  await vi.waitFor(() => expect(isOver).toBe(true))
})
