/** Which items of two lists stand for each other, in an order that both lists keep. */
export interface Alignment {
  /** By index into the first list, the index into the second; undefined for one without a partner. */
  readonly partners: readonly (number | undefined)[]
  /** Indexes into the second list without a partner. */
  readonly added: readonly number[]
}

/** Pairs equal items, as many as an increasing order allows. Takes time n log n. */
export function aligned(before: readonly string[], after: readonly string[]): Alignment {
  const places = new Map<string, number[]>()
  for (const [index, key] of after.entries()) {
    const known = places.get(key)
    if (known === undefined) places.set(key, [index])
    else known.push(index)
  }
  for (const list of places.values()) list.reverse()
  const candidates = before.map((key) => places.get(key)?.pop())
  const kept = new Set(longestIncreasing(candidates))
  const partners = candidates.map((place, index) => (kept.has(index) ? place : undefined))
  const paired = new Set(partners)
  return { partners, added: [...after.keys()].filter((index) => !paired.has(index)) }
}

/** Indexes of a longest increasing subsequence of the numbers. Patience sorting. */
function longestIncreasing(numbers: readonly (number | undefined)[]): number[] {
  /** By length less one: the index of the least number that ends such a sequence. */
  const ends: number[] = []
  const previous: (number | undefined)[] = []
  for (const [index, number] of numbers.entries()) {
    if (number === undefined) continue
    let low = 0
    let high = ends.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((numbers[ends[middle] ?? 0] ?? 0) < number) low = middle + 1
      else high = middle
    }
    previous[index] = ends[low - 1]
    ends[low] = index
  }
  const sequence: number[] = []
  for (let at = ends.at(-1); at !== undefined; at = previous[at]) sequence.push(at)
  return sequence.reverse()
}
