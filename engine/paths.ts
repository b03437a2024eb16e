import { PathMatch_Kind } from '../proto/gen/route_table.ts'
import { addTo, better, type Candidates, candidatesOf } from './candidates.ts'
import { type MatchedRequest, SLASH } from './predicates.ts'
import type { RankedMatch } from './ranked-match.ts'

/** The matches of one Host by their path, so that a request meets few of them however many there are. */
export class PathIndex {
  readonly #exact: ReadonlyMap<string, Candidates> | undefined
  /** By prefix without its last slash: "" is every path. */
  readonly #prefixes: ReadonlyMap<string, Candidates>
  /** Lengths of the prefixes, the longest first, which precedence favours. */
  readonly #prefixLengths: readonly number[]
  /** By PathPattern.literal. */
  readonly #regexes: ReadonlyMap<string, Candidates> | undefined
  readonly #literalEnds: readonly LiteralEnds[]
  /** Of all regular expressions. */
  readonly #lowestRegex: number

  constructor(matches: readonly RankedMatch[]) {
    const exact = new Map<string, RankedMatch[]>()
    const prefixes = new Map<string, RankedMatch[]>()
    const regexes = new Map<string, RankedMatch[]>()
    for (const match of matches) {
      const { path, literal } = match
      if (literal !== undefined) addTo(regexes, literal, match)
      else if (path?.kind === PathMatch_Kind.EXACT) addTo(exact, path.value, match)
      else addTo(prefixes, path === undefined || path.value === '/' ? '' : path.value, match)
    }
    this.#exact = exact.size === 0 ? undefined : candidatesByKey(exact)
    this.#prefixes = candidatesByKey(prefixes)
    this.#prefixLengths = lengthsOf(prefixes)
    this.#regexes = regexes.size === 0 ? undefined : candidatesByKey(regexes)
    this.#literalEnds = lengthsOf(regexes).map((length) => endsOf(length, regexes))
    this.#lowestRegex = matches.find(({ literal }) => literal !== undefined)?.rank ?? Number.POSITIVE_INFINITY
  }

  /** The first match in table order that holds. */
  find(request: MatchedRequest): RankedMatch | undefined {
    const { path } = request
    let best = betterIn(this.#exact, path, undefined, request)
    // Only lengths that occur are looked up, so a path of a thousand slashes costs no more than any other.
    for (const length of this.#prefixLengths) {
      const atSegment = length === path.length || (length < path.length && path.charCodeAt(length) === SLASH)
      if (atSegment) best = betterIn(this.#prefixes, path.slice(0, length), best, request)
    }
    if (this.#regexes === undefined) return best
    for (const { length, ends } of this.#literalEnds) {
      if (best !== undefined && best.rank < this.#lowestRegex) break
      const mayBegin = length === 0 || (length <= path.length && ends.includes(path.charCodeAt(length - 1)))
      if (mayBegin) best = betterIn(this.#regexes, path.slice(0, length), best, request)
    }
    return best
  }
}

/** The last characters of all literals of a length: most literals end with a segment, so this spares a look-up for each
 *  length at which a path has no slash. */
interface LiteralEnds {
  readonly length: number
  /** UTF-16 units, each once. */
  readonly ends: readonly number[]
}

function endsOf(length: number, literals: ReadonlyMap<string, unknown>): LiteralEnds {
  const ends = new Set<number>()
  for (const literal of literals.keys())
    if (literal.length === length && length > 0) ends.add(literal.charCodeAt(length - 1))
  return { length, ends: [...ends] }
}

function betterIn(
  byKey: ReadonlyMap<string, Candidates> | undefined,
  key: string,
  best: RankedMatch | undefined,
  request: MatchedRequest,
): RankedMatch | undefined {
  const candidates = byKey?.get(key)
  return candidates === undefined ? best : better(candidates, best, request)
}

const lengthsOf = (groups: ReadonlyMap<string, unknown>): readonly number[] =>
  [...new Set([...groups.keys()].map((key) => key.length))].sort((a, b) => b - a)

const candidatesByKey = (groups: ReadonlyMap<string, readonly RankedMatch[]>): ReadonlyMap<string, Candidates> =>
  new Map([...groups].map(([key, matches]) => [key, candidatesOf(matches)]))
