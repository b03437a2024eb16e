import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { issue } from './certificates.ts'
import { type Origin, startOrigin } from './origins.ts'
import { RawConnection } from './raw-connection.ts'
import { wrk } from './serve-load.ts'
import { backend, gateway, gatewayClass, http, https, pathPrefix, route, secret, service } from './serve-manifests.ts'
import { has, type Running, Site, serve } from './serve-rig.ts'

// What may befall the whole process.

const ports = { http: 8080, https: 8443 } as const
const host = 'www.example.test'

let site: Site
let origin: Origin

beforeEach(async () => {
  site = await Site.create()
  origin = await startOrigin(answer)
  await site.write('site', objects())
})
afterEach(async () => {
  await site.close()
  await origin.close()
})

/** 200 to every request, but for /slow, which is answered after "go" has come. */
async function answer(connection: RawConnection): Promise<void> {
  for (;;) {
    const { head } = await connection.message()
    if (head.startsWith('GET /slow')) await once()
    connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  }
}

let go = (): void => {}
const once = (): Promise<void> =>
  new Promise((resolve) => {
    go = resolve
  })

const objects = (listeners: readonly object[] = [http(ports.http)]): readonly object[] => [
  gatewayClass,
  gateway(site.address, listeners),
  route('HTTPRoute', 'origin', { rules: [{ matches: [pathPrefix('/')], backendRefs: [backend('origin')] }] }),
  ...service('origin', [origin.endpoint]),
]

const request = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`

const client = (): Promise<RawConnection> => RawConnection.open(ports.http, site.address)

/** Whether a new client is answered. */
const isServed = async (): Promise<boolean> => (await site.get(ports.http)).status === 200

test('clients that take every file descriptor leave enough for those who were there, and for new manifests', async () => {
  const running = await site.start([ports.http], ['sh', '-c', 'ulimit -n 128; exec "$@"', 'sh', ...serve])
  const early = await client()
  const idle: Socket[] = []
  for (let n = 0; n < 200; n++) idle.push(connect(ports.http, site.address).on('error', () => {}))
  await running.until(() => idle.filter(({ destroyed }) => destroyed).length > 100)
  early.write(request('/'))
  expect(await early.until('ok')).toMatch(/^HTTP\/1\.1 200 /)
  await site.write('moved', [route('HTTPRoute', 'moved', { rules: [{ matches: [pathPrefix('/moved')] }] })])
  await running.until(async () => {
    early.write(request('/moved'))
    return (await early.message()).head.startsWith('HTTP/1.1 500')
  })
  for (const socket of idle) socket.destroy()
  await running.until(() => isServed())
})

test('certificates that cannot be used cost their own hosts, and no others', async () => {
  const good = issue({ subject: 'good', names: [`DNS:${host}`] })
  const small = issue({ subject: 'small', names: ['DNS:small.example.test'], keyType: 'small rsa' })
  const listeners = [
    https(ports.https, ['good'], { hostname: host }),
    ...['small', 'torn', 'mixed', 'missing'].map((name) =>
      https(ports.https, [name], { name, hostname: `${name}.example.test` }),
    ),
  ]
  await site.write('site', objects(listeners))
  await site.write('secrets', [
    secret('good', good),
    secret('small', small),
    secret('torn', { certificate: good.certificate.slice(0, 200), privateKey: good.privateKey }),
    secret('mixed', { certificate: good.certificate, privateKey: small.privateKey }),
  ])
  const running = await site.start([ports.https])
  const isSaid = async (): Promise<boolean> =>
    ['torn', 'mixed', 'missing'].every((name) => running.stderr.includes(`test/${name}`))
  await running.until(isSaid)
  for (const name of ['small', 'torn', 'mixed', 'missing']) expect(await handshake(`${name}.example.test`)).toBe('')
  expect(await handshake(host)).toBe('good')
  const tooSmall = /"level":"warn".*"name":"test\/small","error":".*key too small.*certificate cannot be used/
  await running.until(async () => tooSmall.test(running.stderr))
  // A good one that goes bad.
  await site.write('secrets', [secret('good', { certificate: 'junk', privateKey: '' }), secret('small', good)])
  await running.until(async () => (await handshake('small.example.test')) === 'good')
  expect(await handshake(host)).toBe('')
  await site.write('secrets', [secret('good', good)])
  await running.until(async () => (await handshake(host)) === 'good')
})

/** The common name that is shown; "" where the connection fails. */
function handshake(servername: string): Promise<string> {
  const socket = connectTls({ host: site.address, port: ports.https, servername, rejectUnauthorized: false })
  return new Promise((resolve) => {
    socket.once('error', () => resolve(''))
    socket.once('secureConnect', () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
  })
}

test.for<[string, string]>([
  ['are no YAML', ': [\n  - {"'],
  ['are no text', '\0\xff'.repeat(1_000)],
  ['are no objects', '- 1\n- null\n'],
  ['are of a wrong shape', 'apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: 7\nspec: []\n'],
  ['are deep', '['.repeat(100_000)],
  ['are an alias to themselves', 'a: &a [*a, *a]\n'],
  ['grow by aliases', bomb()],
])('manifests that %s while they are served are told, and all else goes on', async ([, text]) => {
  const running = await site.start([ports.http])
  await site.writeText('odd.yaml', text)
  await running.until(() => running.stderr.includes('odd.yaml'))
  expect(await isServed()).toBe(true)
  await site.writeText('site.json', text)
  await running.until(() => running.stderr.includes('site.json'))
  await running.until(() => isServed())
  await site.remove('odd.yaml')
  await site.write('site', objects())
  await running.until(() => running.stderr.includes('no longer: '))
  expect(await isServed()).toBe(true)
})

/** A billion when it is written out. */
function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${`*l${n}, `.repeat(10)}]\n`)
  return `l0: &l0 [a]\n${levels.join('')}`
}

test('a process that is told to end answers what it has, and ends', async () => {
  const running = await site.start([ports.http])
  const [busy, idle] = [await client(), await client()]
  busy.write(request('/slow'))
  idle.write(request('/'))
  await idle.until('ok')
  await running.until(() => origin.connections.some(({ received }) => received.startsWith('GET /slow')))
  const ended = running.stop()
  await running.until(async () => !(await site.accepts(ports.http)))
  go()
  expect(await busy.rest()).toMatch(/^HTTP\/1\.1 200 [\s\S]*^Connection: close\r$[\s\S]*ok$/m)
  await idle.rest()
  for (const { socket } of [busy, idle]) socket.end()
  expect(await ended).toBe(0)
})

test.for<[string, readonly string[]]>([
  ['one worker', []],
  ['a pool of two', ['--workers', '2']],
])('%s that is told to end does not wait beyond its grace for slow clients and slow origins', async ([, options]) => {
  const running = await site.start([ports.http], [...serve, '--grace', '1', ...options])
  const [waiting, sending, silent, halfway] = await Promise.all([client(), client(), client(), client()])
  waiting.write(request('/slow'))
  sending.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 100\r\n\r\nslow`)
  halfway.write('GET / HT')
  await running.until(() => origin.connections.length === 2)
  const since = performance.now()
  expect(await running.stop()).toBe(0)
  expect(performance.now() - since).toBeLessThan(4_000)
  for (const { socket } of [waiting, sending, silent, halfway]) socket.destroy()
})

test('a process that is told to end twice ends at once, with its worker', async () => {
  const running = await site.start([ports.http])
  const busy = await client()
  busy.write(request('/slow'))
  await running.until(() => origin.connections.length === 1)
  running.child.kill('SIGTERM')
  await running.until(() => running.stderr.includes('stopping'))
  expect(await running.stop()).toBe(143)
})

test('a process that is killed leaves no worker', async () => {
  const running = await site.start([ports.http], [...serve, '--workers', '2'])
  running.child.kill('SIGKILL')
  const free = async (): Promise<boolean> => !(await site.accepts(ports.http))
  await expect.poll(free, { timeout: 5_000 }).toBe(true)
})

test.skipIf(!has('wrk'))(
  'a worker that is killed takes its own connections with it, no more, and is replaced',
  async () => {
    const running = await site.start([ports.http], [...serve, '--workers', '2'])
    const clients = 8
    const load = wrk({ scheme: 'http', address: site.address, port: ports.http, host }, 60, clients)
    const killed: number[] = []
    for (let round = 0; round < 3; round++) {
      await running.until(async () => (await running.children()).length === 2)
      await running.until(() => isServedByTwo(running))
      const [victim = 0] = await running.children()
      process.kill(victim, 'SIGKILL')
      killed.push(victim)
      await running.until(async () => !(await running.children()).includes(victim))
    }
    await running.until(async () => (await running.children()).length === 2)
    load.stop()
    const { requests, failures } = await load.tally
    expect(requests).toBeGreaterThan(100)
    // A client that connects again at once may still meet the one that dies.
    expect(failures).toBeLessThanOrEqual(killed.length * clients * 2)
    await running.until(() => running.stderr.match(/"end":"SIGKILL".*a worker ended/g)?.length === killed.length)
  },
)

/** Whether all workers answer the pool. */
async function isServedByTwo(running: Running): Promise<boolean> {
  const metrics = await running.admin('/metrics')
  return /^landfall_table_info\{.*\} 2$/m.test(metrics)
}
