import { expect, test } from 'vitest'
import { Root, Shard } from '../proto/gen/route_table.ts'
import {
  backend,
  encodeTable,
  exact,
  facts,
  host,
  listener,
  match,
  ref,
  rule,
  type TableParts,
} from '../test/engine-tables.ts'
import type { Router } from './router.ts'
import { readRoot, TableError } from './table.ts'

const hosts = Array.from({ length: 50 }, (_, i) => host({ hostname: `h${i}.com` }))
const parts: TableParts = { hosts, hostBits: 4, backendBits: 1 }

const decide = (router: Router, hostname: string) => router.decide(facts({ authority: hostname }), () => 0, 0)

/** How many shards had to be loaded for a decision. */
function load(router: Router, shards: ReadonlyMap<string, Uint8Array>, hostname: string): number {
  for (let loaded = 0; ; ) {
    const decision = decide(router, hostname)
    if (decision.type !== 'missing') return loaded
    for (const name of decision.shards) {
      router.addShard(name, shards.get(name) ?? new Uint8Array())
      loaded++
    }
  }
}

function loadAll(router: Router, shards: ReadonlyMap<string, Uint8Array>): Router {
  for (const [name, bytes] of shards) router.addShard(name, bytes)
  return router
}

test('a root says whose table it is', () => {
  const router = readRoot(encodeTable(parts).root)
  expect(router.gateway).toBe('infra/edge')
  expect(router.version).toMatch(/^[0-9a-f]{64}$/)
})

test.for<[string, Uint8Array]>([
  ['nothing', new Uint8Array()],
  ['no protobuf', Uint8Array.from([0xff, 0xff, 0xff])],
  ['a root cut short', encodeTable(parts).root.subarray(0, 300)],
  ['a newer schema', changedRoot({ schema: 2 })],
  ['shards out of order', changedRoot({ hostShards: Root.decode(encodeTable(parts).root).hostShards.toReversed() })],
  ['a shard without a whole hash', changedRoot({ hostShards: [{ bits: 0, prefix: 0, hash: new Uint8Array(3) }] })],
])('%s is no table', ([, bytes]) => {
  expect(() => readRoot(bytes)).toThrow(TableError)
})

function changedRoot(changes: Partial<Root>): Uint8Array {
  return Root.encode({ ...Root.decode(encodeTable(parts).root), ...changes }).finish()
}

const shardOf = (changes: Parameters<typeof host>[0]) => Shard.encode({ hosts: [host(changes)], backends: [] }).finish()

test.for<[string, Uint8Array]>([
  ['no protobuf', Uint8Array.from([0xff, 0xff, 0xff])],
  ['a shard cut short', shardOf({ hostname: 'a.com' }).subarray(0, 20)],
  ['a match without its rule', shardOf({ matches: [match({ rule: 1 })] })],
  ['an unknown filter', shardOf({ rules: [rule({ filters: [{ kind: undefined }] })] })],
  [
    'an unknown filter of a backend',
    shardOf({ rules: [rule({ backends: [ref({ filters: [{ kind: undefined }] })] })] }),
  ],
  // The second field of PathMatch's enum, overwritten with a number that it has not.
  [
    'an unknown kind of path',
    Uint8Array.from([0x0a, 0x0a, 0x1a, 0x04, 0x12, 0x02, 0x08, 0x09, 0x22, 0x02, 0x0a, 0x00]),
  ],
])('%s is no shard', ([, bytes]) => {
  const { root, shards } = encodeTable(parts)
  const router = readRoot(root)
  const [name = ''] = shards.keys()
  expect(() => router.addShard(name, bytes)).toThrow(TableError)
  // It goes on without it.
  expect(loadAll(router, shards).decide(facts({ authority: 'h1.com' }), () => 0, 0).type).toBe('forward')
})

test('a request loads the shards of its host and its backend, and no others', () => {
  const { root, shards } = encodeTable(parts)
  const router = readRoot(root)
  expect(load(router, shards, 'h1.com')).toBeLessThanOrEqual(4)
  expect(load(router, shards, 'h1.com')).toBe(0)
})

test('a host that the table has not needs the shards in which it could be', () => {
  const { root } = encodeTable(parts)
  const decision = decide(readRoot(root), 'a.b.example.org')
  // Its own, *.b.example.org, *.example.org, *.org and "".
  expect(decision.type === 'missing' && decision.shards.length).toBeGreaterThan(1)
  expect(decision.type === 'missing' && new Set(decision.shards).size).toBe(
    decision.type === 'missing' && decision.shards.length,
  )
})

test('no Host is wider than its listener, so no shard is asked for to look', () => {
  const { root, shards } = encodeTable({
    listeners: [listener({ id: 'narrow', hostname: '*.example.org' })],
    hosts: [
      host({ listener: 'narrow', hostname: '*.example.org', matches: [] }),
      host({ listener: 'wide', hostname: '' }),
    ],
    hostBits: 6,
  })
  const [narrow, wide] = ['*.example.org', ''].map(
    (hostname) =>
      [...shards].find(([, bytes]) => Shard.decode(bytes).hosts.some((each) => each.hostname === hostname))?.[0],
  )
  const router = readRoot(root)
  const decision = decide(router, 'a.b.example.org')
  const asked = decision.type === 'missing' ? decision.shards : []
  expect(asked).toContain(narrow)
  expect(asked).not.toContain(wide)
  for (const name of asked) router.addShard(name, shards.get(name) ?? new Uint8Array())
  expect(decide(router, 'a.b.example.org')).toMatchObject({ why: 'no-route' })
})

test('after a change of one host, one shard is loaded', () => {
  const before = encodeTable(parts)
  const router = loadAll(readRoot(before.root), before.shards)
  const changed = hosts.map((each) =>
    each.hostname === 'h7.com' ? host({ hostname: 'h7.com', matches: [match({ path: exact('/new') })] }) : each,
  )
  const after = encodeTable({ ...parts, hosts: changed })
  const next = readRoot(after.root, router)
  expect(next.replacements(router)).toHaveLength(1)
  const needed = hosts.reduce((sum, { hostname }) => sum + load(next, after.shards, hostname), 0)
  expect(needed).toBe(1)
  expect(decide(next, 'h7.com')).toMatchObject({ type: 'respond', why: 'no-route' })
  expect(decide(router, 'h7.com').type).toBe('forward')
})

test('after a split the new shards replace the old one', () => {
  const router = loadAll(readRoot(encodeTable(parts).root), encodeTable(parts).shards)
  const split = readRoot(encodeTable({ ...parts, hostBits: 5 }).root, router)
  const known = new Set(encodeTable(parts).shards.keys())
  const fresh = [...encodeTable({ ...parts, hostBits: 5 }).shards.keys()].filter((name) => !known.has(name))
  expect(split.replacements(router).toSorted()).toEqual(fresh.toSorted())
})

test('a router that has loaded little has little to replace', () => {
  const before = encodeTable(parts)
  const router = readRoot(before.root)
  load(router, before.shards, 'h1.com')
  const after = encodeTable({ ...parts, hosts: hosts.map(({ hostname }) => host({ hostname, matches: [] })) })
  // At most those of h1.com, *.com and "", of sixteen that changed.
  expect(readRoot(after.root, router).replacements(router).length).toBeLessThanOrEqual(3)
})

test('a backend that changed is seen by rules that were ready before', () => {
  const before = encodeTable({ backendBits: 0 })
  const router = loadAll(readRoot(before.root), before.shards)
  decide(router, 'a.com')
  const after = encodeTable({ backends: [backend({ endpoints: [{ address: '192.0.2.99', port: 1 }] })] })
  const next = loadAll(readRoot(after.root, router), after.shards)
  expect(decide(next, 'a.com')).toMatchObject({ backend: { endpoints: [{ address: '192.0.2.99' }] } })
  expect(decide(router, 'a.com')).toMatchObject({ backend: { endpoints: [{ address: '192.0.2.1' }] } })
})

test('of a table larger than the limit, what was used last stays', () => {
  const { root, shards } = encodeTable(parts)
  const size = [...shards.values()].reduce((sum, bytes) => sum + bytes.length, 0)
  const router = readRoot(root, undefined, size / 2)
  for (const { hostname } of hosts) load(router, shards, hostname)
  const again = hosts.map(({ hostname }) => ({ hostname, missing: decide(router, hostname).type === 'missing' }))
  expect(again.some(({ missing }) => missing)).toBe(true)
  expect(again.at(-1)?.missing).toBe(false)
})

test('of backends, too, what was used last stays and the rest is asked for again', () => {
  const names = hosts.map(({ hostname }) => `a/${hostname}:80`)
  const { root, shards } = encodeTable({
    hosts: hosts.map(({ hostname }) =>
      host({ hostname, rules: [rule({ backends: [ref({ backend: `a/${hostname}:80` })] })] }),
    ),
    backends: names.map((key) => backend({ key })),
    backendBits: 4,
  })
  const [hostShard, ...backendShards] = [...shards.values()].map(({ length }) => length)
  const limit = (hostShard ?? 0) + backendShards.reduce((sum, length) => sum + length, 0) / 2
  const router = readRoot(root, undefined, limit)
  for (const { hostname } of hosts) {
    load(router, shards, hostname)
    // The first stays in use all the time.
    expect(load(router, shards, 'h0.com'), hostname).toBe(0)
  }
  const missing = hosts.filter(({ hostname }) => decide(router, hostname).type === 'missing')
  expect(missing.length).toBeGreaterThan(10)
})

test('a limit smaller than what one decision needs is exceeded, not waited for', () => {
  const { root, shards } = encodeTable(parts)
  const router = readRoot(root, undefined, 1)
  expect(load(router, shards, 'h1.com')).toBeGreaterThan(0)
  expect(decide(router, 'h1.com').type).toBe('forward')
})

test('a shard that the table does not name is let be', () => {
  const router = readRoot(encodeTable(parts).root)
  router.addShard('00'.repeat(16), Uint8Array.from([0xff]))
  expect(decide(router, 'h1.com').type).toBe('missing')
})
