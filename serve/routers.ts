import { encodeTable } from '../control/publish/encode.ts'
import type { GatewayTable } from '../control/table.ts'
import type { Router } from '../engine/router.ts'
import { readRoot } from '../engine/table.ts'

/** A process of one's own has the memory for all of a table. */
const unlimited = Number.POSITIVE_INFINITY
/** Of the keys of shards, before their names. */
const shardPrefix = 'shard/'

export interface Routers {
  /** By Gateway. */
  readonly routers: ReadonlyMap<string, Router>
  /** Tables that cannot be served, as sentences. */
  readonly faults: readonly string[]
}

/** Routers of tables, with every shard loaded. That of a table which says the same as before is the very same object. */
export function routersOf(tables: readonly GatewayTable[], before: Routers): Routers {
  const routers = new Map<string, Router>()
  const faults: string[] = []
  for (const table of tables) {
    const last = before.routers.get(table.gateway)
    const encoded = encodeTable(table)
    if (!encoded.ok) {
      faults.push(...encoded.problems.map(({ message }) => message))
      if (last !== undefined) routers.set(table.gateway, last)
      continue
    }
    const { root, rootBytes, shards } = encoded.table
    if (last !== undefined && last.version === root.version) routers.set(table.gateway, last)
    else {
      const router = readRoot(rootBytes, last, unlimited)
      for (const [key, bytes] of shards) router.addShard(key.slice(shardPrefix.length), bytes)
      routers.set(table.gateway, router)
    }
  }
  return { routers, faults }
}
