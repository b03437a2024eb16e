import { keyPairs } from '../control/compile/key-pairs.ts'
import type { Reading } from '../control/project.ts'
import { type EncodedTable, encodeTable } from '../control/publish/encode.ts'
import { hashOf } from '../engine/store-keys.ts'
import type { Feed } from '../standalone/feed.ts'

export interface FileFeed {
  readonly feed: Feed
  /** What its roots and shards were taken from. */
  readonly tables: readonly EncodedTable[]
  /** Tables that no data plane can take, as sentences. */
  readonly faults: readonly string[]
}

/** What a reading of manifests comes to for a data plane. */
export function feedOf({ compiled, snapshot }: Reading): FileFeed {
  const encoded = compiled.tables.map(encodeTable)
  const tables = encoded.flatMap((each) => (each.ok ? each.table : []))
  const faults = encoded.flatMap((each) => (each.ok ? [] : each.problems.map(({ message }) => message)))
  const roots = tables.map(({ rootBytes }) => rootBytes)
  const shards = new Map(
    tables.flatMap((table) => Array.from(table.shards, ([key, bytes]) => [hashOf(key), bytes] as const)),
  )
  return { feed: { roots, shards, keyPairs: keyPairs(compiled.tables, snapshot) }, tables, faults }
}
