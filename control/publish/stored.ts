import { type RootEntry, splitEntry } from '../../engine/signed-root.ts'
import { rootPrefix } from '../../engine/store-keys.ts'
import { Root } from '../../proto/gen/route_table.ts'
import { inParallel } from './in-parallel.ts'
import { shardName } from './shard-tree.ts'
import type { Store } from './store.ts'

const AT_ONCE = 16

/** By key. */
export type Roots = ReadonlyMap<string, Root>

/** A root with the bytes that were signed, if they were. */
export interface StoredRoot extends Pick<RootEntry, 'signed'> {
  readonly root: Root
  readonly rootBytes: Uint8Array
}

const nothing: StoredRoot = { root: Root.decode(new Uint8Array()), rootBytes: new Uint8Array(), signed: undefined }

/** The roots in a store, whoever has signed them. One that does not decode is taken for one that names nothing. */
export async function storedTables(store: Pick<Store, 'get' | 'list'>): Promise<ReadonlyMap<string, StoredRoot>> {
  const tables = new Map<string, StoredRoot>()
  await inParallel(await store.list(rootPrefix), AT_ONCE, async (key) => {
    const bytes = await store.get(key)
    if (bytes !== undefined) tables.set(key, decoded(bytes))
  })
  return tables
}

/** As storedTables, without what was signed. */
export const storedRoots = async (store: Pick<Store, 'get' | 'list'>): Promise<Roots> =>
  rootsOf(await storedTables(store))

export const rootsOf = (tables: ReadonlyMap<string, StoredRoot>): Roots =>
  new Map([...tables].map(([key, { root }]) => [key, root]))

function decoded(bytes: Uint8Array): StoredRoot {
  try {
    const { root, signed } = splitEntry(bytes)
    return { root: Root.decode(root), rootBytes: root, signed }
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
