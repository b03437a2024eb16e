import { once } from 'node:events'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { issue } from './certificates.ts'
import { DataPlaneRig } from './data-plane-rig.ts'
import { authority, backendTls, gateway, gatewayClass, http, route, secret, service } from './serve-manifests.ts'

const port = 8080

const vouching = issue({ subject: 'authority', isAuthority: true })
const own = issue({ subject: 'origin', issuer: vouching, names: ['DNS:origin.test'] })
const [first, second] = ['first', 'second'].map((subject) => issue({ subject, issuer: vouching }))

let rig: DataPlaneRig
const closers: (() => unknown)[] = []

beforeEach(async () => {
  rig = await DataPlaneRig.create()
})
afterEach(async () => {
  for (const close of closers.splice(0)) close()
  await rig.close()
})

interface Origin {
  readonly port: number
  /** Connections that were made. */
  readonly count: () => number
  /** Lets the requests for /slow have their answers. */
  readonly release: () => void
}

/** Answers by HTTP/1.1 and HTTP/2 with the name of the client's certificate. */
async function origin(): Promise<Origin> {
  /** Of each connection, by the port at its other end. */
  const names = new Map<number | undefined, string>()
  const waiting: (() => void)[] = []
  const options = { cert: own.certificate, key: own.privateKey, ca: vouching.certificate, requestCert: true }
  const server = createSecureServer({ ...options, rejectUnauthorized: true, allowHTTP1: true }, (request, response) => {
    const name = names.get(request.socket.remotePort) ?? ''
    if (request.url === '/slow') waiting.push(() => response.end(name))
    else response.end(name)
  })
  server.on('secureConnection', (socket: TLSSocket) => {
    names.set(socket.remotePort, String(socket.getPeerCertificate().subject.CN))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => server.close())
  const { port } = server.address() as AddressInfo
  return {
    port,
    count: () => names.size,
    release: () => {
      for (const release of waiting.splice(0)) release()
    },
  }
}

const manifests = (shown: typeof first, endpointPort: number, appProtocol: string | undefined): readonly object[] => [
  gatewayClass,
  gateway(rig.address, [http(port)], { tls: { backend: { clientCertificateRef: { name: 'client' } } } }),
  ...(shown === undefined ? [] : [secret('client', shown)]),
  authority('authority', vouching),
  backendTls('backend', 'authority', 'origin.test'),
  ...service('backend', [{ address: '127.0.0.1', port: endpointPort }], appProtocol),
  route('HTTPRoute', 'backend'),
]

const ask = async (path: string): Promise<string> => {
  const response = await fetch(`http://${rig.address}:${port}${path}`)
  return response.text()
}

test.for([
  ['HTTP/1.1', undefined],
  ['HTTP/2', 'kubernetes.io/h2c'],
] as const)(
  '%s: once the client certificate has changed, no request goes over a connection that was made with the old one',
  async ([, appProtocol]) => {
    const { port: endpoint, count, release } = await origin()
    await rig.serve(manifests(first, endpoint, appProtocol))
    const slow = ask('/slow')
    expect([await ask('/'), await ask('/')]).toEqual(['first', 'first'])
    const before = count()
    await rig.serve(manifests(second, endpoint, appProtocol))
    expect([await ask('/'), await ask('/')]).toEqual(['second', 'second'])
    expect(count()).toBe(before + 1)
    release()
    expect(await slow).toBe('first')
    expect(await ask('/')).toBe('second')
  },
)

test('connections are kept when a table changes, and the client certificate does not', async () => {
  const { port: endpoint, count } = await origin()
  await rig.serve(manifests(first, endpoint, undefined))
  expect(await ask('/')).toBe('first')
  await rig.serve([...manifests(first, endpoint, undefined), ...service('more', [])])
  await rig.serve([...manifests(first, endpoint, undefined), route('HTTPRoute', 'more', { hostnames: ['more.test'] })])
  expect(await ask('/')).toBe('first')
  expect(count()).toBe(1)
})
