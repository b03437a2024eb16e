import { type Host, type Match, PathMatch_Kind, type Rule } from '../../proto/gen/route_table.ts'
import type { CallRank, RankedCondition } from './matches.ts'
import { compareText } from './merge.ts'

/** A route, as far as it decides between equal matches. One object for all matches of a route. */
export interface RankedRoute {
  /** Milliseconds since the epoch; Infinity for a route that has not been created. */
  readonly createdAt: number
  /** "namespace/name" */
  readonly name: string
}

/** A match among those of all routes of a host. */
export interface RankedMatch extends RankedCondition {
  readonly route: RankedRoute
  readonly rule: Rule
  /** Place in HTTPRouteRule.matches. */
  readonly index: number
}

/** Exact before regular expression before prefix. Where regular expressions stand is ours to say: a pattern is written for
 *  particular paths, a prefix for all that is left. */
const pathRank = ({ condition: { path } }: RankedMatch): number =>
  path?.kind === PathMatch_Kind.EXACT ? 0 : path?.kind === PathMatch_Kind.REGEX ? 1 : 2

/** The longest first; exact paths of different length never meet. */
const pathLength = ({ condition: { path } }: RankedMatch): number =>
  path === undefined || path.kind === PathMatch_Kind.EXACT ? 0 : path.value.length

const methodRank = ({ condition: { method } }: RankedMatch): number => (method === '' ? 1 : 0)

/** HTTPRouteRule.matches and GRPCRouteRule.matches, "Proxy or Load Balancer routing configuration … MUST prioritize". The
 *  only order of the table. */
export const byPrecedence = (a: RankedMatch, b: RankedMatch): number =>
  (a.call !== undefined && b.call !== undefined ? byCall(a.call, b.call) : byPath(a, b)) ||
  b.condition.headers.length - a.condition.headers.length ||
  b.condition.query.length - a.condition.query.length ||
  (a.route === b.route ? 0 : byAge(a.route, b.route)) ||
  a.rule.index - b.rule.index ||
  a.index - b.index

const byPath = (a: RankedMatch, b: RankedMatch): number =>
  pathRank(a) - pathRank(b) || pathLength(b) - pathLength(a) || methodRank(a) - methodRank(b)

const byCall = (a: CallRank, b: CallRank): number => b.service - a.service || b.method - a.method

// Not a difference: two routes that have not been created are Infinity both.
const byAge = (a: RankedRoute, b: RankedRoute): number =>
  a.createdAt === b.createdAt ? compareText(a.name, b.name) : a.createdAt < b.createdAt ? -1 : 1

/** Host.matches and Host.rules. */
export type Numbered = Pick<Host, 'matches' | 'rules'>

/** Matches in order of precedence and the rules that they point at, which are numbered as they come up. */
export function numbered(sorted: readonly RankedMatch[]): Numbered {
  const numbers = new Map<Rule, number>()
  const matches = sorted.map(({ rule, condition }): Match => {
    let number = numbers.get(rule)
    if (number === undefined) {
      number = numbers.size
      numbers.set(rule, number)
    }
    return { rule: number, ...condition }
  })
  return { matches, rules: [...numbers.keys()] }
}
