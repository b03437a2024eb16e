import { afterEach, expect, test } from 'vitest'
import type { GatewayTable } from '../control/table.ts'
import type { Backend, Host } from '../proto/gen/route_table.ts'
import { type Edge, gateway, startEdge } from './edge.ts'
import { backend, host, listener, ref, rule } from './engine-tables.ts'
import {
  closedEndpoint,
  closeEarly,
  echo,
  garbage,
  hangMidBody,
  type Origin,
  reset,
  silent,
  startOrigin,
} from './origins.ts'

// What docs/failures.md promises: each failure has its answer, and every other route goes on.

const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function edge(...args: Parameters<typeof startEdge>): Promise<Edge> {
  const started = await startEdge(...args)
  closing.push(started.close)
  return started
}

async function origin(...args: Parameters<typeof startOrigin>): Promise<Origin> {
  const started = await startOrigin(...args)
  closing.push(started.close)
  return started
}

const table = (hosts: readonly Host[], backends: readonly Backend[], hideReason = false): GatewayTable => ({
  gateway,
  controller: 'landfall.dev/edge-controller',
  addresses: [],
  listeners: [listener()],
  hosts,
  backends,
  settings: { hideReason, trustedHops: 0, clientCertificate: '' },
})

/** good.example goes to an origin that works, bad.example to the given one. */
async function goodAndBad(
  bad: Backend,
  changes: Parameters<typeof rule>[0] = {},
  hideReason = false,
): Promise<GatewayTable> {
  const good = await origin(echo)
  return table(
    [
      host({ hostname: 'good.example', rules: [rule({ backends: [ref({ backend: 'a/good:80' })] })] }),
      host({ hostname: 'bad.example', rules: [rule({ backends: [ref({ backend: bad.key })], ...changes })] }),
    ],
    [backend({ key: 'a/good:80', endpoints: [good.endpoint] }), bad],
    hideReason,
  )
}

const badBackend = (...endpoints: Backend['endpoints'][number][]): Backend => backend({ key: 'a/bad:80', endpoints })

async function askBoth(running: Edge): Promise<{ readonly bad: string; readonly good: number }> {
  const [bad, good] = await Promise.all(
    ['bad.example', 'good.example'].map((name) => running.ask({ path: '/', host: name })),
  )
  return { bad: `${bad?.status} ${bad?.headers['landfall-reason']}`, good: good?.status ?? 0 }
}

test('an origin that is stopped is a 502, and the other routes go on', async () => {
  const running = await edge()
  await running.publish(await goodAndBad(badBackend(await closedEndpoint())))
  expect(await askBoth(running)).toEqual({ bad: '502 connect-failed', good: 200 })
})

test.for<[string, Parameters<typeof startOrigin>[0]]>([
  ['closes without an answer', closeEarly],
  ['resets the connection', reset],
])('an origin that %s is a 502', async ([, serve]) => {
  const running = await edge()
  await running.publish(await goodAndBad(badBackend((await origin(serve)).endpoint)))
  expect(await askBoth(running)).toEqual({ bad: '502 connection-lost', good: 200 })
})

test('an origin that does not speak HTTP is a 502', async () => {
  const running = await edge()
  await running.publish(await goodAndBad(badBackend((await origin(garbage)).endpoint)))
  expect(await askBoth(running)).toEqual({ bad: '502 invalid-response', good: 200 })
})

test('an origin that hangs is a 504 when the timeout of its route passes', async () => {
  const running = await edge()
  const timeouts = { requestMs: 200, backendRequestMs: 0 }
  await running.publish(await goodAndBad(badBackend((await origin(silent)).endpoint), { timeouts }))
  expect(await askBoth(running)).toEqual({ bad: '504 request-timeout', good: 200 })
})

test('an origin that hangs in the middle of a body breaks off the response, which does not look whole', async () => {
  const running = await edge()
  const timeouts = { requestMs: 200, backendRequestMs: 0 }
  await running.publish(await goodAndBad(badBackend((await origin(hangMidBody)).endpoint), { timeouts }))
  await expect(running.ask({ path: '/', host: 'bad.example' })).rejects.toThrow()
  expect((await running.ask({ path: '/', host: 'good.example' })).status).toBe(200)
})

test('a backend without endpoints is a 503', async () => {
  const running = await edge()
  await running.publish(await goodAndBad(badBackend()))
  expect(await askBoth(running)).toEqual({ bad: '503 no-endpoints', good: 200 })
})

test('a connector that is away is a 502', async () => {
  const running = await edge({ connector: false })
  await running.publish(await goodAndBad(badBackend(await closedEndpoint())))
  const { status, headers } = await running.ask({ path: '/', host: 'bad.example' })
  expect([status, headers['landfall-reason']]).toEqual([502, 'connect-failed'])
})

test('hideReason leaves the reason out', async () => {
  const running = await edge()
  await running.publish(await goodAndBad(badBackend(await closedEndpoint()), {}, true))
  const { status, headers, body } = await running.ask({ path: '/', host: 'bad.example' })
  expect([status, headers['landfall-reason'], body]).toEqual([502, undefined, '502\n'])
})

test('an empty store is a 503 until there is a table', async () => {
  const running = await edge()
  const before = await running.ask({ path: '/' })
  expect([before.status, before.headers['landfall-reason']]).toEqual([503, 'no-table'])
  expect((await running.admin('health')).status).toBe(503)
  await running.publish(table([host()], [backend({ endpoints: [(await origin(echo)).endpoint] })]))
  expect((await running.ask({ path: '/' })).status).toBe(200)
})

test('a store that is emptied takes nothing from a Worker that runs, and that is visible', async () => {
  const running = await edge()
  await running.publish(table([host()], [backend({ endpoints: [(await origin(echo)).endpoint] })]))
  running.entries.clear()
  await running.admin('refresh', 'POST')
  expect((await running.ask({ path: '/' })).status).toBe(200)
  const health = JSON.parse((await running.admin('health')).body)
  expect(health).toMatchObject({ health: 'degraded', problems: ['gateway/infra/edge: is not in the store'] })
  expect((await running.admin('metrics')).body).toMatch(/^landfall_table_problems 1$/m)
})

const corrupted = (bytes: Uint8Array): Uint8Array =>
  bytes.map((byte, index) => (index === bytes.length >> 1 ? byte ^ 1 : byte))

test.for<[string, (entries: Map<string, Uint8Array>, key: string) => void]>([
  ['corrupt', (entries, key) => entries.set(key, corrupted(entries.get(key) ?? new Uint8Array()))],
  ['missing', (entries, key) => entries.delete(key)],
  ['truncated', (entries, key) => entries.set(key, (entries.get(key) ?? new Uint8Array()).slice(0, 5))],
])('a new table with a %s shard is not taken: the last good one serves on', async ([, damage]) => {
  const running = await edge()
  const upstream = await origin(echo)
  const backends = [backend({ endpoints: [upstream.endpoint] })]
  await running.publish(table([host()], backends))
  expect((await running.ask({ path: '/' })).status).toBe(200)

  const before = new Set(running.entries.keys())
  running.put(table([host({ matches: [] })], backends))
  const added = [...running.entries.keys()].filter((key) => !before.has(key))
  expect(added.length).toBeGreaterThan(0)
  for (const key of added) damage(running.entries, key)
  await running.admin('refresh', 'POST')

  expect((await running.ask({ path: '/' })).status).toBe(200)
  expect(JSON.parse((await running.admin('health')).body).health).toBe('degraded')

  // The next table is none the worse for it.
  await running.publish(table([host({ matches: [], rules: [] })], backends))
  expect((await running.ask({ path: '/' })).status).toBe(404)
  expect(JSON.parse((await running.admin('health')).body)).toMatchObject({ health: 'ok', problems: [] })
})

test('a shard that was never good is a 503 for its own hosts alone, and is taken once it is mended', async () => {
  const running = await edge()
  const upstream = await origin(echo)
  // Enough hosts for several shards.
  const hosts = Array.from({ length: 2000 }, (_, index) => host({ hostname: `host-${index}.example` }))
  running.put(table(hosts, [backend({ endpoints: [upstream.endpoint] })]))
  const shards = [...running.entries.keys()].filter((key) => key.startsWith('shard/'))
  const damaged = shards.find((key) => Buffer.from(running.entries.get(key) ?? []).includes('host-7.example')) ?? ''
  const whole = running.entries.get(damaged) ?? new Uint8Array()
  running.entries.set(damaged, corrupted(whole))

  const { status, headers } = await running.ask({ path: '/', host: 'host-7.example' })
  expect([status, headers['landfall-reason']]).toEqual([503, 'shard-unavailable'])
  const others = await Promise.all(hosts.slice(0, 40).map(({ hostname }) => running.ask({ path: '/', host: hostname })))
  expect(new Set(others.map((answer) => answer.status))).toEqual(new Set([200, 503]))

  running.entries.set(damaged, whole)
  await expect
    .poll(async () => (await running.ask({ path: '/', host: 'host-7.example' })).status, { timeout: 5000 })
    .toBe(200)
})

test('a root that is no root is not taken', async () => {
  const running = await edge()
  await running.publish(table([host()], [backend({ endpoints: [(await origin(echo)).endpoint] })]))
  for (const bytes of [new Uint8Array(), new TextEncoder().encode('not a root'), new Uint8Array(1000).fill(255)]) {
    running.entries.set(`gateway/${gateway}`, bytes)
    await running.admin('refresh', 'POST')
    expect((await running.ask({ path: '/' })).status).toBe(200)
    expect(JSON.parse((await running.admin('health')).body).health).toBe('degraded')
  }
})

test('workerd killed under load is started again, and serves as before', async () => {
  const running = await edge()
  await running.publish(table([host()], [backend({ endpoints: [(await origin(echo)).endpoint] })]))
  let stop = false
  const seen = { answered: 0, broken: 0 }
  const load = Array.from({ length: 8 }, async () => {
    while (!stop) {
      await running.ask({ path: '/' }).then(
        ({ status }) => status === 200 && seen.answered++,
        () => seen.broken++,
      )
    }
  })
  await expect.poll(() => seen.answered).toBeGreaterThan(20)
  const killed = running.workerd.pid ?? 0
  process.kill(killed, 'SIGKILL')
  await expect
    .poll(() => running.workerd.pid !== killed && running.workerd.pid !== undefined, { timeout: 5000 })
    .toBe(true)
  const answered = seen.answered
  await expect.poll(() => seen.answered, { timeout: 5000 }).toBeGreaterThan(answered + 20)
  stop = true
  await Promise.all(load)
  expect(seen.broken).toBeGreaterThan(0)
})
