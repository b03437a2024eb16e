import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Edge } from '../dev/edge.ts'
import { Generation } from '../dev/generation.ts'
import { placesOf } from '../dev/places.ts'
import { Protocol } from '../proto/gen/route_table.ts'
import { issue } from './certificates.ts'
import { loopback } from './dev-rig.ts'
import { listener, routerOf } from './engine-tables.ts'
import { RawConnection } from './raw-connection.ts'

// What a Worker finds in request.cf behind the edge of `landfall dev`: this one answers with it.

const worker = 'export default { fetch: ({ cf }) => Response.json(cf) }'
const authority = issue({ subject: 'authority', isAuthority: true })
const server = issue({ subject: 'server', issuer: authority })
const client = issue({ subject: 'client', issuer: authority })
const clients = { authorities: authority.certificate, insecureFallback: true }

const address = loopback()
const edge = new Edge({ log: () => {} })
let directory: string
let generation: Generation

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'landfall-cf-'))
  const router = routerOf({
    addresses: [address],
    listeners: [
      listener({ port: 8080 }),
      listener({
        id: 'https',
        port: 8443,
        protocol: Protocol.HTTPS,
        tls: { passthrough: false, certificates: ['ns/server'], clients },
      }),
    ],
  })
  const { places } = placesOf([router], undefined)
  generation = new Generation(join(directory, '1'), places, {
    worker,
    adminToken: '',
    storeAddress: `unix:${join(directory, 'store.sock')}`,
    connectorAddress: `unix:${join(directory, 'connector.sock')}`,
    variables: {},
    log: () => {},
  })
  await generation.start()
  const keyPairs = new Map([['ns/server', server]])
  const routers = new Map([[router.gateway, router]])
  expect(await edge.apply(places, routers, keyPairs, (place) => generation.socketsOf(place))).toEqual([])
})

afterAll(async () => {
  await edge.close(0)
  await generation?.close(0)
  await rm(directory, { recursive: true, force: true })
})

const ipPort = (socket: Socket): string => `${socket.localAddress}:${socket.localPort}`

async function overTls(options: ConnectionOptions) {
  const socket = connectTls({
    host: address,
    port: 8443,
    servername: 'a.example',
    rejectUnauthorized: false,
    ...options,
  })
  await once(socket, 'secureConnect')
  return socket
}

/** request.cf of a request by HTTP/1.1. */
async function ask(socket: Socket): Promise<unknown> {
  const raw = new RawConnection(socket)
  const { body } = await raw.write('GET / HTTP/1.1\r\nHost: a.example\r\nlandfall-cf: {"forged":1}\r\n\r\n').message()
  socket.destroy()
  return JSON.parse(/\{.*\}/.exec(body)?.[0] ?? '')
}

test('of a connection in the clear it has the address of the client, and nothing that the client says', async () => {
  const socket = connect({ host: address, port: 8080 })
  await once(socket, 'connect')
  const from = ipPort(socket)
  const cf = await ask(socket)
  expect(cf).toMatchObject({ clientIp: from, httpProtocol: 'HTTP/1.1', tlsClientAuth: { certPresented: '0' } })
  for (const name of ['tlsVersion', 'tlsCipher', 'forged']) expect(cf).not.toHaveProperty(name)
})

test.for([
  ['TLSv1.2', 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
  ['TLSv1.3', 'TLS_AES_256_GCM_SHA384', 'AEAD-AES256-GCM-SHA384'],
] as const)(
  'of %s it has version and cipher, and that no certificate was shown',
  async ([version, ciphers, tlsCipher]) => {
    const socket = await overTls({ ciphers, maxVersion: version })
    const from = ipPort(socket)
    expect(await ask(socket)).toMatchObject({
      clientIp: from,
      httpProtocol: 'HTTP/1.1',
      tlsVersion: version,
      tlsCipher,
      tlsClientAuth: { certPresented: '0', certVerified: 'NONE' },
    })
  },
)

test('of HTTP/2 within TLS it has the certificate that the client has shown', async () => {
  const socket = await overTls({ ALPNProtocols: ['h2'], cert: client.certificate, key: client.privateKey })
  const session = connectHttp2('https://a.example', { createConnection: () => socket })
  const stream = session.request({ ':path': '/' })
  const cf: unknown = JSON.parse(await text(stream))
  session.destroy()
  expect(cf).toMatchObject({
    httpProtocol: 'HTTP/2',
    tlsVersion: 'TLSv1.3',
    tlsClientAuth: {
      certPresented: '1',
      certVerified: 'SUCCESS',
      certSubjectDN: 'CN=client',
      certIssuerDN: 'CN=authority',
      certSerial: new X509Certificate(client.certificate).serialNumber,
    },
  })
})

test('a certificate that nobody vouches for is told as such', async () => {
  const stranger = issue({ subject: 'stranger' })
  const socket = await overTls({ cert: stranger.certificate, key: stranger.privateKey })
  expect(await ask(socket)).toMatchObject({
    tlsClientAuth: { certPresented: '1', certVerified: 'FAILED:self signed certificate', certSubjectDN: 'CN=stranger' },
  })
})
