import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/objects.ts'
import { PathMatch_Kind, PathModifier_Kind, type Rule, SessionPersistence_Kind } from '../../proto/gen/route_table.ts'
import { statuses } from '../status/statuses.ts'
import {
  compiled,
  endpointSlice,
  gateway,
  gatewayClass,
  grpcRoute,
  httpRoute,
  service,
  tlsRoute,
} from './object-fixture.ts'

const world: readonly KubeObject[] = [gatewayClass(), gateway(), service(), endpointSlice()]
const backendRefs = [{ name: 'web', port: 80 }]

/** The one host of the table of a route with these rules. */
const hostOf = (...rules: readonly object[]) => compiled(...world, httpRoute({ spec: { rules } })).tables[0]?.hosts[0]
const ruleOf = (fields: object): Rule | undefined => hostOf({ backendRefs, ...fields })?.rules[0]
const filterOf = (filter: object) => ruleOf({ filters: [filter], backendRefs: [] })?.filters[0]?.kind

test('a rule without matches matches every path', () => {
  expect(hostOf({})?.matches).toEqual([
    { rule: 0, path: { kind: PathMatch_Kind.PREFIX, value: '/' }, method: '', headers: [], query: [] },
  ])
})

test.for<[string, string]>([
  ['/', '/'],
  ['/v2', '/v2'],
  ['/v2/', '/v2'],
])('of the prefix %s a trailing slash is ignored', ([value, expected]) => {
  expect(hostOf({ matches: [{ path: { value } }] })?.matches[0]?.path?.value).toBe(expected)
})

test('of an exact path and a pattern a trailing slash is kept', () => {
  const paths = [
    { type: 'Exact', value: '/v2/' },
    { type: 'RegularExpression', value: '/v3/' },
  ]
  expect(hostOf({ matches: paths.map((path) => ({ path })) })?.matches.map(({ path }) => path?.value)).toEqual([
    '/v2/',
    '/v3/',
  ])
})

test('of headers with equivalent names only the first is considered', () => {
  const headers = [
    { name: 'X-Team', value: 'a' },
    { name: 'x-team', value: 'b' },
  ]
  expect(hostOf({ matches: [{ headers }] })?.matches[0]?.headers).toEqual([
    { name: 'x-team', value: 'a', regex: false },
  ])
})

test('names of query parameters are kept as they are', () => {
  const queryParams = [
    { name: 'animal', value: 'a' },
    { name: 'ANIMAL', value: 'b', type: 'RegularExpression' },
  ]
  expect(hostOf({ matches: [{ queryParams }] })?.matches[0]?.query).toEqual([
    { name: 'animal', value: 'a', regex: false },
    { name: 'ANIMAL', value: 'b', regex: true },
  ])
})

test('a rule keeps its name and place, and its backends their weights', () => {
  const rule = ruleOf({
    name: 'canary',
    backendRefs: [
      { name: 'web', port: 80, weight: 0 },
      { name: 'nowhere', port: 80 },
    ],
  })
  expect(rule).toMatchObject({ route: 'HTTPRoute default/route', index: 0, name: 'canary', invalid: '' })
  expect(rule?.backends).toEqual([
    { backend: 'default/web:80', weight: 0, filters: [], invalid: '' },
    { backend: '', weight: 1, filters: [], invalid: 'BackendNotFound' },
  ])
})

test.for<[string, object, object]>([
  [
    'redirect without fields',
    { type: 'RequestRedirect', requestRedirect: {} },
    { $case: 'redirect', value: { scheme: '', hostname: '', path: undefined, port: 0, status: 302 } },
  ],
  [
    'redirect with a prefix',
    { type: 'RequestRedirect', requestRedirect: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/new' } } },
    { $case: 'redirect', value: { path: { kind: PathModifier_Kind.REPLACE_PREFIX_MATCH, value: '/new' } } },
  ],
  [
    'rewrite of the whole path',
    { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplaceFullPath', replaceFullPath: '/x' } } },
    { $case: 'rewrite', value: { hostname: '', path: { kind: PathModifier_Kind.REPLACE_FULL_PATH, value: '/x' } } },
  ],
  [
    'mirror of every request',
    { type: 'RequestMirror', requestMirror: { backendRef: backendRefs[0] } },
    { $case: 'mirror', value: { backend: 'default/web:80', numerator: 100, denominator: 100 } },
  ],
  [
    'mirror of no request',
    { type: 'RequestMirror', requestMirror: { backendRef: backendRefs[0], percent: 0 } },
    { $case: 'mirror', value: { numerator: 0, denominator: 100 } },
  ],
  [
    'mirror of a fraction',
    { type: 'RequestMirror', requestMirror: { backendRef: backendRefs[0], fraction: { numerator: 1 } } },
    { $case: 'mirror', value: { numerator: 1, denominator: 100 } },
  ],
  [
    'CORS with defaults',
    { type: 'CORS', cors: {} },
    { $case: 'cors', value: { allowOrigins: [], allowCredentials: false, maxAge: 5 } },
  ],
  [
    'headers of requests',
    { type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['X-A'] } },
    { $case: 'requestHeaders', value: { set: [], add: [], remove: ['X-A'] } },
  ],
  [
    'headers of responses',
    { type: 'ResponseHeaderModifier', responseHeaderModifier: { set: [{ name: 'X-A', value: 'b' }] } },
    { $case: 'responseHeaders', value: { set: [{ name: 'X-A', value: 'b' }], add: [], remove: [] } },
  ],
])('filter: %s', ([, filter, expected]) => {
  expect(filterOf(filter)).toMatchObject(expected)
})

test('a backend of a mirror is a backend of the table', () => {
  const filters = [{ type: 'RequestMirror', requestMirror: { backendRef: { name: 'shadow', port: 80 } } }]
  const shadow = service({ metadata: { name: 'shadow' } })
  const { tables } = compiled(...world, shadow, httpRoute({ spec: { rules: [{ filters }] } }))
  expect(tables[0]?.backends.map(({ key }) => key)).toEqual(['default/shadow:80'])
})

test.for<[string, object, object | undefined]>([
  ['none', {}, undefined],
  ['both', { timeouts: { request: '10s', backendRequest: '1s500ms' } }, { requestMs: 10_000, backendRequestMs: 1500 }],
  ['switched off', { timeouts: { request: '0s' } }, { requestMs: 0, backendRequestMs: 0 }],
  ['longer than 32 bits hold', { timeouts: { request: '99999h' } }, { requestMs: 0xffff_ffff, backendRequestMs: 0 }],
])('timeouts: %s', ([, fields, expected]) => {
  expect(ruleOf(fields)?.timeouts).toEqual(expected)
})

test.for<[string, object, object | undefined]>([
  ['none', {}, undefined],
  [
    'all fields',
    { retry: { codes: [503], attempts: 2, backoff: '1s' } },
    { codes: [503], attempts: 2, backoffMs: 1000 },
  ],
  ['defaults: one, soon', { retry: {} }, { codes: [], attempts: 1, backoffMs: 25 }],
])('retry: %s', ([, fields, expected]) => {
  expect(ruleOf(fields)?.retry).toEqual(expected)
})

test('a session without a name gets one that no other rule has', () => {
  const names = hostOf({ sessionPersistence: {} }, { sessionPersistence: {} })?.rules.map(
    ({ session }) => session?.name,
  )
  expect(new Set(names).size).toBe(2)
  expect(names?.every((name) => name?.startsWith('landfall-'))).toBe(true)
})

test('a session keeps its name when rules before a named rule come and go', () => {
  const named = { name: 'cart', sessionPersistence: {}, matches: [{ path: { value: '/cart' } }] }
  expect(hostOf({}, named)?.rules[0]?.session?.name).toBe(hostOf(named)?.rules[0]?.session?.name)
})

test('a session by header, and one that outlives the browser', () => {
  expect(ruleOf({ sessionPersistence: { type: 'Header', sessionName: 'X-S' } })?.session).toMatchObject({
    kind: SessionPersistence_Kind.HEADER,
    name: 'X-S',
    permanent: false,
  })
  const permanent = { absoluteTimeout: '1m1ms', cookieConfig: { lifetimeType: 'Permanent' } }
  expect(ruleOf({ sessionPersistence: permanent })?.session).toMatchObject({ absoluteTimeout: 61, permanent: true })
})

/** Conditions of the one parent. */
function conditions(route: KubeObject): readonly string[] {
  const found = statuses(compiled(...world, route), '').find(({ object }) => object === route)
  return found?.status.parents?.[0]?.conditions.map(({ type, status, reason }) => `${type}=${status}/${reason}`) ?? []
}

const bad = { matches: [{ path: { type: 'RegularExpression', value: '/(' } }], backendRefs }
const good = { matches: [{ path: { value: '/good' } }], backendRefs }

test('a rule with a wrong regular expression is dropped, and the others are served', () => {
  expect(conditions(httpRoute({ spec: { rules: [bad, good] } }))).toEqual([
    'Accepted=True/Accepted',
    'ResolvedRefs=True/ResolvedRefs',
    'PartiallyInvalid=True/UnsupportedValue',
  ])
  expect(hostOf(bad, good)?.matches.map(({ path }) => path?.value)).toEqual(['/good'])
})

test('the message of PartiallyInvalid begins with "Dropped Rule"', () => {
  const route = httpRoute({ spec: { rules: [good, bad] } })
  const all = statuses(compiled(...world, route), '').find(({ object }) => object === route)?.status.parents?.[0]
    ?.conditions
  expect(all?.find(({ type }) => type === 'PartiallyInvalid')?.message).toMatch(/^Dropped Rule 1;/)
})

test('a route without a valid rule is not accepted, and does not count as attached', () => {
  const route = httpRoute({ spec: { rules: [bad] } })
  expect(conditions(route)).toEqual(['Accepted=False/UnsupportedValue', 'ResolvedRefs=True/ResolvedRefs'])
  expect(compiled(...world, route).gateways[0]?.attached).toEqual([])
})

test('a wrong regular expression of a GRPCRoute is told likewise', () => {
  const matches = [{ method: { type: 'RegularExpression', service: '(' } }]
  expect(conditions(grpcRoute({ spec: { rules: [{ matches }] } }))).toEqual([
    'Accepted=False/UnsupportedValue',
    'ResolvedRefs=True/ResolvedRefs',
  ])
})

test('a filter that nobody serves answers with an error, and is not skipped', () => {
  const filters = [{ type: 'ExtensionRef', extensionRef: { group: 'example.com', kind: 'Auth', name: 'x' } }]
  const route = httpRoute({ spec: { rules: [{ filters, backendRefs }] } })
  expect(conditions(route)).toEqual(['Accepted=True/Accepted', 'ResolvedRefs=False/InvalidKind'])
  expect(ruleOf({ filters })?.invalid).toBe('InvalidKind')
  expect(ruleOf({ backendRefs: [{ name: 'web', port: 80, filters }] })?.backends[0]).toMatchObject({
    backend: '',
    invalid: 'InvalidKind',
  })
})

test('ExternalAuth lets nothing pass unchecked', () => {
  const filters = [{ type: 'ExternalAuth', externalAuth: { protocol: 'HTTP', http: {}, backendRef: backendRefs[0] } }]
  expect(hostOf({ filters, backendRefs }, good)?.rules.map(({ invalid }) => invalid)).toEqual(['', 'UnsupportedValue'])
})

test.for<[string, object, string]>([
  ['?', { type: 'ReplaceFullPath', replaceFullPath: '/a?b=c' }, 'replaceFullPath'],
  ['#', { type: 'ReplacePrefixMatch', replacePrefixMatch: '/a#b' }, 'replacePrefixMatch'],
  [' ', { type: 'ReplaceFullPath', replaceFullPath: '/a b' }, 'replaceFullPath'],
  ['\r', { type: 'ReplaceFullPath', replaceFullPath: '/a\r\nX: y' }, 'replaceFullPath'],
  ['%', { type: 'ReplaceFullPath', replaceFullPath: '/100%' }, 'replaceFullPath'],
])('a path replacement with %j, which no path has, drops its rule', ([character, path, field]) => {
  for (const filter of [
    { type: 'URLRewrite', urlRewrite: { path } },
    { type: 'RequestRedirect', requestRedirect: { path } },
  ]) {
    const rule = { filters: [filter], matches: [{ path: { value: '/x' } }] }
    const { routes, tables } = compiled(...world, httpRoute({ spec: { rules: [rule, good] } }))
    expect(routes[0]?.findings).toMatchObject([{ condition: 'PartiallyInvalid' }])
    expect(routes[0]?.findings[0]?.path.at(-1)).toBe(field)
    expect(routes[0]?.findings[0]?.message).toContain(JSON.stringify(character))
    expect(tables[0]?.hosts[0]?.rules.map(({ invalid }) => invalid)).toContain('UnsupportedValue')
  }
})

test('a path replacement may hold all that paths may', () => {
  const path = { type: 'ReplaceFullPath', replaceFullPath: "/-A0._~!$&'()*+,;=:@%2Fx/" }
  expect(ruleOf({ filters: [{ type: 'URLRewrite', urlRewrite: { path } }] })?.invalid).toBe('')
})

test('of header changes with equivalent names the first counts, and the others give findings', () => {
  const twice = [
    { name: 'X-Team', value: 'a' },
    { name: 'x-team', value: 'b' },
  ]
  const filter = { type: 'RequestHeaderModifier', requestHeaderModifier: { set: twice, add: twice } }
  const route = httpRoute({ spec: { rules: [{ filters: [filter], matches: [{ headers: twice }], backendRefs }] } })
  const { routes, tables } = compiled(...world, route)
  const first = [{ name: 'X-Team', value: 'a' }]
  expect(tables[0]?.hosts[0]?.rules[0]?.filters[0]?.kind?.value).toEqual({ set: first, add: first, remove: [] })
  expect(routes[0]?.findings.map(({ severity, path }) => `${severity} ${path.join('.')}`)).toEqual([
    'warning spec.rules.0.matches.0.headers.1.name',
    'warning spec.rules.0.filters.0.requestHeaderModifier.set.1.name',
    'warning spec.rules.0.filters.0.requestHeaderModifier.add.1.name',
  ])
})

test('of a TLSRoute of the time when several rules were allowed the first gets all traffic', () => {
  const passthrough = gateway({
    spec: { listeners: [{ name: 'tls', port: 443, protocol: 'TLS', tls: { mode: 'Passthrough' } }] },
  })
  const other = service({ metadata: { name: 'other' } })
  const route = tlsRoute({
    apiVersion: 'gateway.networking.k8s.io/v1alpha2',
    spec: { rules: [{ backendRefs }, { backendRefs: [{ name: 'other', port: 80 }] }] },
  })
  const { tables, routes } = compiled(gatewayClass(), passthrough, service(), endpointSlice(), other, route)
  expect(
    tables[0]?.hosts.map(({ rules }) => rules.map(({ route, backends }) => [route, backends[0]?.backend])),
  ).toEqual([[['TLSRoute default/tls', 'default/web:80']]])
  expect(routes[0]?.findings).toMatchObject([{ severity: 'warning', path: ['spec', 'rules', 1] }])
})
