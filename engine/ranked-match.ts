import { type Match, type PathMatch, PathMatch_Kind, type ValueMatch } from '../proto/gen/route_table.ts'
import { type PathPattern, pathPattern } from './path-pattern.ts'
import type { CompiledRule } from './rule.ts'

/**
 * A match of a Host, ready to be tried. All that a request looks at stands in this one object, because in a large table
 * every object more is a miss of the processor's cache.
 */
export class RankedMatch {
  /** Index into Host.matches: of those that hold, the lowest wins. */
  readonly rank: number
  readonly path: PathMatch | undefined
  /** When the path is a regular expression. */
  readonly pattern: PathPattern | undefined
  readonly method: string
  readonly headers: readonly ValueMatch[]
  readonly query: readonly ValueMatch[]
  /** Index into Host.rules. */
  readonly ruleIndex: number
  /** Made by HostRoutes when a request first meets the match. */
  rule: CompiledRule | undefined

  /** `names` holds one string for all names that are equal. */
  constructor(match: Match, rank: number, names: Map<string, string>) {
    this.rank = rank
    this.path = match.path
    this.pattern = match.path?.kind === PathMatch_Kind.REGEX ? pathPattern(match.path.value) : undefined
    this.method = match.method
    this.headers = withSharedNames(match.headers, names)
    this.query = withSharedNames(match.query, names)
    this.ruleIndex = match.rule
  }
}

const NONE: readonly ValueMatch[] = []

function withSharedNames(values: readonly ValueMatch[], names: Map<string, string>): readonly ValueMatch[] {
  if (values.length === 0) return NONE
  return values.map(({ name, value, regex }) => {
    if (!names.has(name)) names.set(name, name)
    return { name: names.get(name) ?? name, value, regex }
  })
}
