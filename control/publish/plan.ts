import { gatewayOf } from '../../engine/store-keys.ts'
import { Root } from '../../proto/gen/route_table.ts'
import { type EncodedTable, SCHEMA, versioned } from './encode.ts'
import { encodeRetired, type RetiredSince, retiredSince } from './retired.ts'
import { namedBy, type Roots, shardsOf } from './stored.ts'

/** What to write: first the shards, then the roots. */
export interface Plan {
  readonly shards: ReadonlyMap<string, Uint8Array>
  readonly roots: Roots
}

/**
 * What makes a store with these roots and shards hold `tables` and no others. `now` in seconds since the epoch. `renewed`:
 * the keys of stored roots that are written again though their table has not changed, because they have to be signed anew.
 *
 * A shard that is in the store but that no root names is written nevertheless: another publisher may be about to delete it.
 */
export function plan(
  tables: readonly EncodedTable[],
  stored: Roots,
  present: ReadonlySet<string>,
  now: number,
  renewed: ReadonlySet<string> = new Set(),
): Plan {
  const needed = new Map(tables.flatMap(({ shards }) => [...shards]))
  const named = namedBy(stored)
  const shards = new Map([...needed].filter(([name]) => !present.has(name) || !named.has(name)))

  const wanted = new Map(tables.map(({ key, root }) => [key, root]))
  for (const [key, root] of stored) {
    if (!wanted.has(key) && (root.goneSince === 0 || renewed.has(key))) wanted.set(key, gone(key, now))
  }
  const changed = [...wanted].filter(([key, root]) => renewed.has(key) || !sameTable(root, stored.get(key)))

  const known = retiredSince(stored.values())
  let strays = [...present].filter((name) => !needed.has(name) && !named.has(name) && !known.has(name))
  const roots = new Map<string, Root>()
  for (const [key, root] of changed) {
    const before = stored.get(key)
    const unused = [...(before === undefined ? [] : shardsOf(before)), ...strays].filter((name) => !needed.has(name))
    const times = new Map([...keptTimes(before, present, needed), ...unused.map((name) => [name, now] as const)])
    roots.set(key, { ...root, retired: encodeRetired(times) })
    // What a killed publisher left is remembered by one root.
    strays = []
  }
  return { shards, roots }
}

/** The root of a Gateway that is no more: readers find an empty table until it is deleted. */
const gone = (key: string, now: number): Root =>
  versioned({
    schema: SCHEMA,
    gateway: gatewayOf(key),
    version: '',
    listeners: [],
    hostShards: [],
    backendShards: [],
    settings: undefined,
    addresses: [],
    controller: '',
    retired: [],
    goneSince: now,
  })

const sameTable = (a: Root, b: Root | undefined): boolean =>
  b !== undefined && a.goneSince === b.goneSince && Buffer.compare(encodedTable(a), encodedTable(b)) === 0

const encodedTable = (root: Root): Uint8Array => Root.encode({ ...root, retired: [] }).finish()

function keptTimes(
  root: Root | undefined,
  present: ReadonlySet<string>,
  needed: ReadonlyMap<string, unknown>,
): RetiredSince {
  const times = retiredSince(root === undefined ? [] : [root])
  return new Map([...times].filter(([name]) => present.has(name) && !needed.has(name)))
}
