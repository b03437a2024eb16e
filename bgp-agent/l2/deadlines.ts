interface Deadline {
  readonly key: string
  readonly at: number
}

/** When something is due for each of many keys, soonest first. A change costs the logarithm of how many there are. */
export class Deadlines {
  /** A binary heap; what stands in it and is not in `#current` any more is passed over. */
  readonly #heap: Deadline[] = []
  readonly #current = new Map<string, Deadline>()

  set(key: string, at: number): void {
    if (this.#current.get(key)?.at === at) return
    const deadline = { key, at }
    this.#current.set(key, deadline)
    this.#push(deadline)
    // Times that are put off again and again leave old ones behind.
    if (this.#heap.length > 2 * this.#current.size + 64) this.#rebuild()
  }

  delete(key: string): void {
    this.#current.delete(key)
  }

  /** When the soonest is due; Infinity: nothing is. */
  get next(): number {
    for (;;) {
      const [first] = this.#heap
      if (first === undefined) return Number.POSITIVE_INFINITY
      if (this.#current.get(first.key) === first) return first.at
      this.#pop()
    }
  }

  /** A key that is due, which it is no more; undefined: none. */
  take(now: number): string | undefined {
    if (this.next > now) return undefined
    const first = this.#pop()
    if (first !== undefined) this.#current.delete(first.key)
    return first?.key
  }

  #rebuild(): void {
    this.#heap.length = 0
    for (const deadline of this.#current.values()) this.#push(deadline)
  }

  #push(deadline: Deadline): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(deadline)
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || parent.at <= deadline.at) break
      heap[at] = parent
      at = above
    }
    heap[at] = deadline
  }

  #pop(): Deadline | undefined {
    const heap = this.#heap
    const [first] = heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const below =
        (heap[left + 1]?.at ?? Number.POSITIVE_INFINITY) < (heap[left]?.at ?? Number.POSITIVE_INFINITY)
          ? left + 1
          : left
      const child = heap[below]
      if (child === undefined || child.at >= last.at) break
      heap[at] = child
      at = below
    }
    heap[at] = last
    return first
  }
}
