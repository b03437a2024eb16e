/** Buckets that are kept at a time; what was quiet longest goes first. */
const maxBuckets = 10_000

export interface Rate {
  /** Requests at once. */
  readonly burst: number
  readonly perSecond: number
}

/** A token bucket for each name. */
export class RateLimit {
  readonly #rate: Rate
  readonly #now: () => number
  /** Least recently used first. */
  readonly #buckets = new Map<string, { readonly left: number; readonly at: number }>()

  /** `now` in milliseconds. */
  constructor(rate: Rate, now: () => number) {
    this.#rate = rate
    this.#now = now
  }

  /** Seconds to wait; 0 when the request may pass, which is counted. */
  take(name: string): number {
    const { burst, perSecond } = this.#rate
    const now = this.#now()
    const { left, at } = this.#buckets.get(name) ?? { left: burst, at: now }
    const filled = Math.min(burst, left + (Math.max(now - at, 0) / 1000) * perSecond)
    this.#buckets.delete(name)
    this.#buckets.set(name, { left: filled >= 1 ? filled - 1 : filled, at: now })
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > maxBuckets && oldest !== undefined) this.#buckets.delete(oldest)
    return filled >= 1 ? 0 : Math.ceil((1 - filled) / perSecond)
  }
}
