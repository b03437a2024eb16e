import { keyPairs } from '../control/compile/key-pairs.ts'
import type { Reading } from '../control/project.ts'
import { encodeTable } from '../control/publish/encode.ts'
import type { Feed } from '../standalone/feed.ts'

/** Of the keys of shards in a store, before their names. */
const shardPrefix = 'shard/'

export interface FileFeed {
  readonly feed: Feed
  /** Tables that no data plane can take, as sentences. */
  readonly faults: readonly string[]
}

/** What a reading of manifests comes to for a data plane. */
export function feedOf({ compiled, snapshot }: Reading): FileFeed {
  const roots: Uint8Array[] = []
  const shards = new Map<string, Uint8Array>()
  const faults: string[] = []
  for (const table of compiled.tables) {
    const encoded = encodeTable(table)
    if (encoded.ok) {
      roots.push(encoded.table.rootBytes)
      for (const [key, bytes] of encoded.table.shards) shards.set(key.slice(shardPrefix.length), bytes)
    } else faults.push(...encoded.problems.map(({ message }) => message))
  }
  return { feed: { roots, shards, keyPairs: keyPairs(compiled.tables, snapshot) }, faults }
}
