import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttp2Server, createSecureServer } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { encodeTable } from '../control/publish/encode.ts'
import { hostHeader, originHeader } from '../engine/origin-token.ts'
import { tlsIdentity, tlsName } from '../engine/origin-token-tls.ts'
import { AppProtocol, type BackendTls, type Endpoint } from '../proto/gen/route_table.ts'
import { connectorTable } from '../standalone/connector/table.ts'
import { issue } from './certificates.ts'
import { type Rig, startRig, type TokenOptions, token } from './connector-rig.ts'
import { backend, listener } from './engine-tables.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const authority = issue({ subject: 'the authority', isAuthority: true })
const certificate = issue({ subject: 'backend', issuer: authority, names: ['DNS:backend.example'] })
const policy: BackendTls = { hostname: 'backend.example', authorities: authority.certificate, subjectAltNames: [] }
const keys = { cert: certificate.certificate, key: certificate.privateKey }

async function start(server: Server): Promise<{ readonly rig: Rig; readonly endpoint: Endpoint }> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const endpoint = { address: '127.0.0.1', port }
  const rig = await startRig([endpoint])
  closers.push(() => server.close(), rig.close)
  return { rig, endpoint }
}

/** Adds a way of TLS to the connector's table, and gives its name. */
function allow(rig: Rig, tls: BackendTls, clientCertificate = ''): string {
  const name = tlsName(createHash('sha256').update(tlsIdentity(tls, clientCertificate)).digest())
  rig.tls.set(name, { policy: tls, clientCertificate })
  return name
}

async function ask(
  rig: Rig,
  endpoint: Endpoint,
  options: TokenOptions,
  more = 'Content-Length: 5\r\n',
  body = 'hello',
) {
  const client = await rig.client()
  const lines = `Host: worker\r\n${hostHeader}: Shop.Example:8443\r\n${originHeader}: ${token(endpoint, options)}\r\n`
  return client.write(`POST /a?b HTTP/1.1\r\n${lines}${more}\r\n${body}`).message()
}

test('an origin that speaks HTTP/2 in the clear is spoken to so', async () => {
  const { rig, endpoint } = await start(
    createHttp2Server((request, response) => {
      response.setHeader('landfall-error', 'refused')
      response.setHeader('x-mine', '1')
      request.on('data', (bytes) => response.end(`${request.authority} ${request.url} ${bytes}`))
    }),
  )
  const { head, body } = await ask(rig, endpoint, { protocol: 'http2' })
  expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\nx-mine: 1\r\n/)
  expect(body).toContain('Shop.Example:8443 /a?b hello')
})

test.for(['http1', 'http2'] as const)('%s within TLS goes to whom the policy names', async (protocol) => {
  const answer = (
    { socket, httpVersion }: { socket: { servername?: unknown }; httpVersion: string },
    response: { end(text: string): void },
  ) => response.end(`${httpVersion} to ${socket.servername}`)
  const server =
    protocol === 'http1'
      ? createHttpsServer(keys, (request, response) =>
          answer({ httpVersion: request.httpVersion, socket: request.socket as TLSSocket }, response),
        )
      : createSecureServer(keys, (request, response) =>
          answer({ httpVersion: request.httpVersion, socket: request.stream.session?.socket as TLSSocket }, response),
        )
  const { rig, endpoint } = await start(server)
  const { head, body } = await ask(rig, endpoint, { protocol, tls: allow(rig, policy) })
  expect(head).toContain('200 OK')
  expect(body).toContain(`${protocol === 'http1' ? '1.1' : '2.0'} to backend.example`)
})

test('a certificate that is not what the policy asks for is answered with tls-failed', async () => {
  const { rig, endpoint } = await start(createHttpsServer(keys, (_request, response) => response.end()))
  const tls = allow(rig, { ...policy, hostname: 'other.example' })
  expect((await ask(rig, endpoint, { tls })).head).toMatch(/^HTTP\/1\.1 502 .*\r\nlandfall-error: tls-failed\r\n/)
})

test("what an origin is shown is the certificate of the token's Gateway, and the connection of no other", async () => {
  const own = issue({ subject: 'gateway a', issuer: authority })
  const other = issue({ subject: 'gateway b', issuer: authority })
  const asking = { ...keys, ca: authority.certificate, requestCert: true, rejectUnauthorized: false }
  const { rig, endpoint } = await start(
    createHttpsServer(asking, (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate()
      response.end(`${subject?.CN}`)
    }),
  )
  for (const [name, { certificate, privateKey }] of [
    ['ns/a', own],
    ['ns/b', other],
  ] as const)
    rig.keyPairs.set(name, { certificate, privateKey })
  for (const [name, shown] of [
    ['ns/a', 'gateway a'],
    ['ns/b', 'gateway b'],
    ['', 'undefined'],
    ['ns/a', 'gateway a'],
  ] as const)
    expect((await ask(rig, endpoint, { tls: allow(rig, policy, name) })).body).toContain(shown)
})

test('the table has what the Gateways may reach, and each in its ways', () => {
  const endpoints = [{ address: '10.0.0.1', port: 443 }]
  const table = (gateway: string, clientCertificate: string) =>
    encodeTable({
      gateway,
      controller: 'landfall.dev/edge-controller',
      addresses: [],
      listeners: [listener()],
      hosts: [],
      backends: [backend({ key: 'a/b:443', protocol: AppProtocol.H2C, endpoints, tls: policy })],
      settings: { hideReason: false, trustedHops: 0, clientCertificate },
    })
  const encoded = [table('a/a', ''), table('a/b', 'ns/a')].flatMap((each) => (each.ok ? each.table : []))
  const shards = new Map(
    encoded.flatMap((each) => [...each.shards].map(([key, bytes]) => [key.slice('shard/'.length), bytes] as const)),
  )
  const feed = { roots: encoded.map(({ rootBytes }) => rootBytes), shards, keyPairs: new Map() }
  const read = connectorTable(feed)
  expect([...read.endpoints]).toEqual(['10.0.0.1:443'])
  expect([...read.tls.values()]).toEqual([
    { policy, clientCertificate: '' },
    { policy, clientCertificate: 'ns/a' },
  ])
  expect(() => connectorTable({ ...feed, shards: new Map() })).toThrow('is missing')
})
