import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Shard } from '../../proto/gen/route_table.ts'
import { MemoryStore } from '../publish/memory.ts'
import { type Store, StoreError } from '../publish/store.ts'
import { shardsOf, storedEntries, storedRoots } from '../publish/stored.ts'
import { gateway, route, TestService } from './service-fixture.ts'

/** Every write that is due to fail does, half-way through. */
class FailingStore extends MemoryStore {
  /** Writes until one fails, and then again. */
  every = Number.POSITIVE_INFINITY
  #writes = 0

  override async put(entries: ReadonlyMap<string, Uint8Array>): Promise<void> {
    for (const entry of entries) {
      this.#count()
      await super.put(new Map([entry]))
    }
  }
  override async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      this.#count()
      await super.delete([key])
    }
  }
  #count(): void {
    if (++this.#writes % this.every === 0) throw new StoreError('the store is away')
  }
}

/** Words of the form push-N in the table that a reader finds; throws when it finds a root without its shards. */
async function pushesIn(store: Store): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (const root of (await storedRoots(store)).values()) {
    const names = shardsOf(root)
    const shards = await storedEntries(store, names)
    if (shards.size < new Set(names).size) throw new Error('a root names a shard that is not there')
    for (const bytes of shards.values()) {
      for (const push of JSON.stringify(Shard.decode(bytes)).match(/push-\d+/g) ?? []) found.add(push)
    }
  }
  return found
}

const manifests = (number: number): string =>
  [gateway, ...['a', 'b', 'c'].map((name) => route('infra', `/${name}/push-${number}`, name))].join('---\n')

test('a store that fails every n-th write shows no mix, loses nothing, and the next push repairs it', async () => {
  let failed = 0
  for (const every of [1, 2, 3, 4, 5, 7]) {
    const store = new FailingStore()
    const service = await TestService.start({ store })
    await service.push('infra', manifests(0))
    let acknowledged = 0
    for (let number = 1; number <= 12; number++) {
      store.every = number === 12 ? Number.POSITIVE_INFINITY : every
      service.time += 700_000
      const { status, body } = await service.push('infra', manifests(number))
      expect([200, 502]).toContain(status)
      if (status === 200) acknowledged = number
      else {
        failed++
        expect(body.detail).toMatch(/is kept but not in effect yet: the store is away/)
      }
      const pushes = await pushesIn(store)
      expect(pushes.size).toBe(1)
      const inEffect = Number([...pushes][0]?.slice('push-'.length))
      expect(inEffect).toBeGreaterThanOrEqual(acknowledged)
      expect(inEffect).toBeLessThanOrEqual(number)
      expect((await service.ask('/v1/sets/infra')).body.latest).toMatchObject({
        version: number + 1,
        state: status === 200 ? 'published' : 'publishing',
      })
    }
    expect(await pushesIn(store)).toEqual(new Set(['push-12']))
    const { versions } = (await service.ask('/v1/sets/infra/versions')).body
    expect(versions.filter(({ state }: { state: string }) => state === 'publishing')).toEqual([])
  }
  expect(failed).toBeGreaterThan(20)
})

test('what a store that was away has kept from being published, the next push of another set publishes', async () => {
  const store = new FailingStore()
  const service = await TestService.start({ store })
  await service.push('infra', manifests(1))
  store.every = 1
  expect((await service.push('infra', manifests(2))).status).toBe(502)
  store.every = Number.POSITIVE_INFINITY
  expect((await service.push('shop', route('shop', '/'))).status).toBe(200)
  expect(await pushesIn(store)).toEqual(new Set(['push-2']))
  expect((await service.ask('/v1/sets/infra')).body.latest).toMatchObject({ version: 2, state: 'published' })
})

test('the same request again finishes what it began, also when it must not follow its own version', async () => {
  const store = new FailingStore()
  const service = await TestService.start({ store })
  await service.push('infra', manifests(1))
  const headers = { 'idempotency-key': 'job', 'if-match': '"1"' }
  store.every = 1
  expect((await service.push('infra', manifests(2), { headers })).status).toBe(502)
  store.every = Number.POSITIVE_INFINITY
  expect((await service.push('infra', manifests(2), { headers })).body).toMatchObject({ version: 2 })
})

test('a service that starts over what another left finishes it', async () => {
  const store = new FailingStore()
  const first = await TestService.start({ store })
  await first.push('infra', manifests(1))
  store.every = 1
  await first.push('infra', manifests(2))
  store.every = Number.POSITIVE_INFINITY
  const second = await TestService.start({ store, sql: first.sql })
  expect(await pushesIn(store)).toEqual(new Set(['push-2']))
  expect((await second.ask('/v1/sets/infra')).body.latest).toMatchObject({ version: 2, state: 'published' })
  expect((await second.push('infra', manifests(3))).body.version).toBe(3)
})

test('of pushes at once that start from one version one wins, and the others are told', async () => {
  const service = await TestService.start()
  await service.push('infra', manifests(0))
  const headers = { 'if-match': '"1"' }
  const answers = await Promise.all([1, 2, 3].map((number) => service.push('infra', manifests(number), { headers })))
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412])
  expect((await pushesIn(service.store)).size).toBe(1)
})

test('pushes at once that start from any version follow each other', async () => {
  const service = await TestService.start()
  const answers = await Promise.all([1, 2, 3, 4].map((number) => service.push('infra', manifests(number))))
  expect(answers.map(({ body }) => body.version)).toEqual([1, 2, 3, 4])
  expect(await pushesIn(service.store)).toEqual(new Set(['push-4']))
})

test('two services on one database, as isolates of a Worker are, never leave a mix', async () => {
  const step = fc.record({
    by: fc.nat(1),
    set: fc.constantFrom('infra', 'shop'),
    number: fc.integer({ min: 1, max: 9 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      const first = await TestService.start()
      const second = await TestService.start({ sql: first.sql, store: first.store })
      await first.push('infra', manifests(0))
      const text = (set: string, number: number) =>
        set === 'infra' ? manifests(number) : route('shop', `/shop-${number}`)
      for (const { by, set, number } of steps) {
        const { status } = await (by === 0 ? first : second).push(set, text(set, number))
        expect(status).toBe(200)
      }
      const last = steps.findLast(({ set }) => set === 'infra')?.number ?? 0
      expect(await pushesIn(first.store)).toEqual(new Set([`push-${last}`]))
    }),
    { numRuns: 20 },
  )
})
