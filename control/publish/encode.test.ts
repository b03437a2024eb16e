import fc from 'fast-check'
import { expect, test } from 'vitest'
import { leafOf } from '../../engine/shards.ts'
import { readRoot } from '../../engine/table.ts'
import { Shard, type ShardRef } from '../../proto/gen/route_table.ts'
import type { GatewayTable } from '../table.ts'
import { type EncodedTable, encodeTable } from './encode.ts'
import { contentHash, shardName } from './shard-tree.ts'
import { backend, host, largeTable, match, rule, table, withChangedRoute } from './table-fixture.ts'

function encoded(of: GatewayTable): EncodedTable {
  const result = encodeTable(of)
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join())
  return result.table
}

const shardFor = (from: EncodedTable, refs: readonly ShardRef[], key: string): Shard | undefined => {
  const ref = refs[leafOf(refs, key)]
  const bytes = ref && from.shards.get(shardName(ref.hash))
  return bytes && Shard.decode(bytes)
}

/** Objects of their own, so that nothing remembered of the first helps to encode the second. */
const copy = (of: GatewayTable): GatewayTable => structuredClone(of)

test('every host and backend is in the leaf that answers for its key, as it was given', () => {
  const given = largeTable(3000)
  const result = encoded(given)
  expect(result.root.hostShards.length).toBeGreaterThan(4)
  expect(result.root.backendShards.length).toBeGreaterThan(2)
  for (const each of given.hosts) {
    const shard = shardFor(result, result.root.hostShards, each.hostname)
    expect(shard?.hosts.find(({ hostname }) => hostname === each.hostname)).toEqual(each)
  }
  for (const each of given.backends) {
    const shard = shardFor(result, result.root.backendShards, each.key)
    expect(shard?.backends.find(({ key }) => key === each.key)).toEqual(each)
  }
})

test('the engine finds its way from a hostname to its backend, shard by shard', () => {
  const { rootBytes, shards } = encoded(largeTable(3000))
  const router = readRoot(rootBytes)
  for (let i = 0; i < 3000; i += 100) {
    const authority = `host-${i}.example.com`
    const facts = { scheme: 'http', authority, port: 80, method: 'GET', path: '/', query: '' } as const
    let decision = router.decide({ ...facts, header: () => undefined }, () => 0, 0)
    for (let round = 0; round < 2 && decision.type === 'missing'; round++) {
      for (const name of decision.shards) router.addShard(name, shards.get(`shard/${name}`) ?? new Uint8Array())
      decision = router.decide({ ...facts, header: () => undefined }, () => 0, 0)
    }
    expect(decision).toMatchObject({ type: 'forward', backend: { key: `shop/service-${i}:80` } })
  }
})

test('the hosts of one name on several listeners are in one leaf', () => {
  const hosts = ['http', 'https', 'infra/set/http'].map((listener) => ({ ...host('a.example.com'), listener }))
  const result = encoded(table({ hosts }))
  expect(shardFor(result, result.root.hostShards, 'a.example.com')?.hosts.map(({ listener }) => listener)).toEqual([
    'http',
    'https',
    'infra/set/http',
  ])
})

test('equal tables give equal bytes, whatever the order of their parts', () => {
  const hostnames = fc.uniqueArray(fc.nat(5000), { maxLength: 400 })
  fc.assert(
    fc.property(hostnames, fc.infiniteStream(fc.nat()), (numbers, shuffle) => {
      const given = table({
        hosts: numbers.flatMap((i) => [host(`h${i}`), { ...host(`h${i}`), listener: 'https' }]),
        backends: numbers.map((i) => backend(`shop/s${i}:80`, `10.0.0.${i % 256}`)),
        addresses: ['192.0.2.2', '192.0.2.1'],
        listeners: [
          { id: 'https', port: 443, protocol: 1, hostname: '', tls: undefined },
          { id: 'http', port: 80, protocol: 0, hostname: '', tls: undefined },
        ],
      })
      const shuffled = <T>(items: readonly T[]): T[] =>
        items
          .map((item) => ({ item, at: shuffle.next().value }))
          .sort((a, b) => a.at - b.at)
          .map(({ item }) => item)
      const other = copy({
        ...given,
        hosts: shuffled(given.hosts),
        backends: shuffled(given.backends),
        listeners: shuffled(given.listeners),
        addresses: shuffled(given.addresses),
      })
      expect(encoded(other)).toEqual(encoded(given))
    }),
    { numRuns: 30 },
  )
})

test('what was encoded before leaves no trace in the bytes', () => {
  const before = largeTable(2000)
  encoded(before)
  let now = before
  for (const index of [3, 700, 1999]) {
    now = withChangedRoute(now, index)
    encoded(now)
  }
  expect(encoded(now)).toEqual(encoded(copy(now)))
  expect(encoded(before)).toEqual(encoded(copy(before)))
})

test('one changed host changes one shard', () => {
  const before = largeTable(10_000)
  const names = new Set(encoded(before).shards.keys())
  const after = [...encoded(withChangedRoute(before, 4711)).shards.keys()]
  expect(after.filter((name) => !names.has(name))).toHaveLength(1)
})

test('leaves split only where they must, and a host too large to share a leaf has one of its own', () => {
  const rules = Array.from({ length: 1000 }, (_, i) => rule(`shop/big-${i}`, 'shop/cart:80'))
  const big = { ...host('big.example.com'), rules, matches: rules.map((_, i) => match(`/some/longer/path/${i}`, i)) }
  const result = encoded(table({ hosts: [big, ...Array.from({ length: 50 }, (_, i) => host(`h${i}`))] }))
  expect(shardFor(result, result.root.hostShards, 'big.example.com')?.hosts).toHaveLength(1)
  const shards = result.root.hostShards.map(({ hash }) =>
    Shard.decode(result.shards.get(shardName(hash)) ?? new Uint8Array()),
  )
  expect(Math.max(...shards.map(({ hosts }) => hosts.length))).toBeGreaterThan(10)
})

test('a shard is named by its content, and the version by all the rest of the root', () => {
  const result = encoded(table())
  for (const [name, bytes] of result.shards) expect(shardName(contentHash(bytes))).toBe(name)
  expect(result.key).toBe('gateway/infra/edge')
  expect(result.root.version).toMatch(/^[0-9a-f]{32}$/)
  const variants = [
    { hosts: [host('a.example.com')] },
    { backends: [backend('shop/cart:80', '10.0.0.2')] },
    { settings: { hideReason: true, trustedHops: 0, clientCertificate: '' } },
    { gateway: 'infra/other' },
    { addresses: ['192.0.2.1'] },
    { listeners: [] },
  ]
  const versions = variants.map((variant) => encoded(table(variant)).root.version)
  expect(new Set([result.root.version, ...versions]).size).toBe(variants.length + 1)
})

test('an empty table has no shards', () => {
  const result = encoded(table({ hosts: [], backends: [], listeners: [] }))
  expect([...result.shards]).toEqual([])
  expect(result.root.hostShards).toEqual([])
})

test('an entry that no store takes is a problem that names the Gateway and the hostname, and what would fit', () => {
  const path = `/${'x'.repeat(1000)}`
  const large = { ...host('big.example.com'), matches: Array.from({ length: 30_000 }, () => match(path)) }
  const result = encodeTable(table({ hosts: [large, host('a.example.com')] }))
  expect(result).toMatchObject({
    ok: false,
    problems: [
      {
        gateway: 'infra/edge',
        entry: 'big.example.com',
        message: expect.stringMatching(
          /^Gateway infra\/edge: the table for hostname big.example.com takes \d+\.\d MiB, and one entry holds 25 MiB; of its 30000 matches about \d{5} would fit, so spread them over more hostnames$/,
        ),
      },
    ],
  })
})

test('so is a Gateway with a name too long for a key, or with too many listeners', () => {
  const listeners = Array.from({ length: 30_000 }, (_, i) => ({
    id: `infra/${'x'.repeat(900)}/${i}`,
    port: 80,
    protocol: 0 as const,
    hostname: '',
    tls: undefined,
  }))
  expect(encodeTable(table({ gateway: `infra/${'x'.repeat(600)}` }))).toMatchObject({
    problems: [{ message: expect.stringContaining('its key in the store has 614 bytes, and 512 fit') }],
  })
  expect(encodeTable(table({ listeners }))).toMatchObject({
    problems: [{ message: expect.stringContaining('its 30000 listeners take 2') }],
  })
})
