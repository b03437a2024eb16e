import { contentHash, shardName } from '../publish/shard-tree.ts'
import type { Store } from '../publish/store.ts'
import { shardsOf, storedEntries, storedTables } from '../publish/stored.ts'
import { differs, diffRoutes, type RouteDiff } from './route-diff.ts'
import type { PublishedTable } from './table-side.ts'

/** Tables by Gateway, "namespace/name". */
export type Tables = ReadonlyMap<string, PublishedTable>

/** What changes for clients, Gateway by Gateway in alphabetical order; those are left out for which nothing does. */
export function diffTables(before: Tables, after: Tables): readonly RouteDiff[] {
  const gateways = [...new Set([...before.keys(), ...after.keys()])].sort()
  return gateways
    .map((gateway) => diffRoutes(gateway, before.get(gateway), after.get(gateway)))
    .filter((diff) => differs(diff) || diff.gatewayChange !== 'kept' || diff.unreached.length > 0 || !diff.isComplete)
}

/** The tables of a store, or why one of them cannot be read. Rejects with a StoreError. */
export async function tablesIn(store: Pick<Store, 'get' | 'list'>): Promise<Tables | string> {
  const tables = new Map<string, PublishedTable>()
  for (const [key, { root, rootBytes }] of await storedTables(store)) {
    if (root.goneSince !== 0) continue
    const names = [...new Set(shardsOf(root))]
    const shards = await storedEntries(store, names)
    const lost = names.find((name) => {
      const bytes = shards.get(name)
      return bytes === undefined || shardName(contentHash(bytes)) !== name
    })
    if (lost !== undefined) return `${key}: ${lost} is missing, or its bytes do not have the hash that names it`
    tables.set(key.slice('gateway/'.length), { rootBytes, shards })
  }
  return tables
}
