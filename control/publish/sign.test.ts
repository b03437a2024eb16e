import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { joinEntry, splitEntry } from '../../engine/signed-root.ts'
import { readTableKey } from '../../engine/table-key.ts'
import { TrustedRoots } from '../../engine/trusted-roots.ts'
import { Root } from '../../proto/gen/route_table.ts'
import type { GatewayTable } from '../table.ts'
import { differences } from './diff.ts'
import { encodeTable } from './encode.ts'
import { MemoryStore } from './memory.ts'
import { GRACE, type PublishOptions, publish } from './publish.ts'
import { signerOf, tableKeyOf } from './sign-key.ts'
import { storedRoots } from './stored.ts'
import { host, table } from './table-fixture.ts'

const START = 1_700_000_000_000
const key = 'gateway/infra/edge'

const newPem = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const [pem, otherPem] = [newPem(), newPem()]
const [signer, otherSigner] = await Promise.all([signerOf(pem), signerOf(otherPem)])
const trust = { keys: [readTableKey(await tableKeyOf(pem)) ?? expect.fail('no key')], floor: 0 }

const changed = table({ hosts: [host('c.example.com')] })

const encoded = (of: GatewayTable) => {
  const result = encodeTable(of)
  if (!result.ok) throw new Error('too large')
  return result.table
}

const publishAt = (
  store: MemoryStore,
  time: number,
  tables: readonly GatewayTable[],
  options: Partial<PublishOptions> = {},
) => publish(store, tables.map(encoded), { now: () => START + time, signer, ...options })

async function stored(store: MemoryStore, of = key) {
  return splitEntry((await store.get(of)) ?? new Uint8Array())
}

async function sequenceOf(store: MemoryStore): Promise<number> {
  return (await stored(store)).signed?.sequence ?? 0
}

test('a published root is one that readers of its key take', async () => {
  const store = new MemoryStore()
  await publishAt(store, 0, [table()], { validFor: 86_400 })
  const { root, signed } = await stored(store)
  expect(signed).toMatchObject({
    sequence: START,
    notAfter: START / 1000 + 86_400,
    signatures: [{ keyId: signer.keyId }],
  })
  const entry = (await store.get(key)) ?? new Uint8Array()
  expect(await new TrustedRoots(trust, crypto.subtle).rootOf(key, entry, START)).toEqual(root)
  expect(Root.decode(root)).toMatchObject({ gateway: 'infra/edge', schema: 1 })
})

test('an unchanged table whose signature is good writes nothing', async () => {
  const store = new MemoryStore()
  const first = await publishAt(store, 0, [table()])
  const again = await publishAt(store, GRACE * 9, [table()])
  expect(again.written).toEqual([])
  expect(again.signed).toEqual(first.signed)
  expect([...first.signed.keys()]).toEqual([key])
})

test('the sequence grows with everything that is signed, also when the clock or the table goes back', async () => {
  const store = new MemoryStore()
  await publishAt(store, 5_000, [table()])
  await publishAt(store, 0, [changed])
  expect(await sequenceOf(store)).toBe(START + 5_001)
  await publishAt(store, 1_000, [table()])
  expect(await sequenceOf(store)).toBe(START + 5_002)
  await publishAt(store, 9_000, [changed])
  expect(await sequenceOf(store)).toBe(START + 9_000)
})

test.for<[string, boolean, number, number | undefined, number | undefined]>([
  ['more than half of the time left', false, 39_000, 86_400, 86_400],
  ['less than half of the time left', true, 44_000, 86_400, 86_400],
  ['no time left', true, 90_000, 86_400, 86_400],
  ['more time than is wanted now', true, 0, 86_400, 43_200],
  ['time without end, where an end is wanted now', true, 0, undefined, 86_400],
  ['an end, where none is wanted now', true, 0, 86_400, undefined],
])('a signature with %s is renewed: %s', async ([, isRenewed, seconds, before, after]) => {
  const store = new MemoryStore()
  await publishAt(store, 0, [table()], { validFor: before })
  const { written } = await publishAt(store, seconds * 1000, [table()], { validFor: after })
  expect(written).toEqual(isRenewed ? [key] : [])
})

test('what nobody has signed, another key, or this one for other bytes or another Gateway, is signed anew', async () => {
  const store = new MemoryStore()
  await publishAt(store, 0, [table()], { signer: undefined })
  expect((await stored(store)).signed).toBeUndefined()
  expect((await publishAt(store, 1, [table()], { signer: otherSigner })).written).toEqual([key])
  expect((await publishAt(store, 2, [table()])).written).toEqual([key])

  const { root, signed } = await stored(store)
  if (signed === undefined) throw new Error('not signed')
  await store.put(new Map([[key, joinEntry(root, { ...signed, notAfter: 1_900_000_000 })]]))
  expect((await publishAt(store, 3, [table()])).written).toEqual([key])

  await publishAt(store, 4, [{ ...table(), gateway: 'infra/other' }, table()])
  await store.put(new Map([[key, (await store.get('gateway/infra/other')) ?? new Uint8Array()]]))
  expect((await publishAt(store, 5, [{ ...table(), gateway: 'infra/other' }, table()])).written).toEqual([key])
})

test('a sequence that somebody else wrote is not gone beyond', async () => {
  const store = new MemoryStore()
  await publishAt(store, 0, [table()])
  const { root, signed } = await stored(store)
  if (signed === undefined) throw new Error('not signed')
  await store.put(new Map([[key, joinEntry(root, { ...signed, sequence: Number.MAX_SAFE_INTEGER })]]))
  await publishAt(store, 1_000, [changed])
  expect(await sequenceOf(store)).toBe(START + 1_000)
})

test('the empty table of a Gateway that is gone is signed, and deleted in its time', async () => {
  const store = new MemoryStore()
  const other = { ...table(), gateway: 'infra/other' }
  await publishAt(store, 0, [table(), other])
  await publishAt(store, 1_000, [table()])
  const gone = await stored(store, 'gateway/infra/other')
  expect(gone.signed?.sequence).toBe(START + 1_000)
  expect(Root.decode(gone.root)).toMatchObject({ listeners: [], goneSince: START / 1000 + 1 })
  expect((await publishAt(store, 2_000, [table()])).written).toEqual([])
  expect((await publishAt(store, 1_000 + GRACE, [table()])).collected).toContain('gateway/infra/other')
})

test('an empty table that somebody else has left is not taken for that of a Gateway that is gone', async () => {
  const store = new MemoryStore()
  const other = { ...table(), gateway: 'infra/other' }
  await publishAt(store, 0, [table(), other])
  const root = { ...encoded(other).root, listeners: [], goneSince: 1 }
  await store.put(new Map([['gateway/infra/other', Root.encode(root).finish()]]))
  expect((await publishAt(store, 1_000, [table()])).written).toEqual(['gateway/infra/other'])
  expect((await stored(store, 'gateway/infra/other')).signed).toBeDefined()
})

test('a key that no Gateway can have does not stop who publishes', async () => {
  const store = new MemoryStore()
  await store.put(new Map([['gateway/Zoë\n', encoded(table()).rootBytes]]))
  await publishAt(store, 0, [table()])
  expect((await publishAt(store, GRACE, [table()])).collected).toContain('gateway/Zoë\n')
  expect(await store.list('gateway/')).toEqual([key])
})

test('a change is seen between signed tables as between others', async () => {
  const store = new MemoryStore()
  await publishAt(store, 0, [table()])
  const pair = (of: GatewayTable) => ({ table: of, encoded: encoded(of) })
  expect(await differences(store, [pair(table())])).toEqual([])
  const [diff] = await differences(store, [pair(changed)])
  expect(diff?.routes).toEqual({
    added: ['HTTPRoute shop/c.example.com'],
    changed: [],
    removed: ['HTTPRoute shop/a.example.com', 'HTTPRoute shop/b.example.com'],
  })
})

test('shards that only signed roots name are not collected', async () => {
  const store = new MemoryStore()
  await publishAt(store, 0, [table()])
  const shards = await store.list('shard/')
  for (const time of [1, 2 * GRACE, 4 * GRACE]) await publishAt(store, time, [table()], { signer: otherSigner })
  expect(await store.list('shard/')).toEqual(shards)
  expect([...(await storedRoots(store)).keys()]).toEqual([key])
})
