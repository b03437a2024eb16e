import { compareText, merged } from './merge.ts'

/** How many routes use a thing. */
interface Count {
  readonly name: string
  readonly count: number
}

/** Names that are used, in alphabetical order, with the number of uses. */
export type Tally = readonly Count[]

const byName = (a: Count, b: Count): number => compareText(a.name, b.name)

/** Place of `name` in a list in alphabetical order; -1 when it is not there. */
export function placeOf<T>(sorted: readonly T[], name: string, nameOf: (item: T) => string): number {
  let low = 0
  let high = sorted.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const item = sorted[middle]
    if (item === undefined) return -1
    const order = compareText(nameOf(item), name)
    if (order === 0) return middle
    if (order < 0) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** The tally after changes, which may be negative. The same one when they come to nothing. */
export function counted(tally: Tally, changes: ReadonlyMap<string, number>): Tally {
  const removed = new Set<Count>()
  const added: Count[] = []
  for (const [name, change] of changes) {
    if (change === 0) continue
    const before = tally[placeOf(tally, name, ({ name }) => name)]
    if (before !== undefined) removed.add(before)
    const count = (before?.count ?? 0) + change
    if (count > 0) added.push({ name, count })
  }
  return merged(tally, removed, added, byName)
}
