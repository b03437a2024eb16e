import { generateKeyPairSync, hash } from 'node:crypto'
import { expect, test } from 'vitest'
import { MemoryStore } from '../control/publish/memory.ts'
import { signerOf, tableKeyOf } from '../control/publish/sign-key.ts'
import { joinEntry, signedMessage } from '../engine/signed-root.ts'
import { readTableKey } from '../engine/table-key.ts'
import { TrustedRoots } from '../engine/trusted-roots.ts'
import { Root } from '../proto/gen/route_table.ts'
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

test('of the tables of several controllers, one reads its own', async () => {
  const controller = 'landfall.dev/gateway-controller'
  const own = encodeTable({ gateway: 'infra/other', controller })
  const store = await storeWith(['gateway/infra/edge', first], ['gateway/infra/other', own])
  const { roots, faults } = await new StoredTablesReader(store, { controller }).read()
  expect([roots, faults]).toEqual([[own.root], []])
})

test('a store that has only the tables of another controller is told', async () => {
  const store = await storeWith(['gateway/infra/edge', first])
  const { roots, faults } = await new StoredTablesReader(store, {
    controller: 'landfall.dev/gateway-controller',
  }).read()
  expect([roots, faults]).toEqual([
    [],
    ['the store has no tables of landfall.dev/gateway-controller, only of landfall.dev/edge-controller'],
  ])
})

test('a Gateway that moves to another controller is left to that', async () => {
  const controller = 'landfall.dev/edge-controller'
  const store = await storeWith(['gateway/infra/edge', first], ['gateway/infra/other', other])
  const reader = new StoredTablesReader(store, { controller })
  expect((await reader.read()).roots).toEqual([first.root, other.root])
  await store.put(entriesOf('gateway/infra/edge', encodeTable({ controller: 'landfall.dev/gateway-controller' })))
  expect((await reader.read()).roots).toEqual([other.root])
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

const key = 'gateway/infra/edge'
const privateKey = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const signer = await signerOf(privateKey)

/** `of`, signed for the Gateway infra/edge. */
async function signed(of: Encoded, sequence: number, notAfter = 0): Promise<Encoded> {
  const message = signedMessage(key, { sequence, notAfter }, hash('sha256', of.root, 'buffer'))
  const signatures = [{ keyId: signer.keyId, signature: await signer.sign(message) }]
  return { ...of, root: joinEntry(of.root, { sequence, notAfter, signatures }) }
}

const NOW = 1_700_000_000_000

async function trustingReader(store: MemoryStore, now: () => number = () => NOW): Promise<StoredTablesReader> {
  const pinned = readTableKey(await tableKeyOf(privateKey)) ?? expect.fail('no key')
  return new StoredTablesReader(store, { trusted: new TrustedRoots({ keys: [pinned], floor: 0 }, crypto.subtle) }, now)
}

test('a reader that pins no key takes signed tables and others', async () => {
  const store = await storeWith([key, await signed(first, 1)], ['gateway/infra/other', other])
  const { roots, faults } = await new StoredTablesReader(store).read()
  expect([roots, faults]).toEqual([[first.root, other.root], []])
})

test.for<[string, () => Promise<Encoded>, string]>([
  ['nobody has signed', async () => second, 'the root is not signed'],
  ['is older', () => signed(second, 1), 'the root has sequence 1, and 2 was seen already'],
  ['is no longer valid', () => signed(second, 3, NOW / 1000 - 1), 'the root was valid until 2023-11-14T22:13:19.000Z'],
])('a table that %s leaves the last that was good', async ([, damage, fault]) => {
  const store = await storeWith([key, await signed(first, 2)])
  const reader = await trustingReader(store)
  expect((await reader.read()).roots).toEqual([first.root])
  await store.put(entriesOf(key, await damage()))
  expect(await reader.read()).toMatchObject({ roots: [first.root], faults: [`${key}: ${fault}`] })
  await store.put(entriesOf(key, await signed(second, 4)))
  expect(await reader.read()).toMatchObject({ roots: [second.root], faults: [] })
})

test('a table in use whose time is over serves on, and that is told', async () => {
  let now = NOW
  const store = await storeWith([key, await signed(first, 2, NOW / 1000 + 60)])
  const reader = await trustingReader(store, () => now)
  expect((await reader.read()).faults).toEqual([])
  now += 61_000
  expect(await reader.read()).toMatchObject({ roots: [first.root], faults: [expect.stringContaining('valid until')] })
})

test('a signed Gateway goes only for a signed root that says so', async () => {
  const store = await storeWith([key, await signed(first, 1)], ['gateway/infra/other', other])
  const reader = await trustingReader(store)
  await reader.read()
  await store.delete([key])
  const { roots, faults } = await reader.read()
  expect(roots).toEqual([first.root])
  expect(faults).toContain(`${key}: is not in the store`)

  const gone = Root.encode({ ...Root.decode(first.root), goneSince: 1, hostShards: [], backendShards: [] }).finish()
  await store.put(entriesOf(key, await signed({ root: gone, shards: new Map() }, 2)))
  expect((await reader.read()).roots).toEqual([gone])
  await store.delete([key])
  expect(await reader.read()).toMatchObject({ roots: [], faults: ['gateway/infra/other: the root is not signed'] })
})
