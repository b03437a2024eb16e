import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { issue } from './certificates.ts'
import { gateway, gatewayClass, http, https, route, secret } from './serve-manifests.ts'
import { type Command, landfall, type Running, run, Site } from './serve-rig.ts'

const ports = { http: 8080, https: 8443, other: 9080 } as const

let site: Site
let store: string
let command: Command

beforeEach(async () => {
  site = await Site.create()
  store = join(site.directory, 'store')
  command = [landfall, 'serve', '--store', `dir:${store}`, '--secrets', '{dir}/secrets.json', '--admin', '{admin}']
  await site.write('secrets', [secret('certificate', issue({ subject: 'first' }))])
  await publish('first.test')
})
afterEach(() => site.close())

/** Publishes the Gateways "web", which redirects to `hostname`, and "other". */
async function publish(hostname: string): Promise<void> {
  const redirect = { rules: [{ filters: [{ type: 'RequestRedirect', requestRedirect: { hostname } }] }] }
  await site.write('site', [
    gatewayClass,
    gateway(site.address, [http(ports.http), https(ports.https, ['certificate'])]),
    { ...gateway(site.address, [http(ports.other)]), metadata: { name: 'other', namespace: 'test' } },
    route('HTTPRoute', 'redirect', redirect),
    route('HTTPRoute', 'other', { parent: { name: 'other' }, ...redirect }),
  ])
  const { code, stderr } = await run(landfall, ['publish', '-f', site.manifests, '--to', `dir:${store}`])
  expect(code, stderr).toBe(0)
}

const location = async (port: number): Promise<string> => (await site.get(port)).location

const start = (): Promise<Running> => site.start([ports.http, ports.https, ports.other], command)

test('published tables are served, and those that are published while they are', async () => {
  const running = await start()
  expect(await location(ports.http)).toBe('http://first.test:8080/')
  await publish('second.test')
  await running.until(async () => (await location(ports.http)) === 'http://second.test:8080/')
})

test('key pairs come from files, and change with them', async () => {
  const running = await start()
  expect(await shown()).toBe('first')
  await site.write('secrets', [secret('certificate', issue({ subject: 'second' }))])
  await running.until(async () => (await shown()) === 'second')
  await site.writeText('secrets.json', '{')
  await running.until(() => running.stderr.includes('secrets.json'))
  expect(await shown()).toBe('second')
})

function shown(): Promise<string> {
  const socket = connect({ host: site.address, port: ports.https, rejectUnauthorized: false })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
  })
}

test('a root or a shard that is damaged leaves what is served as it is, until it is mended', async () => {
  const running = await start()
  await publish('second.test')
  await running.until(async () => (await location(ports.http)) === 'http://second.test:8080/')
  await writeFile(join(store, 'gateway/test/web'), 'junk')
  await running.until(() => running.stderr.includes('gateway/test/web: the root cannot be decoded'))
  expect([await location(ports.http), await location(ports.other)]).toEqual([
    'http://second.test:8080/',
    'http://second.test:9080/',
  ])
  await publish('third.test')
  await running.until(async () => (await location(ports.http)) === 'http://third.test:8080/')
  await running.until(() => running.stderr.includes('no longer: gateway/test/web: the root cannot be decoded'))
  await rm(store, { recursive: true })
  await running.until(() => running.stderr.includes('the store has no tables'))
  expect(await location(ports.http)).toBe('http://third.test:8080/')
})

test('a process that starts with a damaged store serves what is whole, and the rest when it is', async () => {
  for (const shard of await readdir(join(store, 'shard'))) await writeFile(join(store, 'shard', shard), 'junk')
  const running = site.spawn(command)
  await running.until(() => running.stderr.includes('the hash that names it'))
  expect(await running.admin('/readyz')).toBe('not ready\n')
  await rm(store, { recursive: true })
  await publish('first.test')
  await running.until(async () => (await running.admin('/readyz')) === 'ready\n')
  expect(await location(ports.http)).toBe('http://first.test:8080/')
})

test('a process whose store has nothing yet is not ready, and says so', async () => {
  await rm(store, { recursive: true })
  const running = site.spawn(command)
  await running.until(() => running.stderr.includes('the store has no tables'))
  expect(await running.admin('/readyz')).toBe('not ready\n')
  await publish('first.test')
  await running.until(async () => (await running.admin('/readyz')) === 'ready\n')
})
