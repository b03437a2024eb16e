import { connect } from 'node:tls'
import { Client, credentials } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Issued, issue } from './certificates.ts'
import { h2load, type Load, LoadOrigin, type Target, wrk } from './serve-load.ts'
import { gateway, gatewayClass, http, https, route, secret, service, slice } from './serve-manifests.ts'
import { type GrpcOrigin, grpcService, startGrpc } from './serve-origins.ts'
import { has, type Running, run, Site, serve } from './serve-rig.ts'

const clientTest = test.skipIf(!['curl', 'wrk', 'h2load'].every(has))
const ports = { http: 8080, https: 8443, origin: 9000 } as const
const host = 'load.example.test'
/** Of the service "load". */
const origins = [1, 2, 3] as const

let site: Site
let started: LoadOrigin[]
let grpc: GrpcOrigin
const loads: Load[] = []

const certificate = (subject: string): Issued => issue({ subject, names: ['DNS:*.example.test'] })

beforeEach(async () => {
  site = await Site.create()
  const [, second, third] = site.address.split('.')
  started = origins.map((n) => new LoadOrigin({ address: `127.${second}.${third}.${200 + n}`, port: ports.origin }))
  grpc = await startGrpc()
  await Promise.all(started.map((origin) => origin.start()))
  await site.write('certificate', [secret('certificate', certificate('version 0'))])
  await site.write('endpoints', [slice('load', endpoints())])
  await site.write('site', [
    gatewayClass,
    gateway(site.address, [http(ports.http), https(ports.https, ['certificate'])]),
    route('HTTPRoute', 'load', { hostnames: [host] }),
    route('GRPCRoute', 'grpc', { hostnames: ['grpc.example.test'] }),
    ...service('load', []).slice(0, 1),
    ...service('grpc', [grpc.endpoint], 'kubernetes.io/h2c'),
  ])
})

afterEach(async () => {
  for (const load of loads.splice(0)) load.kill()
  await site.close()
  await Promise.all([...started.map((origin) => origin.stop('SIGKILL')), grpc.close()])
})

const endpoints = (without?: LoadOrigin) =>
  started.filter((origin) => origin !== without).map(({ endpoint }) => endpoint)

const target = (scheme: Target['scheme']): Target => ({ scheme, address: site.address, port: ports[scheme], host })

/** By HTTP/1.1, in the clear and over TLS, until it is stopped. */
const begin = (): number => loads.push(wrk(target('http'), 60, 16), wrk(target('https'), 60, 4))

/** By HTTP/2, for so many seconds. A GOAWAY is the end of it: h2load connects only once. */
const beginHttp2 = (seconds: number): number =>
  loads.push(h2load(target('http'), seconds, 2, 8), h2load(target('https'), seconds, 2, 8))

/** Ends the load, and proves that it was one and met with no failure. */
async function expectNoFailure(running: Running): Promise<void> {
  for (const load of loads) load.stop()
  const tallies = await Promise.all(loads.map(({ tally }) => tally))
  // Says why, which clients cannot.
  const faults = (await running.admin('/metrics')).match(/^landfall_faults_total\{.*/gm) ?? []
  expect(faults.filter((fault) => !fault.includes('why="client-left"'))).toEqual([])
  for (const { client, requests, failures, output } of tallies) {
    expect(failures, `${client}: ${output}`).toBe(0)
    expect(requests).toBeGreaterThan(100)
  }
}

async function isServedBy({ endpoint }: LoadOrigin): Promise<boolean> {
  const { stdout } = await run('curl', ['-s', '-H', `Host: ${host}`, `http://${site.address}:${ports.http}/`])
  return stdout === `from ${endpoint.address}\n`
}

/** Where the route "version" redirects to. */
const version = async (): Promise<string> =>
  (await site.get(ports.http, '/', { host: 'version.example.test' })).location

/** The common name of the certificate that a new connection is shown. */
function shownCertificate(): Promise<string> {
  const socket = connect({ host: site.address, port: ports.https, servername: host, rejectUnauthorized: false })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
  })
}

const redirect = (to: string): object =>
  route('HTTPRoute', 'version', {
    hostnames: ['version.example.test'],
    rules: [{ filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: to } }] }],
  })

clientTest(
  '200 changes of routes and 20 of certificates cost no request',
  async () => {
    // From the start on, since a request that is too soon for it would count as one that failed.
    await site.write('version', [redirect('version-0.example.test')])
    const running = await site.start([ports.http, ports.https])
    begin()
    beginHttp2(4)
    loads.push(wrk(target('https'), 60, 4, ['-H', 'Connection: close']))
    for (let change = 1; change <= 200; change++) {
      await site.write('version', [redirect(`version-${change}.example.test`)])
      if (change % 10 === 0) {
        const subject = `version ${change}`
        await site.write('certificate', [secret('certificate', certificate(subject))])
        await running.until(async () => (await shownCertificate()) === subject)
      }
      await running.until(async () => (await version()).includes(`//version-${change}.`))
    }
    await expectNoFailure(running)
  },
  120_000,
)

clientTest(
  'processes that take over from each other on the same ports cost no request',
  async () => {
    let running = await site.start(Object.values([ports.http, ports.https]))
    begin()
    const calls = callUntilStopped()
    for (let round = 0; round < 4; round++) {
      const next = await site.start([ports.http, ports.https])
      expect(await running.stop()).toBe(0)
      running = next
    }
    await calls.stopWithoutFault()
    await expectNoFailure(running)
  },
  120_000,
)

clientTest(
  'endpoints that come and go cost no request',
  async () => {
    const running = await site.start([ports.http, ports.https])
    begin()
    beginHttp2(3)
    for (let round = 0; round < 3; round++) {
      for (const origin of started) {
        await Promise.all([site.write('endpoints', [slice('load', endpoints(origin))]), origin.stop()])
        await origin.start()
        await site.write('endpoints', [slice('load', endpoints())])
        // As a rollout does: the next one leaves when this one is back.
        await running.until(() => isServedBy(origin))
      }
    }
    await expectNoFailure(running)
  },
  120_000,
)

clientTest(
  'a worker that is told to end is replaced, and costs no request',
  async () => {
    const running = await site.start([ports.http, ports.https], [...serve, '--workers', '2'])
    begin()
    const calls = callUntilStopped()
    for (let round = 0; round < 2; round++) {
      const [first = 0, ...others] = await running.children()
      process.kill(first, 'SIGTERM')
      await running.until(async () => {
        const children = await running.children()
        return children.length === 2 && !children.includes(first) && others.every((pid) => children.includes(pid))
      })
    }
    await calls.stopWithoutFault()
    await expectNoFailure(running)
  },
  120_000,
)

/** Calls by HTTP/2 in the clear and over TLS, a few at a time, by clients that hear of a GOAWAY and connect again. */
function callUntilStopped() {
  const options = {
    'grpc.default_authority': 'grpc.example.test',
    'grpc.ssl_target_name_override': 'grpc.example.test',
  }
  const insecure = credentials.createSsl(null, null, null, { rejectUnauthorized: false })
  const clients = [
    new Client(`${site.address}:${ports.http}`, credentials.createInsecure(), options),
    new Client(`${site.address}:${ports.https}`, insecure, options),
  ]
  const { path, requestSerialize, responseDeserialize } = grpcService.unary
  const message = Buffer.from('hello')
  const faults: string[] = []
  let answered = 0
  let isOver = false
  const call = (client: Client): Promise<void> =>
    new Promise((resolve) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, (error, answer) => {
        if (error === null && answer?.equals(message) === true) answered++
        else faults.push(String(error))
        resolve()
      })
    })
  const callers = clients.flatMap((client) =>
    [1, 2, 3, 4].map(async () => {
      while (!isOver) await call(client)
    }),
  )
  return {
    stopWithoutFault: async () => {
      isOver = true
      await Promise.all(callers)
      for (const client of clients) client.close()
      expect(faults).toEqual([])
      expect(answered).toBeGreaterThan(100)
    },
  }
}
