import { Root } from '../../proto/gen/route_table.ts'
import { inParallel } from './in-parallel.ts'
import { shardName } from './shard-tree.ts'
import type { Store } from './store.ts'

const AT_ONCE = 16

/** By key. */
export type Roots = ReadonlyMap<string, Root>

const nothing = Root.decode(new Uint8Array())

/** The roots in a store. One that does not decode is taken for one that names nothing. */
export async function storedRoots(store: Pick<Store, 'get' | 'list'>): Promise<Roots> {
  const roots = new Map<string, Root>()
  await inParallel(await store.list('gateway/'), AT_ONCE, async (key) => {
    const bytes = await store.get(key)
    if (bytes !== undefined) roots.set(key, decoded(bytes))
  })
  return roots
}

function decoded(bytes: Uint8Array): Root {
  try {
    return Root.decode(bytes)
  } catch {
    return nothing
  }
}

/** Those of the entries that the store has. */
export async function storedEntries(
  store: Pick<Store, 'get'>,
  keys: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const entries = new Map<string, Uint8Array>()
  await inParallel(keys, AT_ONCE, async (key) => {
    const bytes = await store.get(key)
    if (bytes !== undefined) entries.set(key, bytes)
  })
  return entries
}

/** Names of the shards that a root's table consists of. */
export const shardsOf = (root: Root): readonly string[] =>
  [...root.hostShards, ...root.backendShards].map(({ hash }) => shardName(hash))

/** Names of the shards that any of the tables consists of. */
export const namedBy = (roots: Roots): ReadonlySet<string> => new Set([...roots.values()].flatMap(shardsOf))
