import { compileRegex } from '../../engine/regex/regex.ts'
import type { GRPCRouteMatch } from '../../kube/gateway-api/grpc-route.ts'
import type { HTTPRouteMatch } from '../../kube/gateway-api/http-matches.ts'
import type { FieldPath } from '../../kube/rule.ts'
import { error, type Finding, info } from './finding.ts'
import type { Route } from './routes.ts'

/** About the regular expressions of a rule's matches. `path` leads to the list. */
export function patternFindings(
  route: Route,
  matches: readonly (HTTPRouteMatch | GRPCRouteMatch)[],
  path: FieldPath,
): readonly Finding[] {
  return matches.flatMap((match, index) =>
    patterns(match).map(([place, pattern]) => finding(route, [...path, index, ...place], pattern)),
  )
}

type Pattern = readonly [place: FieldPath, pattern: string]

function patterns(match: HTTPRouteMatch | GRPCRouteMatch): readonly Pattern[] {
  const found: Pattern[] = []
  if ('path' in match && match.path.type === 'RegularExpression') found.push([['path', 'value'], match.path.value])
  if (typeof match.method === 'object' && match.method.type === 'RegularExpression') {
    for (const field of ['service', 'method'] as const) {
      const pattern = match.method[field]
      if (pattern !== undefined) found.push([['method', field], pattern])
    }
  }
  const values = { headers: match.headers, queryParams: 'queryParams' in match ? match.queryParams : undefined }
  for (const [field, entries = []] of Object.entries(values)) {
    for (const [index, { type, value }] of entries.entries()) {
      if (type === 'RegularExpression') found.push([[field, index, 'value'], value])
    }
  }
  return found
}

/** How a regular expression is run, or why its rule cannot be served. */
function finding(route: Route, path: FieldPath, pattern: string): Finding {
  const compiled = compileRegex(pattern)
  if (!compiled.ok) {
    const message = `the regular expression cannot be used: ${compiled.error}`
    return error(route, path, 'PartiallyInvalid', 'UnsupportedValue', message)
  }
  const { states } = compiled.regex
  const message = `runs as an automaton of ${states} states, linear in the value's length, and matches the whole value`
  return info(route, path, 'RegularExpression', message)
}
