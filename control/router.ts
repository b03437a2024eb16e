import type { Router } from '../engine/router.ts'
import { readRoot } from '../engine/table.ts'
import { encodeTable } from './publish/encode.ts'
import type { GatewayTable } from './table.ts'

/** A router with the whole table in it; undefined for a table that no store takes. */
export function routerOf(table: GatewayTable): Router | undefined {
  const encoded = encodeTable(table)
  if (!encoded.ok) return undefined
  const router = readRoot(encoded.table.rootBytes, undefined, Number.POSITIVE_INFINITY)
  for (const [key, bytes] of encoded.table.shards) router.addShard(key.slice('shard/'.length), bytes)
  return router
}
