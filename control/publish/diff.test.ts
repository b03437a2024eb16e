import { expect, test } from 'vitest'
import type { GatewayTable } from '../table.ts'
import { type Changes, differences, type TableToPublish } from './diff.ts'
import { type EncodedTable, encodeTable } from './encode.ts'
import { MemoryStore } from './memory.ts'
import { publish } from './publish.ts'
import { backend, host, largeTable, match, rule, table, withChangedRoute } from './table-fixture.ts'

function encoded(of: GatewayTable): EncodedTable {
  const result = encodeTable(of)
  if (!result.ok) throw new Error('too large')
  return result.table
}

const toPublish = (of: GatewayTable): TableToPublish => ({ table: of, encoded: encoded(of) })

/** The differences of `after` from a store that holds `before`. */
async function between(before: GatewayTable[], after: GatewayTable[]) {
  const store = new MemoryStore()
  await publish(store, before.map(encoded), { now: () => 0 })
  return differences(store, after.map(toPublish))
}

const none: Changes = { added: [], changed: [], removed: [] }
const onlyRoutes = (routes: Partial<Changes>) => [
  { gateway: 'infra/edge', listeners: none, backends: none, settingsChanged: false, routes: { ...none, ...routes } },
]
const hosts = (...hosts: GatewayTable['hosts']): GatewayTable => table({ hosts })

test('equal tables do not differ', async () => {
  const reordered = table({
    settings: { clientCertificate: '', trustedHops: 0, hideReason: false },
    listeners: table().listeners.map(({ id, port, protocol, hostname, tls }) => ({
      tls,
      hostname,
      protocol,
      port,
      id,
    })),
  })
  expect(await between([table()], [reordered])).toEqual([])
})

test('a Gateway that comes back is all new', async () => {
  const store = new MemoryStore()
  await publish(store, [encoded(table())], { now: () => 0 })
  await publish(store, [], { now: () => 1000 })
  const [diff] = await differences(store, [toPublish(table())])
  expect(diff).toMatchObject({ listeners: { added: ['http'] }, settingsChanged: false })
  expect(diff?.routes.added).toHaveLength(2)
})

test('in an empty store all is new', async () => {
  expect(await between([], [table()])).toEqual([
    {
      gateway: 'infra/edge',
      listeners: { ...none, added: ['http'] },
      routes: { ...none, added: ['HTTPRoute shop/a.example.com', 'HTTPRoute shop/b.example.com'] },
      backends: { ...none, added: ['shop/cart:80'] },
      settingsChanged: false,
    },
  ])
})

test('a route is added, changed or removed', async () => {
  const before = hosts(host('a'), host('b'), host('c'))
  const after = hosts(host('a'), host('b', '/other'), host('d'))
  expect(await between([before], [after])).toEqual(
    onlyRoutes({ added: ['HTTPRoute shop/d'], changed: ['HTTPRoute shop/b'], removed: ['HTTPRoute shop/c'] }),
  )
})

test('of 10,000 routes only the one that changed is named', async () => {
  const before = largeTable(10_000)
  expect(await between([before], [withChangedRoute(before, 77)])).toEqual(
    onlyRoutes({ changed: ['HTTPRoute shop/host-77.example.com'] }),
  )
})

test('a route that gains or loses one of its hostnames is changed, wherever the others are kept', async () => {
  const many = largeTable(5000)
  const shared = (hostname: string) => ({ ...host(hostname), rules: [rule('shop/shared', 'shop/cart:80')] })
  const one = { ...many, hosts: [...many.hosts, shared('one')] }
  const two = { ...one, hosts: [...one.hosts, shared('two')] }
  expect(await between([one], [two])).toEqual(onlyRoutes({ changed: ['HTTPRoute shop/shared'] }))
  expect(await between([two], [one])).toEqual(onlyRoutes({ changed: ['HTTPRoute shop/shared'] }))
  expect(await between([many], [one])).toEqual(onlyRoutes({ added: ['HTTPRoute shop/shared'] }))
})

test('a new route beside others on a host does not change those', async () => {
  const rules = [rule('shop/one', 'shop/cart:80'), rule('shop/two', 'shop/cart:80')]
  const before = { ...host('a'), rules, matches: [match('/one', 0), match('/two', 1)] }
  const after = {
    ...host('a'),
    rules: [rule('shop/new', 'shop/cart:80'), ...rules],
    matches: [match('/two/new', 0), match('/one', 1), match('/two', 2)],
  }
  expect(await between([hosts(before)], [hosts(after)])).toEqual(onlyRoutes({ added: ['HTTPRoute shop/new'] }))
})

test('addresses count as settings', async () => {
  const [diff] = await between([table()], [table({ addresses: ['192.0.2.1'] })])
  expect(diff).toMatchObject({ settingsChanged: true, listeners: none, backends: none, routes: none })
})

test('listeners, backends and settings differ, too', async () => {
  const [listener] = table().listeners
  const after = table({
    listeners: listener === undefined ? [] : [{ ...listener, port: 8080 }],
    backends: [backend('shop/cart:80', '10.0.0.2')],
    settings: { hideReason: true, trustedHops: 0, clientCertificate: '' },
  })
  expect(await between([table()], [after])).toEqual([
    {
      gateway: 'infra/edge',
      listeners: { ...none, changed: ['http'] },
      routes: none,
      backends: { ...none, changed: ['shop/cart:80'] },
      settingsChanged: true,
    },
  ])
})

test('of a Gateway that is gone all is removed, once', async () => {
  const store = new MemoryStore()
  await publish(store, [encoded(table())], { now: () => 0 })
  expect(await differences(store, [])).toEqual([
    {
      gateway: 'infra/edge',
      listeners: { ...none, removed: ['http'] },
      routes: { ...none, removed: ['HTTPRoute shop/a.example.com', 'HTTPRoute shop/b.example.com'] },
      backends: { ...none, removed: ['shop/cart:80'] },
      settingsChanged: false,
    },
  ])
  await publish(store, [], { now: () => 1000 })
  expect(await differences(store, [])).toEqual([])
})

test('what cannot be read counts as not there', async () => {
  const store = new MemoryStore()
  await publish(store, [encoded(table())], { now: () => 0 })
  for (const name of await store.list('shard/')) await store.put(new Map([[name, Uint8Array.of(255)]]))
  const [diff] = await differences(store, [toPublish(hosts(host('c')))])
  expect(diff?.routes).toEqual({ ...none, added: ['HTTPRoute shop/c'] })
})
