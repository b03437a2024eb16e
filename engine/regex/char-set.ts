/** Code points as ascending, disjoint, non-adjacent ranges, flat: [first, last, first, last, …]. */
export type CharSet = readonly number[]

export const LAST_CODE_POINT = 0x10ffff

/** The set of ranges in any order, overlapping or not. */
export function charSet(ranges: readonly number[]): CharSet {
  const pairs: [number, number][] = []
  for (const [first, last] of pairsOf(ranges)) pairs.push([first, last])
  pairs.sort((a, b) => a[0] - b[0])
  const merged: number[] = []
  for (const [first, last] of pairs) {
    const end = merged.at(-1)
    if (end !== undefined && first <= end + 1) merged[merged.length - 1] = Math.max(end, last)
    else merged.push(first, last)
  }
  return merged
}

export function* pairsOf(ranges: readonly number[]): Generator<[first: number, last: number]> {
  for (let i = 0; i + 1 < ranges.length; i += 2) yield [ranges[i] ?? 0, ranges[i + 1] ?? 0]
}

export function negate(set: CharSet): CharSet {
  const gaps: number[] = []
  let next = 0
  for (const [first, last] of pairsOf(set)) {
    if (first > next) gaps.push(next, first - 1)
    next = last + 1
  }
  if (next <= LAST_CODE_POINT) gaps.push(next, LAST_CODE_POINT)
  return gaps
}

export function contains(set: CharSet, code: number): boolean {
  let low = 0
  let high = set.length / 2 - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    if (code < (set[2 * middle] ?? 0)) high = middle - 1
    else if (code > (set[2 * middle + 1] ?? 0)) low = middle + 1
    else return true
  }
  return false
}

/** The set's only member, or undefined when it has none or several. */
export function onlyMember(set: CharSet): number | undefined {
  return set.length === 2 && set[0] === set[1] ? set[0] : undefined
}

const span = (characters: string): number[] => [...characters].map((character) => character.charCodeAt(0))

export const DIGIT: CharSet = span('09')
export const WORD: CharSet = span('09AZ__az')
/** \s of RE2: without the vertical tab, unlike [[:space:]]. */
export const SPACE: CharSet = span('\t\n\f\r  ')
export const NEWLINE: CharSet = span('\n\n')
export const ANY: CharSet = [0, LAST_CODE_POINT]
export const ANY_BUT_NEWLINE: CharSet = negate(NEWLINE)

/** [[:name:]] inside a class. */
export const POSIX: ReadonlyMap<string, CharSet> = new Map([
  ['alnum', span('09AZaz')],
  ['alpha', span('AZaz')],
  ['ascii', [0, 0x7f]],
  ['blank', span('\t\t  ')],
  ['cntrl', [0, 0x1f, 0x7f, 0x7f]],
  ['digit', DIGIT],
  ['graph', span('!~')],
  ['lower', span('az')],
  ['print', span(' ~')],
  ['punct', span('!/:@[`{~')],
  ['space', span('\t\r  ')],
  ['upper', span('AZ')],
  ['word', WORD],
  ['xdigit', span('09AFaf')],
])
