import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from './store.ts'

/** What every store promises, as tests; `open` gives one that is empty. */
export function storeContract(open: () => Promise<Store>): void {
  let store: Store
  const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
  const every = Uint8Array.from({ length: 256 }, (_, i) => i)

  beforeAll(async () => {
    store = await open()
  })
  afterAll(() => store.close())

  test('a key without an entry has no bytes', async () => {
    expect(await store.get('none/such')).toBeUndefined()
    expect(await store.list('none/')).toEqual([])
  })

  test('what was put comes back byte for byte, also when empty or large', async () => {
    const large = Uint8Array.from({ length: 3_000_000 }, (_, i) => i * 7)
    await store.put(
      new Map([
        ['values/every', every],
        ['values/empty', bytes()],
        ['values/large', large],
      ]),
    )
    expect(await store.get('values/every')).toEqual(every)
    expect(await store.get('values/empty')).toEqual(bytes())
    expect(Buffer.compare((await store.get('values/large')) ?? bytes(), large)).toBe(0)
  })

  test('a second put takes the place of the first', async () => {
    await store.put(new Map([['twice/one', bytes(1, 2, 3)]]))
    await store.put(new Map([['twice/two', bytes(5)]]))
    await store.put(new Map([['twice/two', bytes(4)]]))
    expect(await store.get('twice/one')).toEqual(bytes(1, 2, 3))
    expect(await store.get('twice/two')).toEqual(bytes(4))
  })

  test('any visible character may stand in a key', async () => {
    const keys = [
      'odd/a.b/c:d',
      'odd/...',
      'odd/../x',
      'odd/%2F?#&=+',
      'odd/*"<>|\\',
      'odd/UPPER',
      'odd/.hidden',
      'odd//x',
    ]
    await store.put(new Map(keys.map((key, i) => [key, bytes(i)])))
    expect((await store.list('odd/')).toSorted()).toEqual(keys.toSorted())
    for (const [i, key] of keys.entries()) expect(await store.get(key), key).toEqual(bytes(i))
    await store.delete(keys)
    expect(await store.list('odd/')).toEqual([])
  })

  test('a list has the keys with the prefix and no others, also when the prefix ends within a name', async () => {
    await store.put(
      new Map([
        ['lists/ab/1', bytes(1)],
        ['lists/ac/2', bytes(2)],
        ['lists/b', bytes(3)],
      ]),
    )
    expect((await store.list('lists/a')).toSorted()).toEqual(['lists/ab/1', 'lists/ac/2'])
    expect(await store.list('lists/ac/')).toEqual(['lists/ac/2'])
    expect(await store.list('')).toEqual(expect.arrayContaining(['lists/ab/1', 'lists/b']))
  })

  test('a list is complete with more keys than a page of Workers KV holds', async () => {
    const keys = Array.from({ length: 1100 }, (_, i) => `many/${i}`)
    await store.put(new Map(keys.map((key) => [key, bytes(1)])))
    expect((await store.list('many/')).toSorted()).toEqual(keys.toSorted())
    await store.delete(keys.slice(0, 50))
    expect((await store.list('many/')).toSorted()).toEqual(keys.slice(50).toSorted())
  }, 60_000)

  test('what is deleted is gone, and deleting it again is no error', async () => {
    await store.put(new Map([['gone/x', bytes(1)]]))
    await store.delete(['gone/x', 'gone/never'])
    await store.delete(['gone/x'])
    expect(await store.get('gone/x')).toBeUndefined()
  })

  test('to put or delete nothing is no error', async () => {
    await store.put(new Map())
    await store.delete([])
  })
}
