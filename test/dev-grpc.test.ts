import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectTls } from 'node:tls'
import { Client, credentials, type ServiceError } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AppProtocol } from '../proto/gen/route_table.ts'
import { issue } from './certificates.ts'
import { DevSite } from './dev-rig.ts'
import { startEdge } from './edge.ts'
import { backend, host, listener } from './engine-tables.ts'
import * as odd from './origins.ts'
import { RawConnection } from './raw-connection.ts'
import { gateway, gatewayClass, http, https, route, secret, service } from './serve-manifests.ts'
import { Code, type GrpcOrigin, grpcService, startGrpc } from './serve-origins.ts'

// gRPC and gRPC-Web through the Worker, which sees gRPC-Web only: `landfall dev` turns gRPC into it and back.

const closers: (() => unknown)[] = []
let site: DevSite
let server: GrpcOrigin
beforeEach(async () => {
  site = new DevSite()
  server = await startGrpc()
  closers.push(
    () => server.close(),
    () => site.close(),
  )
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A message of two bytes, and one of none, as gRPC frames them. */
const hi = '\0\0\0\0\x02hi'
const nothing = '\0\0\0\0\0'

/** What the JavaScript client of gRPC-Web in a browser sends, in its binary and its text format. */
const fromBrowser = (path: string, type: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: grpc.example:8080\r\nAccept: ${type}\r\nContent-Type: ${type}\r\nX-Grpc-Web: 1\r\n` +
  `X-User-Agent: grpc-web-javascript/0.1\r\nOrigin: https://app.example\r\nContent-Length: ${body.length}\r\n\r\n${body}`

const binary = 'application/grpc-web+proto'

/** gRPC's code of what has none of its own. */
const unknown = 2

/** A body without its chunked coding. */
function unchunked(body: string): string {
  let [text, rest] = ['', body]
  for (;;) {
    const [line = ''] = rest.split('\r\n', 1)
    const length = Number.parseInt(line, 16)
    if (!(length > 0)) return text
    const start = line.length + 2
    text += rest.slice(start, start + length)
    rest = rest.slice(start + length + 2)
  }
}

/** What "hi" comes back as from a server that says it back: itself, and a frame of trailers. */
const answeredHi = new RegExp(`^${hi}\x80\0\0\0.*grpc-status: 0\r\n`, 's')

async function raw(address: string, port: number): Promise<RawConnection> {
  const connection = await RawConnection.open(port, address)
  closers.push(() => connection.socket.destroy())
  return connection
}

const manifests = (...more: readonly object[]): readonly object[] => [
  gatewayClass,
  gateway(site.address, [http(8080)]),
  ...more,
]

/** How a call ends. */
function callOf(
  path: string,
  port = 8080,
  authority = 'grpc.example',
): Promise<readonly [code: number, message: string]> {
  const isSecure = port !== 8080
  const client = new Client(
    `${site.address}:${port}`,
    isSecure ? credentials.createSsl(Buffer.from(certificate.certificate)) : credentials.createInsecure(),
    { 'grpc.default_authority': authority, ...(isSecure && { 'grpc.ssl_target_name_override': 'one.example' }) },
  )
  closers.push(() => client.close())
  const { requestSerialize, responseDeserialize } = grpcService.unary
  return new Promise((resolve) =>
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      Buffer.from('hi'),
      (error: ServiceError | null, answer) =>
        resolve(error === null ? [0, String(answer)] : [error.code, error.details]),
    ),
  )
}

const certificate = issue({ subject: 'test', names: ['DNS:one.example', 'DNS:two.example'], isAuthority: true })

test('a client of gRPC is told what the Worker has to say in a status of gRPC', async () => {
  const silent = await odd.startOrigin(odd.silent)
  closers.push(silent.close)
  const rule = (method: string, ...backends: readonly string[]) => ({
    matches: [{ method: { service: 'test.Echo', method } }],
    backendRefs: backends.map((each) => ({ name: each, port: 80 })),
  })
  await site.serve(
    manifests(
      route('GRPCRoute', 'grpc', {
        hostnames: ['grpc.example'],
        rules: [
          rule('Unary', 'grpc'),
          rule('Refused', 'refused'),
          rule('Empty', 'empty'),
          rule('Unknown', 'unknown'),
          rule('None'),
        ],
      }),
      route('HTTPRoute', 'hurried', {
        hostnames: ['hurried.example'],
        rules: [{ timeouts: { request: '200ms' }, backendRefs: [{ name: 'silent', port: 80 }] }],
      }),
      ...service('grpc', [server.endpoint]),
      ...service('refused', [await odd.closedEndpoint()]),
      ...service('empty', []),
      ...service('silent', [silent.endpoint], 'kubernetes.io/h2c'),
    ),
  )
  expect(await callOf('/test.Echo/Unary')).toEqual([0, 'hi'])
  expect(await callOf('/test.Echo/Refused')).toEqual([Code.unavailable, 'landfall: connect-failed'])
  expect(await callOf('/test.Echo/Empty')).toEqual([Code.unavailable, 'landfall: no-endpoints'])
  expect(await callOf('/test.Echo/Unknown')).toEqual([unknown, 'landfall: invalid-backend'])
  expect(await callOf('/test.Echo/None')).toEqual([unknown, 'landfall: no-backends'])
  expect(await callOf('/test.Echo/Other')).toEqual([Code.unimplemented, 'landfall: no-route'])
  expect(await callOf('/a.B/C', 8080, 'hurried.example')).toEqual([Code.deadlineExceeded, 'landfall: request-timeout'])
})

test('a client of gRPC is told what the edge has to say in a status of gRPC, too', async () => {
  const named = (name: string) => ({ ...https(8443, ['test']), name, hostname: `${name}.example` })
  await site.serve([
    gatewayClass,
    gateway(site.address, [named('one'), named('two')]),
    secret('test', certificate),
    route('GRPCRoute', 'grpc'),
    ...service('grpc', [server.endpoint]),
  ])
  expect(await callOf('/test.Echo/Unary', 8443, 'one.example')).toEqual([0, 'hi'])
  expect(await callOf('/test.Echo/Unary', 8443, 'two.example')).toEqual([unknown, 'landfall: misdirected'])
})

test('a browser with gRPC-Web reaches a gRPC server by HTTP/1.1, and gets its trailers in the body', async () => {
  await site.serve(manifests(route('GRPCRoute', 'grpc'), ...service('grpc', [server.endpoint])))
  const client = await raw(site.address, 8080)
  const { head, body } = await client.write(fromBrowser(grpcService.unary.path, binary, hi)).message()
  expect(head).toMatch(/^content-type: application\/grpc-web\+proto\r$/im)
  expect(unchunked(body)).toMatch(answeredHi)
  expect(unchunked(body)).toContain('echoed: yes\r\n')

  const refused = await (await raw(site.address, 8080))
    .write(fromBrowser(grpcService.fail.path, binary, nothing))
    .message()
  expect(refused.head).toMatch(/^grpc-status: 8\r$/im)
  const lost = await (await raw(site.address, 8080)).write(fromBrowser('/test.Echo/Nothing', binary, nothing)).message()
  expect(lost.head).toMatch(/^grpc-status: 12\r$/im)
})

test('a browser with gRPC-Web reaches a gRPC server by HTTP/2 within TLS, and what it gets is not turned once more', async () => {
  await site.serve([
    gatewayClass,
    gateway(site.address, [https(8443, ['test'])]),
    secret('test', certificate),
    route('GRPCRoute', 'grpc'),
    ...service('grpc', [server.endpoint]),
  ])
  const socket = connectTls({
    ...{ host: site.address, port: 8443, servername: 'grpc.example', ALPNProtocols: ['h2'] },
    rejectUnauthorized: false,
  })
  const session = connectHttp2('https://grpc.example', { createConnection: () => socket })
  closers.push(() => session.destroy())
  const stream = session.request({
    ...{ ':method': 'POST', ':path': grpcService.unary.path },
    ...{ 'content-type': binary, accept: binary, 'x-grpc-web': '1' },
  })
  const trailers: unknown[] = []
  stream.on('trailers', (each) => trailers.push(each))
  stream.end(Buffer.from(hi, 'latin1'))
  const [answer] = await once(stream, 'response')
  const body = Buffer.concat(await stream.toArray()).toString('latin1')
  expect([answer[':status'], answer['content-type'], answer['grpc-status']]).toEqual([200, binary, undefined])
  expect(body).toMatch(answeredHi)
  expect(trailers).toEqual([])
})

test.for([
  ['binary', binary, hi, `${hi}\x80\0\0\0\x10grpc-status: 0\r\n`],
  ['text', 'application/grpc-web-text', 'AAAAAAJoaQ==', 'AAAAAAJoaQ==gAAAABBncnBjLXN0YXR1czogMA0K'],
] as const)(
  'gRPC-Web in %s passes to an origin that speaks it, and back, byte for byte',
  async ([, type, asked, answered]) => {
    const { endpoint, connections, close } = await odd.startOrigin(
      odd.answer(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${answered.length}\r\n\r\n${answered}`),
    )
    closers.push(close)
    await site.serve(manifests(route('HTTPRoute', 'web'), ...service('web', [endpoint])))
    const { head, body } = await (await raw(site.address, 8080)).write(fromBrowser('/a.B/C', type, asked)).message()
    expect(head.toLowerCase()).toContain(`content-type: ${type}\r\n`)
    expect(body).toBe(answered)
    const received = connections[0]?.received ?? ''
    expect(received.toLowerCase()).toContain(`content-type: ${type}\r\n`)
    expect(received.endsWith(`\r\n\r\n${asked}`)).toBe(true)
  },
)

test('gRPC-Web that comes straight to the Worker, without an edge, reaches a gRPC server', async () => {
  const edge = await startEdge()
  closers.push(() => edge.close())
  await edge.publish({
    gateway: 'infra/edge',
    controller: 'landfall.dev/edge-controller',
    addresses: [],
    listeners: [listener()],
    hosts: [host()],
    backends: [backend({ protocol: AppProtocol.H2C, endpoints: [server.endpoint] })],
    settings: { hideReason: false, trustedHops: 0, clientCertificate: '' },
  })
  const client = await edge.raw()
  closers.push(() => client.socket.destroy())
  const { head, body } = await client.write(fromBrowser(grpcService.unary.path, binary, hi)).message()
  expect(head).toMatch(/^content-type: application\/grpc-web\+proto\r$/im)
  expect(unchunked(body)).toMatch(answeredHi)
})
