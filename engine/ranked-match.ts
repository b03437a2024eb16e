import { type Match, type PathMatch, PathMatch_Kind, type ValueMatch } from '../proto/gen/route_table.ts'
import { pathPattern } from './path-pattern.ts'
import type { CompiledRule } from './rule.ts'

/**
 * A match of a Host, ready to be tried. What a request looks at stands in this one object: in a large table every object
 * more is a miss of the processor's cache.
 */
export class RankedMatch {
  /** Index into Host.matches: of those that hold, the lowest wins. */
  readonly rank: number
  readonly path: PathMatch | undefined
  /** As in PathPattern, where the path is a regular expression. */
  readonly literal: string | undefined
  readonly skip: number
  readonly rest: string
  readonly method: string
  readonly headers: readonly ValueMatch[]
  readonly query: readonly ValueMatch[]
  /** Index into Host.rules. */
  readonly ruleIndex: number
  /** Made by HostRoutes when a request first meets the match. */
  rule: CompiledRule | undefined

  constructor(match: Match, rank: number, strings: Strings) {
    const { path, method, headers, query } = match
    const pattern = path?.kind === PathMatch_Kind.REGEX ? pathPattern(path.value) : undefined
    this.rank = rank
    this.path = path
    this.literal = pattern?.literal
    this.skip = pattern?.skip ?? 0
    this.rest = strings.shared(pattern?.rest ?? '')
    this.method = strings.shared(method)
    this.headers = withSharedNames(headers, strings)
    this.query = withSharedNames(query, strings)
    this.ruleIndex = match.rule
  }
}

const NONE: readonly ValueMatch[] = []

function withSharedNames(values: readonly ValueMatch[], strings: Strings): readonly ValueMatch[] {
  if (values.length === 0) return NONE
  return values.map(({ name, value, regex }) => ({ name: strings.shared(name), value, regex }))
}

/** One string for all that are equal; a decoder makes a new one each time. */
export class Strings {
  readonly #known = new Map<string, string>()

  shared(text: string): string {
    const known = this.#known.get(text)
    if (known === undefined) this.#known.set(text, text)
    return known ?? text
  }
}
