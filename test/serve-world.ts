import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Issued, issue } from './certificates.ts'
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
import {
  type GrpcOrigin,
  type Origin,
  startGrpc,
  startH2c,
  startHttp1,
  startTcp,
  startTls,
  startWebSocket,
  type WebSocketOrigin,
} from './serve-origins.ts'
import { type Command, type Running, Site } from './serve-rig.ts'

export const ports = { http: 8080, https: 8443, clients: 8444, tcp: 9000 } as const

export const hosts = {
  http1: 'www.example.test',
  h2c: 'h2c.example.test',
  /** To an origin that speaks TLS. */
  tls: 'tls.example.test',
  grpc: 'grpc.example.test',
  webSocket: 'ws.example.test',
  /** Without an endpoint. */
  gone: 'gone.example.test',
  passthrough: 'pass.example.test',
} as const

/** Milliseconds that requests for /hang and calls of hosts.grpc under x-hurry may take. */
export const hurry = 300

/** One Gateway with all that clients are tried on, its origins, and whoever serves it. */
export interface World {
  readonly site: Site
  readonly running: Running
  readonly grpc: GrpcOrigin
  readonly webSocket: WebSocketOrigin
  /** An origin of HTTP/1.1. */
  readonly http1: Origin
  /** File names, in PEM. */
  readonly files: {
    readonly authority: string
    readonly client: string
    readonly clientKey: string
    /** Of an authority that nobody knows. */
    readonly stranger: string
    readonly strangerKey: string
  }
  /** Of who has issued all certificates, in PEM. */
  readonly authority: string
  close(): Promise<void>
}

/** `open`: the ports that the command serves. */
export async function startWorld(command: Command, open: readonly number[] = Object.values(ports)): Promise<World> {
  const site = await Site.create()
  const ca = issue({ subject: 'Landfall test authority', isAuthority: true })
  const names = ['DNS:*.example.test']
  const ecdsa = issue({ subject: 'ecdsa', issuer: ca, names })
  const rsa = issue({ subject: 'rsa', issuer: ca, names, keyType: 'rsa' })
  const behind = issue({ subject: 'origin', issuer: ca, names: ['DNS:origin.internal', `DNS:${hosts.passthrough}`] })
  const origins = {
    http1: await startHttp1(),
    h2c: await startH2c(),
    tls: await startTls(behind),
    tcp: await startTcp(),
    grpc: await startGrpc(),
    webSocket: await startWebSocket(),
  }
  await site.write('certificates', [secret('ecdsa', ecdsa), secret('rsa', rsa), authority('ca', ca)])
  await site.write('site', manifests(site.address, origins))
  const running = await site.start(open, command)
  return {
    site,
    running,
    grpc: origins.grpc,
    webSocket: origins.webSocket,
    http1: origins.http1,
    files: await writeFiles(site, ca),
    authority: ca.certificate,
    close: async () => {
      await site.close()
      await Promise.all(Object.values(origins).map((origin) => origin.close()))
    },
  }
}

async function writeFiles({ directory }: Site, ca: Issued): Promise<World['files']> {
  const client = issue({ subject: 'client', issuer: ca })
  const stranger = issue({ subject: 'stranger' })
  const write = async (name: string, text: string): Promise<string> => {
    const file = join(directory, 'pem', name)
    await writeFile(file, text)
    return file
  }
  await mkdir(join(directory, 'pem'))
  return {
    authority: await write('ca.crt', ca.certificate),
    client: await write('client.crt', client.certificate),
    clientKey: await write('client.key', client.privateKey),
    stranger: await write('stranger.crt', stranger.certificate),
    strangerKey: await write('stranger.key', stranger.privateKey),
  }
}

const hanging = (service: string): object => ({
  matches: [pathPrefix('/hang')],
  timeouts: { request: `${hurry}ms` },
  backendRefs: [backend(service)],
})

const validation = { validation: { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca' }] } }

const manifests = (
  address: string,
  origins: Readonly<Record<'http1' | 'h2c' | 'tls' | 'tcp' | 'grpc' | 'webSocket', Origin>>,
): readonly object[] => [
  gatewayClass,
  gateway(
    address,
    [
      http(ports.http),
      https(ports.https, ['ecdsa', 'rsa']),
      https(ports.clients, ['ecdsa', 'rsa']),
      { name: 'tls', protocol: 'TLS', port: ports.https, hostname: hosts.passthrough, tls: { mode: 'Passthrough' } },
      { name: 'tcp', protocol: 'TCP', port: ports.tcp },
    ],
    { tls: { frontend: { default: {}, perPort: [{ port: ports.clients, tls: validation }] } } },
  ),
  ...service('http1', [origins.http1.endpoint]),
  ...service('h2c', [origins.h2c.endpoint], 'kubernetes.io/h2c'),
  ...service('tls', [origins.tls.endpoint]),
  ...service('tcp', [origins.tcp.endpoint]),
  ...service('grpc', [origins.grpc.endpoint], 'kubernetes.io/h2c'),
  ...service('websocket', [origins.webSocket.endpoint]),
  ...service('gone', []),
  backendTls('tls', 'ca', 'origin.internal'),
  route('HTTPRoute', 'http1', {
    hostnames: [hosts.http1],
    rules: [
      hanging('http1'),
      {
        matches: [pathPrefix('/old')],
        filters: [
          { type: 'RequestRedirect', requestRedirect: { path: { type: 'ReplaceFullPath', replaceFullPath: '/new' } } },
        ],
      },
      { backendRefs: [backend('http1')] },
    ],
  }),
  route('HTTPRoute', 'h2c', { hostnames: [hosts.h2c], rules: [hanging('h2c'), { backendRefs: [backend('h2c')] }] }),
  route('HTTPRoute', 'tls', { hostnames: [hosts.tls] }),
  route('HTTPRoute', 'websocket', { hostnames: [hosts.webSocket] }),
  route('GRPCRoute', 'grpc', { hostnames: [hosts.grpc] }),
  route('GRPCRoute', 'gone', { hostnames: [hosts.gone] }),
  route('TLSRoute', 'passthrough', {
    parent: { sectionName: 'tls' },
    hostnames: [hosts.passthrough],
    rules: [{ backendRefs: [backend('tls')] }],
  }),
  route('TCPRoute', 'tcp', { parent: { sectionName: 'tcp' } }),
]
