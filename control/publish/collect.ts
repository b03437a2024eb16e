import { shardPrefix } from '../../engine/store-keys.ts'
import { retiredSince } from './retired.ts'
import type { Store } from './store.ts'
import { namedBy, type Roots, storedEntries, storedRoots } from './stored.ts'

/** How many shards are deleted at a time; as many are held in memory. */
const BATCH = 100

/** Keys that readers no longer need once the time has come: milliseconds since the epoch. */
export type Due = ReadonlyMap<string, number>

/** When the shards that no root names, and the roots of Gateways that are gone, become due. */
export function due(roots: Roots, present: ReadonlySet<string>, grace: number): Due {
  const named = namedBy(roots)
  const times = new Map<string, number>()
  for (const [name, since] of retiredSince(roots.values())) {
    if (present.has(name) && !named.has(name)) times.set(name, since * 1000 + grace)
  }
  for (const [key, { goneSince }] of roots) if (goneSince > 0) times.set(key, goneSince * 1000 + grace)
  return times
}

/**
 * Deletes what is due, shards first, and returns the keys that are gone. Another publisher may at this moment be about to
 * name one of the shards again: it looks for them after it has written its root, as this looks for its root after having
 * deleted them, so that one of the two sees the other and puts them back.
 */
export async function collect(store: Store, keys: readonly string[]): Promise<readonly string[]> {
  const shards = keys.filter((key) => key.startsWith(shardPrefix))
  const collected: string[] = []
  for (let start = 0; start < shards.length; start += BATCH) {
    const named = namedBy(await storedRoots(store))
    const batch = shards.slice(start, start + BATCH).filter((name) => !named.has(name))
    // Nothing is deleted that could not be put back.
    const entries = [...(await storedEntries(store, batch))]
    await store.delete(entries.map(([name]) => name))
    const namedNow = namedBy(await storedRoots(store))
    await store.put(new Map(entries.filter(([name]) => namedNow.has(name))))
    collected.push(...entries.map(([name]) => name).filter((name) => !namedNow.has(name)))
  }
  const roots = await storedRoots(store)
  const gone = keys.filter((key) => (roots.get(key)?.goneSince ?? 0) > 0)
  await store.delete(gone)
  return [...collected, ...gone]
}
