import type { Backend } from '../proto/gen/route_table.ts'
import type { HostRoutes } from './host-routes.ts'

/** Where a shard of a table goes once it is loaded. */
export class ShardSlot {
  /** Hash of the shard, in hex. */
  readonly name: string
  shard: LoadedShard | undefined
  /** Number of the decision that last needed it. */
  usedAt = 0

  constructor(name: string) {
    this.name = name
  }
}

export interface LoadedShard {
  /** Encoded, in bytes. */
  readonly size: number
  /** By hostname, one for every listener that has it. */
  readonly hosts: ReadonlyMap<string, readonly HostRoutes[]>
  readonly backends: ReadonlyMap<string, Backend>
}
