import { type PathMatch, PathMatch_Kind, type ValueMatch } from '../proto/gen/route_table.ts'
import type { RequestFacts } from './facts.ts'
import type { Patterns } from './patterns.ts'
import { queryValues } from './query.ts'
import type { RankedMatch } from './ranked-match.ts'

/** A request while it is being matched. Each header is asked of the platform once at most, and only when a match needs it:
 *  asking is what costs in a Worker. */
export class MatchedRequest {
  readonly facts: RequestFacts
  readonly path: string
  readonly patterns: Patterns
  #headers: Map<string, string | undefined> | undefined
  #query: Map<string, string> | undefined

  constructor(facts: RequestFacts, patterns: Patterns) {
    this.facts = facts
    this.path = facts.path
    this.patterns = patterns
  }

  header(name: string): string | undefined {
    this.#headers ??= new Map()
    let value = this.#headers.get(name)
    if (value === undefined && !this.#headers.has(name)) {
      value = this.facts.header(name)
      this.#headers.set(name, value)
    }
    return value
  }

  query(name: string): string | undefined {
    this.#query ??= queryValues(this.facts.query)
    return this.#query.get(name)
  }
}

/** Whether all of a match holds but what pathMayHold looks at. */
export function restHolds(match: RankedMatch, request: MatchedRequest): boolean {
  const { method, headers, query } = match
  if (method !== '' && method !== request.facts.method) return false
  for (const header of headers) {
    if (!valueHolds(header, request.header(header.name), request.patterns)) return false
  }
  for (const parameter of query) {
    if (!valueHolds(parameter, request.query(parameter.name), request.patterns)) return false
  }
  // Last, because it costs most.
  return match.literal === undefined || request.patterns.test(match.rest, request.path.slice(match.skip))
}

export function valueHolds(match: ValueMatch, value: string | undefined, patterns: Patterns): boolean {
  if (value === undefined) return false
  return match.regex ? patterns.test(match.value, value) : match.value === value
}

/** Whether the path holds; of a regular expression only its literal, for restHolds runs the expression. */
export function pathMayHold({ path, literal }: RankedMatch, request: MatchedRequest): boolean {
  return literal === undefined ? pathHolds(path, request) : request.path.startsWith(literal)
}

/** HTTPPathMatch; without one every path will do. */
export function pathHolds(match: PathMatch | undefined, { path, patterns }: MatchedRequest): boolean {
  switch (match?.kind) {
    case undefined:
      return true
    case PathMatch_Kind.PREFIX:
      return hasPrefix(path, match.value)
    case PathMatch_Kind.EXACT:
      return path === match.value
    case PathMatch_Kind.REGEX:
      return patterns.test(match.value, path)
  }
}

/** By whole segments: /v2 is a prefix of /v2, /v2/ and /v2/x, not of /v2x. */
function hasPrefix(path: string, prefix: string): boolean {
  if (prefix === '/') return true
  return path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === SLASH)
}

export const SLASH = 0x2f
