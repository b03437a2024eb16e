import type { GRPCRouteFilter, GRPCRouteMatch } from '../../kube/gateway-api/grpc-route.ts'
import type { HTTPRouteFilter } from '../../kube/gateway-api/http-filters.ts'
import type { HTTPRouteMatch } from '../../kube/gateway-api/http-matches.ts'
import type { HTTPRouteRetry, HTTPRouteTimeouts } from '../../kube/gateway-api/http-route.ts'
import type { BackendReference } from '../../kube/gateway-api/references.ts'
import type { SessionPersistence } from '../../kube/gateway-api/session-persistence.ts'
import type { BackendRef, Rule } from '../../proto/gen/route_table.ts'
import { nameOf } from '../snapshot-index.ts'
import { createdAt } from './age.ts'
import { type Filters, filtersOf } from './filters.ts'
import { type Finding, turns, warning } from './finding.ts'
import { callConditions } from './grpc-matches.ts'
import { repeatedNames } from './header-names.ts'
import { everyStream, type RankedCondition, requestConditions } from './matches.ts'
import type { DefaultOrigin } from './origins.ts'
import { patternFindings } from './patterns.ts'
import { byPrecedence, type RankedMatch } from './precedence.ts'
import { type Resolution, resolve } from './references.ts'
import { isStream, type Route } from './routes.ts'
import { sessionOf } from './session.ts'
import type { Source } from './source.ts'
import { retryOf, timeoutsOf } from './timeouts.ts'

/** What the rules of a route come to, whatever it is attached to. */
export interface RouteRules {
  /** Places in spec.rules of the rules that cannot be served as they are. */
  readonly dropped: readonly number[]
  /** Whether a rule is left: a route without one is not accepted. */
  readonly isValid: boolean
  /** In order of precedence. */
  readonly matches: readonly RankedMatch[]
  /** Services that the route uses, as "namespace/name", each once. */
  readonly services: readonly string[]
  /** Backend.key of all that `matches` lead to, each once. */
  readonly backends: readonly string[]
  readonly findings: readonly Finding[]
}

export function routeRules(route: Route, origin: DefaultOrigin, source: Source): RouteRules {
  const rules = checkedRules(route, origin, source)
  const dropped = rules.flatMap(({ findings }, index) => (turns(findings, 'PartiallyInvalid') ? [index] : []))
  const resolutions = rules.flatMap(({ resolutions }) => resolutions)
  const isValid = rules.length === 0 || dropped.length < rules.length
  return {
    dropped,
    isValid,
    matches: isValid ? rankedMatches(route, rules) : [],
    services: unique(resolutions.flatMap(({ service }) => service ?? [])),
    backends: unique(resolutions.flatMap(({ backend }) => (backend === '' ? [] : [backend]))),
    findings: [...rules.flatMap(({ findings }) => findings), ...idleRules(route)],
  }
}

/** Rules that no connection can meet: v1alpha2 allows several, without a condition to tell them apart. */
function idleRules(route: Route): readonly Finding[] {
  if (!isStream(route) || (route.spec.rules?.length ?? 0) < 2) return []
  const message = 'the first rule gets all traffic, since rules of this kind have no matches; name its backends there'
  return [warning(route, ['spec', 'rules', 1], 'NoTraffic', message)]
}

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)]

interface CheckedBackend {
  readonly weight: number
  readonly resolution: Resolution
  readonly filters: Filters
}

interface CheckedRule {
  /** Whether one of its regular expressions is wrong: what it matches cannot be known. */
  readonly isUnmatchable: boolean
  readonly filters: Filters
  readonly backends: readonly CheckedBackend[]
  readonly resolutions: readonly Resolution[]
  readonly findings: readonly Finding[]
}

type Filterable<T> = T & { readonly filters?: readonly (HTTPRouteFilter | GRPCRouteFilter)[] }

/** What the rules of all kinds have between them. */
type AnyRule = Filterable<{
  readonly name?: string
  readonly matches?: readonly (HTTPRouteMatch | GRPCRouteMatch)[]
  readonly backendRefs?: readonly Filterable<BackendReference>[]
  readonly timeouts?: HTTPRouteTimeouts
  readonly retry?: HTTPRouteRetry
  readonly sessionPersistence?: SessionPersistence
}>

function checkedRules(route: Route, origin: DefaultOrigin, source: Source): readonly CheckedRule[] {
  const rules: readonly AnyRule[] = route.spec.rules ?? []
  return rules.map((rule, index) => {
    const path = ['spec', 'rules', index]
    const matches = rule.matches ?? []
    const patterns = patternFindings(route, matches, [...path, 'matches'])
    const repeated = matches.flatMap(({ headers = [] }, index) =>
      repeatedNames(route, headers, path, 'matches', index, 'headers'),
    )
    const filters = filtersOf(rule.filters ?? [], route, [...path, 'filters'], origin, source)
    const backends = (rule.backendRefs ?? []).map((reference, index) => {
      const at = [...path, 'backendRefs', index]
      return {
        weight: reference.weight,
        resolution: resolve(reference, route, at, origin, source),
        filters: filtersOf(reference.filters ?? [], route, [...at, 'filters'], origin, source),
      }
    })
    const resolutions = [
      ...filters.resolutions,
      ...backends.flatMap(({ resolution, filters }) => [resolution, ...filters.resolutions]),
    ]
    return {
      isUnmatchable: turns(patterns, 'PartiallyInvalid'),
      filters,
      backends,
      resolutions,
      findings: [
        ...patterns,
        ...repeated,
        ...filters.findings,
        ...backends.flatMap(({ resolution, filters }) => [...resolution.findings, ...filters.findings]),
      ],
    }
  })
}

function rankedMatches(route: Route, checked: readonly CheckedRule[]): readonly RankedMatch[] {
  const name = nameOf(route.metadata.namespace, route.metadata.name)
  const ranked = { createdAt: createdAt(route), name }
  const rules: readonly AnyRule[] = route.spec.rules ?? []
  return conditionsOf(route)
    .flatMap((conditions, index) => {
      const [rule, check] = [rules[index], checked[index]]
      if (rule === undefined || check === undefined || check.isUnmatchable) return []
      const tableRule = ruleOf(rule, index, route.kind, name, check)
      return conditions.map((condition, index) => ({ route: ranked, rule: tableRule, index, ...condition }))
    })
    .sort(byPrecedence)
}

/** Of each rule. */
function conditionsOf(route: Route): readonly (readonly RankedCondition[])[] {
  switch (route.kind) {
    case 'HTTPRoute':
      return route.spec.rules.map(requestConditions)
    case 'GRPCRoute':
      return route.spec.rules?.map(callConditions) ?? []
    default:
      return [[everyStream]]
  }
}

function ruleOf(
  rule: AnyRule,
  index: number,
  kind: Route['kind'],
  route: string,
  { filters, backends }: CheckedRule,
): Rule {
  const name = rule.name ?? ''
  return {
    route: `${kind} ${route}`,
    index,
    name,
    filters: filters.filters,
    backends: backends.map(backendRef),
    timeouts: timeoutsOf(rule.timeouts),
    retry: retryOf(rule.retry),
    session: sessionOf(rule.sessionPersistence, `${route}/${name === '' ? index : name}`),
    invalid: filters.invalid,
  }
}

const backendRef = ({ weight, resolution, filters }: CheckedBackend): BackendRef => ({
  backend: filters.invalid === '' ? resolution.backend : '',
  weight,
  filters: filters.filters,
  invalid: resolution.invalid === '' ? filters.invalid : resolution.invalid,
})
