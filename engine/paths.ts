import { type Match, PathMatch_Kind } from '../proto/gen/route_table.ts'
import { addTo, type Candidates, candidatesOf, firstOf, lowest, type RankedMatches } from './candidates.ts'
import { type PathPattern, pathPattern } from './path-pattern.ts'
import { type MatchedRequest, SLASH } from './predicates.ts'

/** The matches of one Host by their path, so that a request meets few of them however many there are. */
export class PathIndex {
  readonly #ranked: RankedMatches
  readonly #exact: Buckets
  /** By prefix without its last slash: "" is every path. */
  readonly #prefixes: Buckets
  /** By PathPattern.literal. */
  readonly #regexes: Buckets

  constructor(matches: readonly Match[]) {
    const exact = new Map<string, number[]>()
    const prefixes = new Map<string, number[]>()
    const regexes = new Map<string, number[]>()
    const patterns = new Map<number, PathPattern>()
    for (const [rank, { path }] of matches.entries()) {
      if (path?.kind === PathMatch_Kind.EXACT) addTo(exact, path.value, rank)
      else if (path?.kind === PathMatch_Kind.REGEX) {
        const pattern = pathPattern(path.value)
        patterns.set(rank, pattern)
        addTo(regexes, pattern.literal, rank)
      } else addTo(prefixes, path === undefined || path.value === '/' ? '' : path.value, rank)
    }
    this.#ranked = { matches, patterns }
    this.#exact = new Buckets(exact, matches)
    this.#prefixes = new Buckets(prefixes, matches)
    this.#regexes = new Buckets(regexes, matches)
  }

  /** Index of the first match in table order that holds; -1 when none does. */
  find(request: MatchedRequest): number {
    const none = this.#ranked.matches.length
    const { path } = request.facts
    let best = this.#exact.lowest(path, none, this.#ranked, request)
    // Only lengths that occur are looked up, so a path of a thousand slashes costs no more than any other.
    for (const length of this.#prefixes.lengths) {
      const atSegment = length === path.length || (length < path.length && path.charCodeAt(length) === SLASH)
      if (atSegment) best = this.#prefixes.lowest(path.slice(0, length), best, this.#ranked, request)
    }
    for (const length of this.#regexes.lengths) {
      if (best <= this.#regexes.first) break
      if (length <= path.length) best = this.#regexes.lowest(path.slice(0, length), best, this.#ranked, request)
    }
    return best === none ? -1 : best
  }
}

class Buckets {
  /** Lowest rank of all. */
  readonly first: number
  /** Lengths of the keys, longest first: precedence favours those. */
  readonly lengths: readonly number[]
  readonly #byKey = new Map<string, Candidates>()

  constructor(groups: ReadonlyMap<string, readonly number[]>, matches: readonly Match[]) {
    let first = Number.POSITIVE_INFINITY
    const lengths = new Set<number>()
    for (const [key, ranks] of groups) {
      const candidates = candidatesOf(ranks, matches)
      this.#byKey.set(key, candidates)
      first = Math.min(first, firstOf(candidates))
      lengths.add(key.length)
    }
    this.first = first
    this.lengths = [...lengths].sort((a, b) => b - a)
  }

  lowest(key: string, best: number, ranked: RankedMatches, request: MatchedRequest): number {
    const candidates = this.#byKey.get(key)
    return candidates === undefined ? best : lowest(candidates, best, ranked, request)
  }
}
