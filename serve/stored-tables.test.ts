import { expect, test } from 'vitest'
import { MemoryStore } from '../control/publish/memory.ts'
import { encodeTable, host, rule } from '../test/engine-tables.ts'
import { StoredTablesReader } from './stored-tables.ts'

type Encoded = ReturnType<typeof encodeTable>

const entriesOf = (key: string, { root, shards }: Encoded): Map<string, Uint8Array> =>
  new Map([[key, root], ...[...shards].map(([name, bytes]) => [`shard/${name}`, bytes] as const)])

const first = encodeTable()
const second = encodeTable({ hosts: [host({ rules: [rule({ name: 'second' })] })] })
const other = encodeTable({ gateway: 'infra/other' })

/** Of `second`, the shard that `first` has not. */
const [news = ''] = [...second.shards.keys()].filter((name) => !first.shards.has(name))

async function storeWith(...tables: readonly [string, Encoded][]): Promise<MemoryStore> {
  const store = new MemoryStore()
  for (const [key, table] of tables) await store.put(entriesOf(key, table))
  return store
}

test('all tables are read, with all of their shards', async () => {
  const store = await storeWith(['gateway/infra/other', other], ['gateway/infra/edge', first])
  const { roots, shards, versions, faults } = await new StoredTablesReader(store).read()
  expect(roots).toEqual([first.root, other.root])
  expect(new Set(shards.keys())).toEqual(new Set([...first.shards.keys(), ...other.shards.keys()]))
  expect(versions.map((version) => version.split(' ')[0])).toEqual(['infra/edge', 'infra/other'])
  expect(faults).toEqual([])
})

test('a shard that is known is not asked for again, and one that nobody names any more is forgotten', async () => {
  const store = await storeWith(['gateway/infra/edge', first])
  const asked: string[] = []
  const reader = new StoredTablesReader({
    list: (prefix) => store.list(prefix),
    get: (key) => {
      asked.push(key)
      return store.get(key)
    },
  })
  await reader.read()
  asked.length = 0
  await store.put(entriesOf('gateway/infra/edge', second))
  const { shards } = await reader.read()
  expect(asked).toEqual(['gateway/infra/edge', `shard/${news}`])
  expect(new Set(shards.keys())).toEqual(new Set(second.shards.keys()))
})

test.for<[string, Map<string, Uint8Array>, string]>([
  ['whose root is no root', new Map([['gateway/infra/edge', Buffer.from('junk')]]), 'cannot be decoded'],
  ['whose root is empty', new Map([['gateway/infra/edge', Buffer.alloc(0)]]), 'no schema number'],
  ['that misses a shard', new Map([['gateway/infra/edge', second.root]]), news],
  [
    'with a shard whose bytes are others',
    new Map([
      ['gateway/infra/edge', second.root],
      [`shard/${news}`, Buffer.from(first.root)],
    ]),
    'the hash that names it',
  ],
])('a table %s leaves the last that was whole, until it is mended', async ([, damage, fault]) => {
  const store = await storeWith(['gateway/infra/edge', first], ['gateway/infra/other', other])
  const reader = new StoredTablesReader(store)
  await reader.read()
  await store.put(damage)
  const damaged = await reader.read()
  expect(damaged.roots).toEqual([first.root, other.root])
  expect(damaged.faults).toEqual([expect.stringContaining(fault)])
  expect([...first.shards.keys()].every((name) => damaged.shards.has(name))).toBe(true)
  await store.put(entriesOf('gateway/infra/edge', second))
  const mended = await reader.read()
  expect([mended.roots, mended.faults]).toEqual([[second.root, other.root], []])
})

test('a table that was never whole is not served, and others are', async () => {
  const store = await storeWith(['gateway/infra/other', other])
  await store.put(new Map([['gateway/infra/edge', second.root]]))
  const { roots, faults } = await new StoredTablesReader(store).read()
  expect([roots, faults.length]).toEqual([[other.root], 1])
})

test('a Gateway that is taken back is gone, but not all of them at once', async () => {
  const store = await storeWith(['gateway/infra/edge', first], ['gateway/infra/other', other])
  const reader = new StoredTablesReader(store)
  await reader.read()
  await store.delete(['gateway/infra/edge'])
  expect((await reader.read()).roots).toEqual([other.root])
  await store.delete(['gateway/infra/other'])
  expect(await reader.read()).toMatchObject({ roots: [other.root], faults: ['the store has no tables'] })
})
