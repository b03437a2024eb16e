import type {
  HTTPHeaderMatch,
  HTTPPathMatch,
  HTTPQueryParamMatch,
  HTTPRouteMatch,
} from '../../kube/gateway-api/http-matches.ts'
import type { HTTPRouteRule } from '../../kube/gateway-api/http-route.ts'
import { type Match, type PathMatch, PathMatch_Kind, type ValueMatch } from '../../proto/gen/route_table.ts'
import { firstOfEach } from './header-names.ts'

/** A Match of the table that does not know its rule yet. */
export type Condition = Omit<Match, 'rule'>

/** How much of a gRPC call a match names: the more, the higher; 0 is nothing. */
export interface CallRank {
  readonly service: number
  readonly method: number
}

/** A Condition, with what its precedence needs beside it. */
export interface RankedCondition {
  readonly condition: Condition
  /** Of a GRPCRoute. A host never has matches of HTTPRoutes and of GRPCRoutes (see admission.ts). */
  readonly call: CallRank | undefined
}

/** HTTPRouteRule.matches; without any, every request matches. */
export const requestConditions = ({ matches }: HTTPRouteRule): readonly RankedCondition[] =>
  matches.length === 0 ? [everyRequest] : matches.map(condition)

export const everyPath: PathMatch = { kind: PathMatch_Kind.PREFIX, value: '/' }
const everyRequest: RankedCondition = {
  condition: { path: everyPath, method: '', headers: [], query: [] },
  call: undefined,
}

/** For routes of connections and datagrams, of which nothing is known but the listener and the server name. */
export const everyStream: RankedCondition = {
  condition: { path: undefined, method: '', headers: [], query: [] },
  call: undefined,
}

const condition = ({ path, method, headers = [], queryParams = [] }: HTTPRouteMatch): RankedCondition => ({
  condition: {
    path: pathMatch(path),
    method: method ?? '',
    headers: headerMatches(headers),
    query: queryParams.map(valueMatch),
  },
  call: undefined,
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

export const headerMatches = (headers: readonly HTTPHeaderMatch[]): readonly ValueMatch[] =>
  firstOfEach(headers).map((header) => ({ ...valueMatch(header), name: header.name.toLowerCase() }))

const valueMatch = ({ name, value, type }: HTTPHeaderMatch | HTTPQueryParamMatch): ValueMatch => ({
  name,
  value,
  regex: type === 'RegularExpression',
})
