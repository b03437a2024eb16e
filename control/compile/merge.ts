/** -1, 0 or 1 as for a sort. Not localeCompare: "alphabetical" must be the same on every machine. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export type Compare<T> = (a: T, b: T) => number

/** `sorted` without the items of `removed` and with those of `added`, which need no order; linear in `sorted`. The same
 *  list comes back when nothing changes. Where items compare equal, older ones stay in front. */
export function merged<T>(
  sorted: readonly T[],
  removed: ReadonlySet<T>,
  added: readonly T[],
  compare: Compare<T>,
): readonly T[] {
  if (removed.size === 0 && added.length === 0) return sorted
  const incoming = added.toSorted(compare)
  if (sorted.length === 0) return incoming
  const result: T[] = []
  let next = 0
  for (const item of sorted) {
    if (removed.has(item)) continue
    for (let other = incoming[next]; other !== undefined && compare(other, item) < 0; other = incoming[++next])
      result.push(other)
    result.push(item)
  }
  for (; next < incoming.length; next++) {
    const other = incoming[next]
    if (other !== undefined) result.push(other)
  }
  return result
}

/** What a list lost and won. */
export interface Change<T> {
  readonly removed: ReadonlySet<T>
  readonly added: readonly T[]
}

/** Items are told apart by identity, and their order does not matter. Cheap where two lists begin and end alike. */
export function difference<T>(before: readonly T[], after: readonly T[]): Change<T> {
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && before[start] === after[start]) start++
  let end = 0
  while (end < shorter - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++
  const removed = new Set(before.slice(start, before.length - end))
  const added: T[] = []
  for (const item of after.slice(start, after.length - end)) {
    if (!removed.delete(item)) added.push(item)
  }
  return { removed, added }
}

/** For each place of `items`, what was made of that item before; cheap where both lists begin and end alike. */
export function matching<T, Made>(
  before: readonly Made[],
  items: readonly T[],
  itemOf: (made: Made) => T,
): (index: number) => Made | undefined {
  const isAt = (place: number, index: number): boolean => {
    const made = before[place]
    return made !== undefined && itemOf(made) === items[index]
  }
  let start = 0
  while (start < items.length && isAt(start, start)) start++
  const shift = before.length - items.length
  let end = items.length
  while (end > start && end + shift > start && isAt(end + shift - 1, end - 1)) end--
  const between = new Map(before.slice(start, end + shift).map((made) => [itemOf(made), made]))
  return (index) => {
    if (index < start) return before[index]
    if (index >= end) return before[index + shift]
    const item = items[index]
    return item === undefined ? undefined : between.get(item)
  }
}

export const isSameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, index) => item === b[index])
