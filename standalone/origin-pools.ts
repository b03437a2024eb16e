import type { Origin } from './origin-client.ts'
import { originKey } from './origin-key.ts'

/** The connections of a client to one origin. */
export interface OriginPool {
  /** Whether it may be forgotten. */
  readonly isEmpty: boolean
  /** Ends what has waited for too long. */
  sweep(): void
  /** Closes idle connections; exchanges under way go on. */
  close(): void
}

/** A client's pools, by origins that are equal. While there are any, they are swept every `interval` milliseconds. */
export class OriginPools<Pool extends OriginPool> {
  readonly #interval: number
  readonly #create: (origin: Origin) => Pool
  readonly #tick: () => void
  /** By originKey. */
  readonly #pools = new Map<string, Pool>()
  #sweeper: NodeJS.Timeout | undefined

  /** `tick` is called before each sweep. */
  constructor(interval: number, create: (origin: Origin) => Pool, tick: () => void) {
    this.#interval = interval
    this.#create = create
    this.#tick = tick
  }

  of(origin: Origin): Pool {
    const key = originKey(origin)
    let pool = this.#pools.get(key)
    if (pool === undefined) {
      pool = this.#create(origin)
      this.#pools.set(key, pool)
      this.#sweeper ??= setInterval(() => this.#sweep(), this.#interval).unref()
    }
    return pool
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.close()
  }

  #sweep(): void {
    this.#tick()
    for (const [key, pool] of this.#pools) {
      pool.sweep()
      if (pool.isEmpty) this.#pools.delete(key)
    }
    if (this.#pools.size > 0) return
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
  }
}
