import type { Backend } from '../proto/gen/route_table.ts'
import type { ShardSlot } from './shard-slot.ts'
import { shardHash } from './shards.ts'

/** A reference to a Backend by its key, which remembers what a table found behind it. */
export class BackendLink {
  /** Backend.key. */
  readonly backend: string
  readonly hash: number
  /** Table.epoch for which the rest was found out. */
  epoch: object | undefined
  slot: ShardSlot | undefined
  found: Backend | ShardSlot | undefined

  constructor(backend: string) {
    this.backend = backend
    this.hash = shardHash(backend)
  }
}
