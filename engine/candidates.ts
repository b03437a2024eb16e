import type { ValueMatch } from '../proto/gen/route_table.ts'
import { type MatchedRequest, restHolds } from './predicates.ts'
import { RankedMatch } from './ranked-match.ts'

/** The matches that a path leads to: one, a few in ascending rank, or many behind a Split. */
export type Candidates = RankedMatch | readonly RankedMatch[] | Split

/** What a request has one value of and a match may want exactly; the name is "" for the method. */
interface Key {
  readonly part: 'method' | 'header' | 'query'
  readonly name: string
}

/** Candidates that want one value of `key`, by that value, and the rest. */
class Split {
  readonly first: number
  readonly key: Key
  readonly byValue: ReadonlyMap<string, Candidates>
  readonly rest: Candidates | undefined

  constructor(first: number, key: Key, byValue: ReadonlyMap<string, Candidates>, rest: Candidates | undefined) {
    this.first = first
    this.key = key
    this.byValue = byValue
    this.rest = rest
  }
}

/** Up to this many candidates are tried one by one. */
const FEW = 8

/** A split is worth its look-up when it leaves at most this share of the candidates to try. That bounds its depth, too. */
const WORTHWHILE = 0.9

/** Of matches in ascending rank, at least one. */
export function candidatesOf(matches: readonly RankedMatch[]): Candidates {
  const [first] = matches
  if (first !== undefined && matches.length === 1) return first
  const key = matches.length > FEW ? bestKey(matches) : undefined
  if (key === undefined) return matches
  const groups = new Map<string, RankedMatch[]>()
  const rest: RankedMatch[] = []
  for (const match of matches) {
    const value = wantedValue(match, key)
    if (value === undefined) rest.push(match)
    else addTo(groups, value, match)
  }
  const byValue = new Map<string, Candidates>()
  for (const [value, members] of groups) byValue.set(value, candidatesOf(members))
  return new Split(lowestRank(matches), key, byValue, rest.length === 0 ? undefined : candidatesOf(rest))
}

/** The candidate of the lowest rank, below that of `best`, that holds; or else `best`. */
export function better(
  candidates: Candidates,
  best: RankedMatch | undefined,
  request: MatchedRequest,
): RankedMatch | undefined {
  if (candidates instanceof RankedMatch) {
    return (best === undefined || candidates.rank < best.rank) && restHolds(candidates, request) ? candidates : best
  }
  if (candidates instanceof Split) {
    if (best !== undefined && best.rank < candidates.first) return best
    const value = requestValue(request, candidates.key)
    const group = value === undefined ? undefined : candidates.byValue.get(value)
    const found = group === undefined ? best : better(group, best, request)
    return candidates.rest === undefined ? found : better(candidates.rest, found, request)
  }
  for (const match of candidates) {
    if (best !== undefined && best.rank < match.rank) return best
    if (restHolds(match, request)) return match
  }
  return best
}

const lowestRank = (matches: readonly RankedMatch[]): number => matches[0]?.rank ?? Number.POSITIVE_INFINITY

export function addTo(groups: Map<string, RankedMatch[]>, key: string, match: RankedMatch): void {
  const group = groups.get(key)
  if (group === undefined) groups.set(key, [match])
  else group.push(match)
}

/** The key whose split leaves the fewest candidates to try at worst: the largest group and the rest. */
function bestKey(matches: readonly RankedMatch[]): Key | undefined {
  const tallies = new Map<string, { readonly key: Key; readonly sizes: Map<string, number>; members: number }>()
  for (const match of matches) {
    for (const { key, value } of exactWants(match)) {
      const id = `${key.part} ${key.name}`
      let tally = tallies.get(id)
      if (tally === undefined) {
        tally = { key, sizes: new Map(), members: 0 }
        tallies.set(id, tally)
      }
      tally.sizes.set(value, (tally.sizes.get(value) ?? 0) + 1)
      tally.members++
    }
  }
  let best: Key | undefined
  let fewest = matches.length * WORTHWHILE
  for (const { key, sizes, members } of tallies.values()) {
    let largest = 0
    for (const size of sizes.values()) largest = Math.max(largest, size)
    const left = largest + matches.length - members
    if (left <= fewest) {
      fewest = left
      best = key
    }
  }
  return best
}

/** Each key once, with the first value wanted of it. */
function* exactWants(match: RankedMatch): Generator<{ readonly key: Key; readonly value: string }> {
  if (match.method !== '') yield { key: { part: 'method', name: '' }, value: match.method }
  for (const { name, value } of firstExact(match.headers)) yield { key: { part: 'header', name }, value }
  for (const { name, value } of firstExact(match.query)) yield { key: { part: 'query', name }, value }
}

function firstExact(values: readonly ValueMatch[]): readonly ValueMatch[] {
  const exact = values.filter(({ regex }) => !regex)
  return exact.filter(({ name }, index) => exact.findIndex((other) => other.name === name) === index)
}

function wantedValue(match: RankedMatch, wanted: Key): string | undefined {
  for (const { key, value } of exactWants(match)) if (key.part === wanted.part && key.name === wanted.name) return value
  return undefined
}

function requestValue(request: MatchedRequest, key: Key): string | undefined {
  switch (key.part) {
    case 'method':
      return request.facts.method
    case 'header':
      return request.header(key.name)
    case 'query':
      return request.query(key.name)
  }
}
