/** Seconds that the budget looks back. */
const WINDOW = 10
/** Retries may be this share of the requests in the window … */
const SHARE = 0.2
/** … and this many a second are always allowed. */
const FLOOR = 3

/** Keeps retries to a share of requests, so that retrying cannot bury an upstream that is in trouble. */
export class RetryBudget {
  /** One slot a second, reused in turn. */
  readonly #requests = new Float64Array(WINDOW)
  readonly #retries = new Float64Array(WINDOW)
  #second = 0

  /** Counts a request's first try. `now` in milliseconds. */
  requested(now: number): void {
    add(this.#requests, this.#slot(now))
  }

  /** Whether one retry may be made now; it is counted if so. */
  take(now: number): boolean {
    const slot = this.#slot(now)
    const allowed = Math.max(FLOOR * WINDOW, SHARE * sum(this.#requests))
    if (sum(this.#retries) + 1 > allowed) return false
    add(this.#retries, slot)
    return true
  }

  /** The slot of the present second, with those since the last call cleared; a clock that goes back stands still. */
  #slot(now: number): number {
    const second = Math.floor(now / 1000)
    const passed = Math.min(WINDOW, second - this.#second)
    for (let i = 0; i < passed; i++) {
      const slot = (second - i) % WINDOW
      this.#requests[slot] = 0
      this.#retries[slot] = 0
    }
    this.#second = Math.max(this.#second, second)
    return this.#second % WINDOW
  }
}

function add(slots: Float64Array, slot: number): void {
  slots[slot] = (slots[slot] ?? 0) + 1
}

const sum = (slots: Float64Array): number => slots.reduce((total, count) => total + count, 0)
