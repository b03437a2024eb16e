import type {
  HTTPHeaderMatch,
  HTTPPathMatch,
  HTTPQueryParamMatch,
  HTTPRouteMatch,
} from '../../kube/gateway-api/http-matches.ts'
import type { HTTPRouteRule } from '../../kube/gateway-api/http-route.ts'
import { type Match, type PathMatch, PathMatch_Kind, type ValueMatch } from '../../proto/gen/route_table.ts'

/** A Match of the table that does not know its rule yet. */
export type Condition = Omit<Match, 'rule'>

/** HTTPRouteRule.matches; without any, every request matches. */
export const conditions = ({ matches }: HTTPRouteRule): readonly Condition[] =>
  matches.length === 0 ? [everyRequest] : matches.map(condition)

const everyPath: PathMatch = { kind: PathMatch_Kind.PREFIX, value: '/' }
const everyRequest: Condition = { path: everyPath, method: '', headers: [], query: [] }

const condition = ({ path, method, headers = [], queryParams = [] }: HTTPRouteMatch): Condition => ({
  path: pathMatch(path),
  method: method ?? '',
  headers: valueMatches(headers, (name) => name.toLowerCase()),
  query: valueMatches(queryParams, (name) => name),
})

const kinds = {
  Exact: PathMatch_Kind.EXACT,
  PathPrefix: PathMatch_Kind.PREFIX,
  RegularExpression: PathMatch_Kind.REGEX,
} as const

/** HTTPPathMatch: of a prefix, "a trailing / is ignored". */
function pathMatch({ type, value }: HTTPPathMatch): PathMatch {
  if (type !== 'PathPrefix') return { kind: kinds[type], value }
  const prefix = value.replace(/\/$/, '')
  return prefix === '' ? everyPath : { kind: kinds[type], value: prefix }
}

/** Of entries with equivalent names only the first counts: HTTPHeaderMatch.name, HTTPQueryParamMatch.name. */
function valueMatches(
  entries: readonly (HTTPHeaderMatch | HTTPQueryParamMatch)[],
  normal: (name: string) => string,
): readonly ValueMatch[] {
  const found = new Map<string, ValueMatch>()
  for (const { name, value, type } of entries) {
    const key = normal(name)
    if (!found.has(key)) found.set(key, { name: key, value, regex: type === 'RegularExpression' })
  }
  return [...found.values()]
}
