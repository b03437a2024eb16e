import { endpointKey } from '../../engine/origin-token-address.ts'
import { Shard } from '../../proto/gen/route_table.ts'
import { shardName } from './shard-tree.ts'
import type { Store } from './store.ts'
import { storedEntries, storedRoots } from './stored.ts'

/** Every endpoint in the tables of a store, as the connector names them. Rejects with a StoreError, and throws on a shard
 *  that cannot be read: whoever asks keeps what it knew. */
export async function storedEndpoints(store: Pick<Store, 'get' | 'list'>): Promise<ReadonlySet<string>> {
  const roots = await storedRoots(store)
  const names = [...roots.values()].flatMap(({ backendShards }) => backendShards.map(({ hash }) => shardName(hash)))
  const shards = await storedEntries(store, [...new Set(names)])
  const backends = [...shards.values()].flatMap((bytes) => Shard.decode(bytes).backends)
  return new Set(backends.flatMap(({ endpoints }) => endpoints.flatMap((endpoint) => endpointKey(endpoint) ?? [])))
}
