import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { MemoryStore } from '../control/publish/memory.ts'
import { type Store, StoreError } from '../control/publish/store.ts'
import { encodeTable, host, rule } from '../test/engine-tables.ts'
import type { Supply } from './source.ts'
import { StoreSource } from './store-source.ts'

const first = encodeTable()
const second = encodeTable({ hosts: [host({ rules: [rule({ name: 'second' })] })] })

/** A store that can be away. */
class OddStore extends MemoryStore implements Store {
  isAway = false
  looks = 0

  override async list(prefix: string): Promise<readonly string[]> {
    this.looks++
    if (this.isAway) throw new StoreError('the store is away')
    return super.list(prefix)
  }

  publish({ root, shards }: ReturnType<typeof encodeTable>): Promise<void> {
    return this.put(
      new Map([['gateway/infra/edge', root], ...[...shards].map(([name, bytes]) => [`shard/${name}`, bytes] as const)]),
    )
  }

  /** Resolves after two looks more, so that one of them was a whole one. */
  async looked(): Promise<void> {
    const before = this.looks
    await vi.waitFor(() => expect(this.looks).toBeGreaterThan(before + 2))
  }
}

let store: OddStore
let source: StoreSource
let taken: Supply[]
let failures: string[]

beforeEach(() => {
  store = new OddStore()
  taken = []
  failures = []
  source = new StoreSource(store, [], 2, (error) => failures.push(String(error)))
})
afterEach(() => source.close())

const take = async (supply: Supply): Promise<void> => {
  taken.push(supply)
}

test('tables are given at once, and again only when they change', async () => {
  await store.publish(first)
  await source.follow(take)
  expect(taken.map(({ feed }) => feed.roots)).toEqual([[first.root]])
  await store.looked()
  expect(taken.length).toBe(1)
  await store.publish(second)
  await vi.waitFor(() => expect(taken.length).toBe(2))
  expect(taken[1]?.feed.roots).toEqual([second.root])
})

test('what is wrong with a table is told once, and that it is mended too', async () => {
  await store.publish(first)
  await source.follow(take)
  await store.put(new Map([['gateway/infra/edge', Buffer.from('junk')]]))
  await vi.waitFor(() => expect(taken.length).toBe(2))
  expect([taken[1]?.feed.roots, taken[1]?.faults.length]).toEqual([[first.root], 1])
  await store.looked()
  expect(taken.length).toBe(2)
  await store.publish(first)
  await vi.waitFor(() => expect(taken.length).toBe(3))
  expect(taken[2]?.faults).toEqual([])
})

test('a store that goes away changes nothing, is told once, and is looked at until it is back', async () => {
  await store.publish(first)
  await source.follow(take)
  store.isAway = true
  await store.looked()
  expect([taken.length, failures]).toEqual([1, ['StoreError: the store is away']])
  await store.publish(second)
  store.isAway = false
  await vi.waitFor(() => expect(taken.length).toBe(2))
})

test('a store that is away at the start is an error', async () => {
  store.isAway = true
  await expect(source.follow(take)).rejects.toThrow('the store is away')
})

test('what could not be taken is given again', async () => {
  let isRefused = false
  await store.publish(first)
  await source.follow(take)
  await source.close()
  source = new StoreSource(store, [], 2, (error) => failures.push(String(error)))
  await source.follow(async (supply) => {
    if (supply.feed.roots[0] !== second.root || isRefused) return take(supply)
    isRefused = true
    throw new Error('not now')
  })
  await store.publish(second)
  await vi.waitFor(() => expect(taken.at(-1)?.feed.roots).toEqual([second.root]))
  expect(failures).toEqual(['Error: not now'])
})
