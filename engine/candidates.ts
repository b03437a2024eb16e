import type { Match } from '../proto/gen/route_table.ts'
import type { PathPattern } from './path-pattern.ts'
import { type MatchedRequest, predicatesHold } from './predicates.ts'

/** The matches of a Host by rank, an index into Host.matches: the lowest that holds wins. */
export interface RankedMatches {
  readonly matches: readonly Match[]
  /** By rank, of those whose path is a regular expression. */
  readonly patterns: ReadonlyMap<number, PathPattern>
}

/** Ranks of the matches that a path leads to: one, a few in ascending order, or many behind a Split. */
export type Candidates = number | readonly number[] | Split

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

/** Of ranks in ascending order, at least one. */
export function candidatesOf(ranks: readonly number[], matches: readonly Match[]): Candidates {
  if (ranks.length === 1) return firstOf(ranks)
  const key = ranks.length > FEW ? bestKey(ranks, matches) : undefined
  if (key === undefined) return ranks
  const groups = new Map<string, number[]>()
  const rest: number[] = []
  for (const rank of ranks) {
    const value = wantedValue(matches[rank], key)
    if (value === undefined) rest.push(rank)
    else addTo(groups, value, rank)
  }
  const byValue = new Map<string, Candidates>()
  for (const [value, members] of groups) byValue.set(value, candidatesOf(members, matches))
  return new Split(firstOf(ranks), key, byValue, rest.length === 0 ? undefined : candidatesOf(rest, matches))
}

/** The lowest rank below `best` whose match holds, given that its exact path, its prefix or its literal does; or `best`. */
export function lowest(candidates: Candidates, best: number, ranked: RankedMatches, request: MatchedRequest): number {
  if (typeof candidates === 'number') return candidates < best && holds(candidates, ranked, request) ? candidates : best
  if (candidates instanceof Split) {
    if (candidates.first >= best) return best
    const value = requestValue(request, candidates.key)
    const group = value === undefined ? undefined : candidates.byValue.get(value)
    const found = group === undefined ? best : lowest(group, best, ranked, request)
    return candidates.rest === undefined ? found : lowest(candidates.rest, found, ranked, request)
  }
  for (const rank of candidates) {
    if (rank >= best) return best
    if (holds(rank, ranked, request)) return rank
  }
  return best
}

export function firstOf(candidates: Candidates): number {
  if (typeof candidates === 'number') return candidates
  return candidates instanceof Split ? candidates.first : (candidates[0] ?? Number.POSITIVE_INFINITY)
}

export function addTo(groups: Map<string, number[]>, key: string, rank: number): void {
  const group = groups.get(key)
  if (group === undefined) groups.set(key, [rank])
  else group.push(rank)
}

function holds(rank: number, { matches, patterns }: RankedMatches, request: MatchedRequest): boolean {
  const match = matches[rank]
  if (match === undefined || !predicatesHold(match, request)) return false
  // Last, because it costs most.
  const pattern = patterns.size === 0 ? undefined : patterns.get(rank)
  return pattern === undefined || request.patterns.test(pattern.rest, request.facts.path.slice(pattern.skip))
}

/** The key whose split leaves the fewest candidates to try at worst: the largest group and the rest. */
function bestKey(ranks: readonly number[], matches: readonly Match[]): Key | undefined {
  const groups = new Map<string, { readonly key: Key; readonly sizes: Map<string, number>; members: number }>()
  for (const rank of ranks) {
    for (const { key, value } of exactWants(matches[rank])) {
      const id = `${key.part} ${key.name}`
      let group = groups.get(id)
      if (group === undefined) {
        group = { key, sizes: new Map(), members: 0 }
        groups.set(id, group)
      }
      group.sizes.set(value, (group.sizes.get(value) ?? 0) + 1)
      group.members++
    }
  }
  let best: Key | undefined
  let fewest = ranks.length * WORTHWHILE
  for (const { key, sizes, members } of groups.values()) {
    let largest = 0
    for (const size of sizes.values()) largest = Math.max(largest, size)
    const left = largest + ranks.length - members
    if (left <= fewest) {
      fewest = left
      best = key
    }
  }
  return best
}

function* exactWants(match: Match | undefined): Generator<{ readonly key: Key; readonly value: string }> {
  if (match === undefined) return
  if (match.method !== '') yield { key: { part: 'method', name: '' }, value: match.method }
  for (const { name, value, regex } of match.headers) if (!regex) yield { key: { part: 'header', name }, value }
  for (const { name, value, regex } of match.query) if (!regex) yield { key: { part: 'query', name }, value }
}

function wantedValue(match: Match | undefined, wanted: Key): string | undefined {
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
