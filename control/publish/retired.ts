import { hashOf } from '../../engine/store-keys.ts'
import type { Retired, Root } from '../../proto/gen/route_table.ts'
import { shardName } from './shard-tree.ts'

/** Since when shards are retired, by name: seconds since the epoch. */
export type RetiredSince = ReadonlyMap<string, number>

/**
 * How many shards a root remembers as retired, some 18 bytes each. Should there be more, the oldest are forgotten: they
 * are then found in the store as shards that nobody names, and retired anew.
 */
const MAX_RETIRED = 20_000

/** The latest time that any of the roots says. */
export function retiredSince(roots: Iterable<Root>): RetiredSince {
  const times = new Map<string, number>()
  for (const root of roots) {
    for (const { since, hashes } of root.retired) {
      for (const name of hashes.map(shardName)) times.set(name, Math.max(since, times.get(name) ?? 0))
    }
  }
  return times
}

/** Root.retired. */
export function encodeRetired(times: RetiredSince): Retired[] {
  const newest = [...times].sort(([a, at], [b, bt]) => bt - at || (a < b ? -1 : 1)).slice(0, MAX_RETIRED)
  const bySince = Map.groupBy(newest, ([, since]) => since)
  return [...bySince].map(([since, shards]) => ({
    since,
    hashes: shards.map(([name]) => Buffer.from(hashOf(name), 'hex')),
  }))
}
