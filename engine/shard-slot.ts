import type { LoadedShard } from './shard.ts'

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
