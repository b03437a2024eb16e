import type { HeaderFilter, RequestMirror } from '../../kube/gateway-api/filters.ts'
import type { GRPCRouteFilter } from '../../kube/gateway-api/grpc-route.ts'
import type {
  Cors,
  HTTPRouteFilter,
  PathModifier,
  RequestRedirect,
  UrlRewrite,
} from '../../kube/gateway-api/http-filters.ts'
import type { FieldPath } from '../../kube/rule.ts'
import { type Filter, PathModifier_Kind, type PathModifier as TablePathModifier } from '../../proto/gen/route_table.ts'
import { error, type Finding } from './finding.ts'
import { firstOfEach, repeatedNames } from './header-names.ts'
import type { DefaultOrigin } from './origins.ts'
import { type Resolution, resolve } from './references.ts'
import type { Route } from './routes.ts'
import type { Source } from './source.ts'

/** What the filters of a rule or backendRef come to. */
export interface Filters {
  readonly filters: readonly Filter[]
  /** Why requests get a 500 instead; "" when they do not. */
  readonly invalid: string
  /** Of mirrors. */
  readonly resolutions: readonly Resolution[]
  readonly findings: readonly Finding[]
}

/** HTTPRouteRule.filters, HTTPBackendRef.filters and the same of a GRPCRoute. `path` leads to the list. */
export function filtersOf(
  list: readonly (HTTPRouteFilter | GRPCRouteFilter)[],
  route: Route,
  path: FieldPath,
  origin: DefaultOrigin,
  source: Source,
): Filters {
  const filters: Filter[] = []
  const resolutions: Resolution[] = []
  const findings: Finding[] = []
  const hints: Finding[] = []
  for (const [index, filter] of list.entries()) {
    const at = [...path, index]
    const refused = refusal(filter, route, at)
    if (refused !== undefined) findings.push(refused)
    else if (filter.requestMirror !== undefined) {
      const mirrored = resolve(
        filter.requestMirror.backendRef,
        route,
        [...at, 'requestMirror', 'backendRef'],
        origin,
        source,
      )
      resolutions.push(mirrored)
      // "not configure this backend in the underlying implementation", HTTPRequestMirrorFilter.backendRef.
      if (mirrored.invalid === '') filters.push(mirror(filter.requestMirror, mirrored.backend))
    } else {
      filters.push(tableFilter(filter))
      hints.push(...repeatedHeaders(filter, route, at))
    }
  }
  const invalid = findings[0]?.reason ?? ''
  const ofMirrors = resolutions.flatMap(({ findings }) => findings)
  return { filters, invalid, resolutions, findings: [...findings, ...hints, ...ofMirrors] }
}

/** Filters that nobody serves. They must not be skipped: requests get an error (HTTPRouteFilter.type). */
function refusal(filter: HTTPRouteFilter | GRPCRouteFilter, route: Route, path: FieldPath): Finding | undefined {
  if (filter.type === 'ExtensionRef') {
    const { group = '', kind = '' } = filter.extensionRef ?? {}
    const message = `there is no filter of kind ${kind}${group === '' ? '' : ` in group ${group}`}, so requests get a 500; remove it, or use a filter of the Gateway API`
    return error(route, [...path, 'extensionRef'], 'ResolvedRefs', 'InvalidKind', message)
  }
  if (filter.type === 'ExternalAuth') {
    const message = 'ExternalAuth is not supported, so requests get a 500 rather than pass unchecked; remove it'
    return error(route, [...path, 'type'], 'PartiallyInvalid', 'UnsupportedValue', message)
  }
  if ('urlRewrite' in filter) return pathRefusal(filter.urlRewrite?.path, route, [...path, 'urlRewrite', 'path'])
  if ('requestRedirect' in filter) {
    return pathRefusal(filter.requestRedirect?.path, route, [...path, 'requestRedirect', 'path'])
  }
  return undefined
}

/** HTTPPathModifier takes any text. What is no path would end the path, or the request line. */
function pathRefusal(modifier: PathModifier | undefined, route: Route, path: FieldPath): Finding | undefined {
  const field = modifier?.type === 'ReplaceFullPath' ? 'replaceFullPath' : 'replacePrefixMatch'
  const wrong = /[^\w./~!$&'()*+,;=:@%-]|%(?![\dA-Fa-f]{2})/u.exec(modifier?.[field] ?? '')
  if (wrong === null) return undefined
  const message = `holds ${JSON.stringify(wrong[0])}, which cannot stand in a path, so requests get a 500; percent-encode it, or leave it out`
  return error(route, [...path, field], 'PartiallyInvalid', 'UnsupportedValue', message)
}

function repeatedHeaders(filter: HTTPRouteFilter | GRPCRouteFilter, route: Route, path: FieldPath): readonly Finding[] {
  const field = filter.type === 'RequestHeaderModifier' ? 'requestHeaderModifier' : 'responseHeaderModifier'
  const { set = [], add = [] } = filter[field] ?? {}
  return [...repeatedNames(route, set, path, field, 'set'), ...repeatedNames(route, add, path, field, 'add')]
}

function tableFilter(filter: HTTPRouteFilter | GRPCRouteFilter): Filter {
  if (filter.requestHeaderModifier !== undefined) {
    return { kind: { $case: 'requestHeaders', value: headers(filter.requestHeaderModifier) } }
  }
  if (filter.responseHeaderModifier !== undefined) {
    return { kind: { $case: 'responseHeaders', value: headers(filter.responseHeaderModifier) } }
  }
  if ('requestRedirect' in filter && filter.requestRedirect !== undefined) return redirect(filter.requestRedirect)
  if ('urlRewrite' in filter && filter.urlRewrite !== undefined) return rewrite(filter.urlRewrite)
  if ('cors' in filter && filter.cors !== undefined) return cors(filter.cors)
  return { kind: undefined }
}

const headers = ({ set = [], add = [], remove = [] }: HeaderFilter) => ({
  set: firstOfEach(set),
  add: firstOfEach(add),
  remove,
})

function pathModifier(modifier: PathModifier | undefined): TablePathModifier | undefined {
  if (modifier === undefined) return undefined
  return modifier.type === 'ReplaceFullPath'
    ? { kind: PathModifier_Kind.REPLACE_FULL_PATH, value: modifier.replaceFullPath ?? '' }
    : { kind: PathModifier_Kind.REPLACE_PREFIX_MATCH, value: modifier.replacePrefixMatch ?? '' }
}

const redirect = ({ scheme, hostname = '', path, port = 0, statusCode }: RequestRedirect): Filter => ({
  kind: {
    $case: 'redirect',
    value: { scheme: scheme ?? '', hostname, path: pathModifier(path), port, status: statusCode },
  },
})

const rewrite = ({ hostname = '', path }: UrlRewrite): Filter => ({
  kind: { $case: 'rewrite', value: { hostname, path: pathModifier(path) } },
})

/** Without percent and fraction every request is mirrored. */
function mirror({ percent, fraction }: RequestMirror, backend: string): Filter {
  const { numerator, denominator } = fraction ?? { numerator: percent ?? 100, denominator: 100 }
  return { kind: { $case: 'mirror', value: { backend, numerator, denominator } } }
}

const cors = (filter: Cors): Filter => ({
  kind: {
    $case: 'cors',
    value: {
      allowOrigins: filter.allowOrigins ?? [],
      allowCredentials: filter.allowCredentials ?? false,
      allowMethods: filter.allowMethods ?? [],
      allowHeaders: filter.allowHeaders ?? [],
      exposeHeaders: filter.exposeHeaders ?? [],
      maxAge: filter.maxAge,
    },
  },
})
