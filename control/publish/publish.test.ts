import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { GatewayTable } from '../table.ts'
import { type EncodedTable, encodeTable } from './encode.ts'
import { MemoryStore } from './memory.ts'
import { GRACE, type PublishOptions, type PublishReport, publish } from './publish.ts'
import type { Store } from './store.ts'
import { namedBy, storedRoots } from './stored.ts'
import { backend, host, largeTable, table, withChangedRoute } from './table-fixture.ts'

const START = 1_700_000_000_000

function encoded(...tables: GatewayTable[]): EncodedTable[] {
  return tables.map((each) => {
    const result = encodeTable(each)
    if (!result.ok) throw new Error('too large')
    return result.table
  })
}

const publishAt = (store: Store, time: number, tables: GatewayTable[], options: Partial<PublishOptions> = {}) =>
  publish(store, encoded(...tables), { now: () => START + time, ...options })

/** Counts what is written, and can be told to die. */
class WatchedStore extends MemoryStore {
  writes: string[] = []
  /** The call that fails, counted from here. */
  callsLeft = Number.POSITIVE_INFINITY

  override async get(key: string) {
    this.#count()
    return super.get(key)
  }
  override async list(prefix: string) {
    this.#count()
    return super.list(prefix)
  }
  override async put(entries: ReadonlyMap<string, Uint8Array>) {
    // Killed halfway through a put of many.
    for (const [key, bytes] of entries) {
      this.#count()
      this.writes.push(key)
      await super.put(new Map([[key, bytes]]))
    }
  }
  override async delete(keys: readonly string[]) {
    for (const key of keys) {
      this.#count()
      await super.delete([key])
    }
  }
  #count() {
    if (this.callsLeft-- <= 0) throw new Error('killed')
  }
}

/** Names of shards that a root names and the store has not: what a reader would stumble over. */
async function missing(store: Store): Promise<string[]> {
  const present = new Set(await store.list('shard/'))
  return [...namedBy(await storedRoots(store))].filter((name) => !present.has(name))
}

/** That the store holds these tables, readable, and nothing that nobody knows of. */
async function expectHolds(store: Store, tables: GatewayTable[]): Promise<void> {
  const roots = await storedRoots(store)
  for (const { key, root } of encoded(...tables)) expect({ ...roots.get(key), retired: [] }).toEqual(root)
  const living = [...roots].filter(([, { goneSince }]) => goneSince === 0).map(([key]) => key)
  expect(living.toSorted()).toEqual(tables.map(({ gateway }) => `gateway/${gateway}`).toSorted())
  expect(await missing(store)).toEqual([])
}

const other = (changes: Partial<GatewayTable> = {}): GatewayTable => table({ gateway: 'infra/other', ...changes })

describe('what is written', () => {
  test('a first publish writes the shards, then the roots', async () => {
    const store = new WatchedStore()
    const report = await publishAt(store, 0, [table(), other()])
    expect(report.written).toEqual(store.writes)
    expect(report.written.map((key) => key.split('/')[0])).toEqual(['shard', 'shard', 'gateway', 'gateway'])
    expect(report.bytes).toBeGreaterThan(100)
    await expectHolds(store, [table(), other()])
  })

  test('an unchanged set writes nothing', async () => {
    const store = new WatchedStore()
    await publishAt(store, 0, [table(), other()])
    store.writes = []
    for (const time of [1000, 2 * GRACE]) {
      expect(await publishAt(store, time, [other(), structuredClone(table())])).toMatchObject({ written: [], bytes: 0 })
    }
    expect(store.writes).toEqual([])
  })

  test('one changed route in 10,000 writes two entries, and a changed backend with it one more', async () => {
    const store = new WatchedStore()
    const before = largeTable(10_000)
    await publishAt(store, 0, [before])
    store.writes = []
    const routeChanged = withChangedRoute(before, 4321)
    await publishAt(store, 1000, [routeChanged])
    expect(store.writes).toHaveLength(2)
    store.writes = []
    const bothChanged = withChangedRoute(routeChanged, 17)
    await publishAt(store, 2000, [
      { ...bothChanged, backends: [...bothChanged.backends, backend('shop/new:80', '10.9.9.9')] },
    ])
    expect(store.writes).toHaveLength(3)
  })

  test('a shard that was lost is written again', async () => {
    const store = new WatchedStore()
    await publishAt(store, 0, [table()])
    const [name = ''] = await store.list('shard/')
    await store.delete([name])
    expect((await publishAt(store, 1000, [table()])).written).toEqual([name])
    await expectHolds(store, [table()])
  })

  test('a root that no longer decodes is written again', async () => {
    const store = new WatchedStore()
    await publishAt(store, 0, [table()])
    await store.put(new Map([['gateway/infra/edge', Uint8Array.of(255, 255, 255)]]))
    await publishAt(store, 1000, [table()])
    await expectHolds(store, [table()])
  })

  test('a dry run says what would be written and collected, and does nothing', async () => {
    const store = new WatchedStore()
    const dry = await publishAt(store, 0, [table()], { dryRun: true })
    expect(store.writes).toEqual([])
    expect((await publishAt(store, 0, [table()])).written).toEqual(dry.written)
    await publishAt(store, 1, [table({ hosts: [] })])
    store.writes = []
    expect((await publishAt(store, GRACE + 1, [table({ hosts: [] })], { dryRun: true })).collected).toHaveLength(1)
    expect(await store.list('shard/')).toHaveLength(2)
  })

  test('progress goes up to the number of entries', async () => {
    const steps: [number, number][] = []
    const onProgress = (written: number, total: number): void => void steps.push([written, total])
    const report = await publishAt(new MemoryStore(), 0, [largeTable(40_000)], { onProgress })
    expect(steps.length).toBeGreaterThan(2)
    expect(steps.at(-1)).toEqual([report.written.length, report.written.length])
  })
})

describe('what is collected', () => {
  const changed = table({ hosts: [host('c.example.com')] })

  test('a shard that nobody names stays for the grace period and is then deleted', async () => {
    const store = new WatchedStore()
    await publishAt(store, 0, [table()])
    const report = await publishAt(store, 5000, [changed])
    const [old = ''] = report.awaiting.keys()
    expect(report.awaiting).toEqual(new Map([[old, START + 5000 + GRACE]]))
    expect((await publishAt(store, 4999 + GRACE, [changed])).collected).toEqual([])
    store.writes = []
    expect(await publishAt(store, 5000 + GRACE, [changed])).toMatchObject({ collected: [old], awaiting: new Map() })
    expect(await store.list('shard/')).not.toContain(old)
    expect(store.writes).toEqual([])
    await expectHolds(store, [changed])
  })

  test('a shard that is needed again in time stays, and its time begins anew when it is unused again', async () => {
    const store = new WatchedStore()
    await publishAt(store, 0, [table()])
    await publishAt(store, 1000, [changed])
    await publishAt(store, GRACE, [table()])
    expect((await publishAt(store, 3 * GRACE, [table()])).collected).not.toEqual([])
    await expectHolds(store, [table()])
    await publishAt(store, 4 * GRACE, [changed])
    expect((await publishAt(store, 5 * GRACE - 1000, [changed])).collected).toEqual([])
    expect((await publishAt(store, 5 * GRACE, [changed])).collected).toHaveLength(1)
    await expectHolds(store, [changed])
  })

  test('a shard that another Gateway names stays', async () => {
    const store = new WatchedStore()
    const same = other()
    await publishAt(store, 0, [table(), same])
    await publishAt(store, 1000, [changed, same])
    expect(await publishAt(store, 9 * GRACE, [changed, same])).toMatchObject({ collected: [], awaiting: new Map() })
    await expectHolds(store, [changed, same])
    await publishAt(store, 10 * GRACE, [changed, other({ hosts: [] })])
    expect((await publishAt(store, 11 * GRACE - 1, [changed, other({ hosts: [] })])).collected).toEqual([])
    expect((await publishAt(store, 11 * GRACE, [changed, other({ hosts: [] })])).collected).toHaveLength(1)
  })

  test('a Gateway that is gone has an empty table at once, and is deleted with its shards later', async () => {
    const store = new WatchedStore()
    await publishAt(store, 0, [table(), other({ backends: [backend('shop/x:80', '10.1.1.1')] })])
    const report = await publishAt(store, 1000, [table()])
    expect(report.written).toEqual(['gateway/infra/other'])
    const root = (await storedRoots(store)).get('gateway/infra/other')
    expect(root).toMatchObject({ gateway: 'infra/other', listeners: [], hostShards: [], backendShards: [] })
    expect(await publishAt(store, 2000, [table()])).toMatchObject({ written: [], collected: [] })
    const last = await publishAt(store, 1000 + GRACE, [table()])
    expect(last.collected).toEqual([expect.stringMatching(/^shard/), 'gateway/infra/other'])
    expect(await store.list('gateway/')).toEqual(['gateway/infra/edge'])
    await expectHolds(store, [table()])
  })

  test('a Gateway that comes back before it is deleted is served again', async () => {
    const store = new WatchedStore()
    await publishAt(store, 0, [table(), other()])
    await publishAt(store, 1000, [table()])
    expect((await publishAt(store, 2000, [table(), other()])).awaiting).toEqual(new Map())
    await publishAt(store, 9 * GRACE, [table(), other()])
    await expectHolds(store, [table(), other()])
  })

  test('a shard that one Gateway retired and another came to need is neither deleted nor announced', async () => {
    const store = new WatchedStore()
    await publishAt(store, 0, [table()])
    await publishAt(store, 1000, [changed])
    const report = await publishAt(store, 2000, [changed, other()])
    expect(report.awaiting).toEqual(new Map())
    expect((await publishAt(store, 9 * GRACE, [changed, other()])).collected).toEqual([])
    await expectHolds(store, [changed, other()])
  })

  test('what a killed publisher left is found, and collected after the grace period', async () => {
    const store = new WatchedStore()
    await publishAt(store, 0, [table()])
    await store.put(new Map([['shard/00112233445566778899aabbccddeeff', Uint8Array.of(1)]]))
    await publishAt(store, 1000, [changed])
    const { collected } = await publishAt(store, 1000 + GRACE, [changed])
    expect(collected).toContain('shard/00112233445566778899aabbccddeeff')
  })
})

describe('whatever happens', () => {
  const sets = [
    [table()],
    [table(), other()],
    [table({ hosts: [host('c.example.com')] }), other({ backends: [] })],
    [other({ hosts: [host('c.example.com')] })],
    [],
  ]

  test('a publisher that is killed at any call leaves tables that can be read, old or new', async () => {
    const set = fc.constantFrom(...sets)
    const step = fc.record({ set, wait: fc.constantFrom(1000, GRACE / 2, GRACE), calls: fc.nat(60) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), set, async (steps, last) => {
        const store = new WatchedStore()
        let time = 0
        for (const { set, wait, calls } of steps) {
          store.callsLeft = calls
          await publishAt(store, time, set).catch(() => {})
          store.callsLeft = Number.POSITIVE_INFINITY
          expect(await missing(store)).toEqual([])
          time += wait
        }
        await publishAt(store, time, last)
        await expectHolds(store, last)
      }),
      { numRuns: 300 },
    )
  })

  test('publishing the same set until all is collected leaves what a first publish writes', async () => {
    const set = fc.constantFrom(...sets)
    await fc.assert(
      fc.asyncProperty(fc.array(set, { maxLength: 5 }), set, async (history, last) => {
        const store = new MemoryStore()
        for (const [i, each] of history.entries()) await publishAt(store, i * 1000, each)
        for (let i = 1; i <= 3; i++) await publishAt(store, i * 2 * GRACE, last)
        const fresh = new MemoryStore()
        await publishAt(fresh, 0, last)
        expect((await store.list('')).toSorted()).toEqual((await fresh.list('')).toSorted())
      }),
    )
  })

  test('two publishers at a time leave no root without its shards', async () => {
    const pair = fc.tuple(fc.constantFrom(...sets), fc.constantFrom(...sets), fc.constantFrom(...sets))
    let collected = 0
    await fc.assert(
      fc.asyncProperty(pair, fc.scheduler(), async ([first, second, third], scheduler) => {
        const store = new MemoryStore()
        const later = 5 * GRACE
        await publishAt(store, 0, sets[2] ?? [])
        await publishAt(store, 1000, first)
        const reports: PublishReport[] = []
        const racing = interleaved(store, scheduler)
        const both = [second, third].map((set) => publishAt(racing, later, set).then((report) => reports.push(report)))
        await scheduler.waitFor(Promise.all(both))
        collected += reports.flatMap((report) => report.collected).length
        expect(await missing(store)).toEqual([])
      }),
      { numRuns: 500 },
    )
    expect(collected).toBeGreaterThan(100)
  })

  /** The store as two publishers see it, whose calls take effect in any order. */
  function interleaved(store: Store, scheduler: fc.Scheduler): Store {
    return {
      get: scheduler.scheduleFunction((key: string) => store.get(key)),
      list: scheduler.scheduleFunction((prefix: string) => store.list(prefix)),
      put: scheduler.scheduleFunction((entries: ReadonlyMap<string, Uint8Array>) => store.put(entries)),
      delete: scheduler.scheduleFunction((keys: readonly string[]) => store.delete(keys)),
      close: async () => {},
    }
  }
})
