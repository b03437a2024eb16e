import type { GRPCRouteMatch, GRPCRouteRule } from '../../kube/gateway-api/grpc-route.ts'
import { type PathMatch, PathMatch_Kind } from '../../proto/gen/route_table.ts'
import { everyPath, headerMatches, type RankedCondition } from './matches.ts'

/** GRPCRouteRule.matches; without any, every call matches. */
export const callConditions = ({ matches = [] }: GRPCRouteRule): readonly RankedCondition[] =>
  matches.length === 0 ? [condition({})] : matches.map(condition)

/** A call is a POST to /service/method. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Requests" */
const condition = ({ method, headers = [] }: GRPCRouteMatch): RankedCondition => ({
  condition: {
    path: pathOf(method),
    method: 'POST',
    headers: headerMatches(headers),
    query: [],
  },
  call: { service: rankOf(method, 'service'), method: rankOf(method, 'method') },
})

type MethodMatch = GRPCRouteMatch['method']

/** Longer than any name or expression may be. */
const exactness = 4096

/** "Characters in a matching service", "in a matching method". Any name goes before any regular expression, which may well be
 *  the longer of the two. */
function rankOf(match: MethodMatch, field: 'service' | 'method'): number {
  const length = match?.[field]?.length ?? 0
  return length === 0 || match?.type === 'RegularExpression' ? length : exactness + length
}

/** GRPCMethodMatch, as the path that calls have. */
export function pathOf(match: MethodMatch): PathMatch {
  const { type, service = '', method = '' } = match ?? {}
  if (service === '' && method === '') return everyPath
  if (type === 'RegularExpression') {
    return { kind: PathMatch_Kind.REGEX, value: `/${part(service)}/${part(method)}` }
  }
  if (method === '') return { kind: PathMatch_Kind.PREFIX, value: `/${service}` }
  return service === ''
    ? { kind: PathMatch_Kind.REGEX, value: `/${anything}/${method}` }
    : { kind: PathMatch_Kind.EXACT, value: `/${service}/${method}` }
}

const anything = '[^/]+'

/** An expression for a whole name, made to stand in the middle of a path: anchors at its ends say what is so anyway. */
const part = (pattern: string): string =>
  pattern === '' ? anything : `(?:${pattern.replace(/^\^/, '').replace(/(?<!\\)((?:\\\\)*)\$$/, '$1')})`
