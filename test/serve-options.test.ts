import { once } from 'node:events'
import { rename } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { gateway, gatewayClass, http, route } from './serve-manifests.ts'
import { has, landfall, run, Site, serve } from './serve-rig.ts'

let site: Site

beforeEach(async () => {
  site = await Site.create()
})
afterEach(() => site.close())

const redirecting = { rules: [{ filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: 'other.test' } }] }] }

const writeSite = (ports: readonly number[]): Promise<void> =>
  site.write('site', [
    gatewayClass,
    gateway(
      site.address,
      ports.map((port) => http(port, `http-${port}`)),
    ),
    route('HTTPRoute', 'redirect', redirecting),
  ])

test.for([
  [['--proxy-protocol', '10.0.0.0/33'], '192.0.2.0/24 or 2001:db8::/32'],
  [['--proxy-protocol', 'balancer'], '192.0.2.0/24 or 2001:db8::/32'],
  [['--address', 'localhost'], 'write an IP address'],
  [['--admin', '9964'], 'write HOST:PORT'],
  [['--workers', '0'], 'write a number from 1 to 256, or "auto"'],
  [['--grace', '-1'], 'write a number of seconds'],
  [['--log-level', 'loud'], 'debug, info, warn, error'],
  [['--store', 'dir:x'], "'-f, --filename <path...>' cannot be used with option '--store <store>'"],
] as const)('%j is refused with what would be right', async ([options, help]) => {
  const { code, stderr } = await run(landfall, ['serve', '-f', '.', ...options])
  expect([code, stderr]).toEqual([2, expect.stringContaining(help)])
})

test.for([
  [[], 'there is nothing to serve: -f PATH, or --store'],
  [['--store', 'redis:x'], 'there is no store "redis:x"'],
  [['--store', 'cloudflare'], 'the store cloudflare needs CLOUDFLARE_'],
] as const)('landfall serve %j says what it lacks', async ([options, help]) => {
  const { code, stderr } = await run('env', ['-u', 'CLOUDFLARE_ACCOUNT_ID', landfall, 'serve', ...options])
  expect([code, stderr]).toEqual([2, expect.stringContaining(help)])
})

test('an admin address that another program has is told, and nothing is left running', async () => {
  const foreign = createServer().listen(0, '127.0.0.1')
  await once(foreign, 'listening')
  const bound = foreign.address()
  const admin = `127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}`
  await writeSite([8080])
  for (const workers of ['1', '2']) {
    const { code, stderr } = await run(
      landfall,
      [...serve.slice(1, 4), '--workers', workers, '--admin', admin].map(inSite),
    )
    expect([code, stderr]).toEqual([2, expect.stringContaining(`EADDRINUSE: address already in use ${admin}`)])
  }
  foreign.close()
})

const inSite = (argument: string): string => argument.replace('{dir}', join(site.directory, 'manifests'))

test('a port that another program has is told, all else is served, and the port is taken when it is free', async () => {
  const foreign = createServer().listen(8081, site.address)
  await once(foreign, 'listening')
  await writeSite([8080, 8081])
  const running = await site.start([8080])
  await running.until(() => /"level":"error".*port 8081.*EADDRINUSE/.test(running.stderr))
  foreign.close()
  await running.until(() => site.accepts(8081))
})

test.for([
  ['no Gateway', [], 'nothing is served: the manifests have no Gateway'],
  [
    "another controller's Gateway",
    [{ ...gatewayClass, spec: { controllerName: 'example.com/controller' } }, gateway('127.0.0.1', [http(80)])],
    'nothing is served: no Gateway is that of controller landfall.dev/gateway-controller; test/web of class landfall is that of example.com/controller',
  ],
  ['a Gateway without a class', [gateway('127.0.0.1', [http(80)])], 'test/web of class landfall (which is not there)'],
] as const)('%s is a warning that says so', async ([, objects, warning]) => {
  await site.write('site', objects)
  const running = await site.start([])
  await running.until(async () => running.stderr.includes(warning))
  expect(running.stderr).toMatch(/"level":"warn"/)
})

test('a directory that is not there is told, and served when it comes', async () => {
  const late = join(site.directory, 'late')
  const running = await site.start([], [landfall, 'serve', '-f', late, '--admin', '{admin}'])
  await running.until(() => /"level":"error".*late/.test(running.stderr))
  await writeSite([8080])
  await rename(join(site.directory, 'manifests'), late)
  await running.until(() => site.accepts(8080))
})

test.skipIf(!has('curl'))(
  'curl is believed who it speaks for where PROXY protocol is taken, and needs to say it there',
  async () => {
    await writeSite([8080])
    await site.start([8080], [...serve, '--proxy-protocol', '127.0.0.0/8', '10.0.0.0/8'])
    const url = `http://${site.address}:8080/`
    expect((await run('curl', ['-s', '--haproxy-protocol', '-w', '%{http_code}', url])).stdout).toBe('302')
    expect((await run('curl', ['-s', '-w', '%{http_code}', url])).stdout).toBe('000')
  },
)

test('an access log has a line of JSON for each request, without the query', async () => {
  await writeSite([8080])
  const running = await site.start([8080], [...serve, '--access-log'])
  const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  await site.get(8080, '/path?token=secret', { traceparent: trace })
  await running.until(() => running.stdout.includes('\n'))
  expect(JSON.parse(running.stdout)).toMatchObject({
    level: 'info',
    method: 'GET',
    authority: `${site.address}:8080`,
    path: '/path',
    version: 'HTTP/1.1',
    status: 302,
    gateway: 'test/web',
    route: 'HTTPRoute test/redirect',
    traceparent: trace,
  })
  expect(running.stdout).not.toContain('secret')
})

test('metrics tell of requests by route, of all workers together', async () => {
  await writeSite([8080])
  const running = await site.start([8080], [...serve, '--workers', '2'])
  for (let n = 0; n < 20; n++) await site.get(8080)
  const metrics = await running.admin('/metrics')
  expect(metrics).toContain(
    'landfall_requests_total{gateway="test/web",route="HTTPRoute test/redirect",code="302"} 20\n',
  )
  expect(metrics).toMatch(/^landfall_table_info\{gateway="test\/web",version="[0-9a-f]+"\} /m)
})
