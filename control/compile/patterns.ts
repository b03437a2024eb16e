import { compileRegex } from '../../engine/regex/regex.ts'
import type { GRPCRouteMatch } from '../../kube/gateway-api/grpc-route.ts'
import type { HTTPRouteMatch } from '../../kube/gateway-api/http-matches.ts'
import type { FieldPath } from '../../kube/rule.ts'
import { error, type Finding, info, turns } from './finding.ts'
import { pathOf } from './grpc-matches.ts'
import type { Route } from './routes.ts'

/** About the regular expressions of a rule's matches. `path` leads to the list. */
export function patternFindings(
  route: Route,
  matches: readonly (HTTPRouteMatch | GRPCRouteMatch)[],
  path: FieldPath,
): readonly Finding[] {
  return matches.flatMap((match, index) => {
    const at = [...path, index]
    const findings = patterns(match).map(([place, pattern]) => finding(route, [...at, ...place], pattern))
    return turns(findings, 'PartiallyInvalid') ? findings : [...findings, ...callFindings(route, match, at)]
  })
}

/** Expressions for service and method run as one, which may be too large where both by themselves are not. */
function callFindings(route: Route, { method }: HTTPRouteMatch | GRPCRouteMatch, path: FieldPath): readonly Finding[] {
  if (typeof method !== 'object' || method.type !== 'RegularExpression') return []
  const whole = finding(route, [...path, 'method'], pathOf(method).value)
  return whole.severity === 'error' ? [whole] : []
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
