import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/objects.ts'
import { AppProtocol, PathMatch_Kind } from '../../proto/gen/route_table.ts'
import { facts } from '../../test/engine-tables.ts'
import { routerOf } from '../router.ts'
import {
  authority,
  compiled,
  endpointSlice,
  gateway,
  gatewayClass,
  grpcRoute,
  httpRoute,
  policy,
  service,
} from './object-fixture.ts'

const world: readonly KubeObject[] = [gatewayClass(), gateway(), endpointSlice()]
const web = service()
const backendRefs = [{ name: 'web', port: 80 }]
const route = (...rules: readonly object[]) => grpcRoute({ spec: { rules } })

const { PREFIX, EXACT, REGEX } = PathMatch_Kind
const expression = { type: 'RegularExpression' }

test.for<[string, object | undefined, PathMatch_Kind, string]>([
  ['no method: every call', undefined, PREFIX, '/'],
  ['service and method', { service: 'shop.v1.Cart', method: 'Add' }, EXACT, '/shop.v1.Cart/Add'],
  ['a service alone', { service: 'shop.v1.Cart' }, PREFIX, '/shop.v1.Cart'],
  ['a method alone', { method: 'Add' }, REGEX, '/[^/]+/Add'],
  ['expressions for both', { ...expression, service: 'shop.*', method: 'A|B' }, REGEX, '/(?:shop.*)/(?:A|B)'],
  ['an expression for the service', { ...expression, service: 'shop.*' }, REGEX, '/(?:shop.*)/[^/]+'],
  ['an expression for the method', { ...expression, method: 'Add.*' }, REGEX, '/[^/]+/(?:Add.*)'],
  ['anchors at the ends', { ...expression, service: '^shop$', method: '^\\$$' }, REGEX, '/(?:shop)/(?:\\$)'],
])('the path of a call: %s', ([, method, kind, value]) => {
  const { tables } = compiled(...world, web, route({ matches: [method === undefined ? {} : { method }], backendRefs }))
  expect(tables[0]?.hosts[0]?.matches).toEqual([
    { rule: 0, path: { kind, value }, method: 'POST', headers: [], query: [] },
  ])
})

test('a rule without matches matches every call, and a route without rules none', () => {
  expect(compiled(...world, web, route({ backendRefs })).tables[0]?.hosts[0]?.matches).toHaveLength(1)
  const bare = compiled(...world, web, route())
  expect(bare.tables[0]?.hosts).toEqual([])
  expect(bare.gateways[0]?.attached).toEqual([{ name: 'http', count: 1 }])
})

test('headers are matched as those of an HTTPRoute, of equivalent names the first alone', () => {
  const headers = [
    { name: 'Version', value: 'one' },
    { name: 'version', value: 'two' },
    { name: 'color', value: 'b.*', ...expression },
  ]
  const { tables, findings } = compiled(...world, web, route({ matches: [{ headers }], backendRefs }))
  expect(tables[0]?.hosts[0]?.matches[0]?.headers).toEqual([
    { name: 'version', value: 'one', regex: false },
    { name: 'color', value: 'b.*', regex: true },
  ])
  expect(findings.filter(({ severity }) => severity === 'warning').map(({ path }) => path.join('.'))).toEqual([
    'spec.rules.0.matches.0.headers.1.name',
  ])
})

/** Name of the rule that takes a call to a service and method, or why none does. */
function taker(rules: readonly object[], call: string, headers: Readonly<Record<string, string>> = {}): string {
  const { tables } = compiled(...world, web, route(...rules.map((rule) => ({ backendRefs, ...rule }))))
  const router = tables[0] && routerOf(tables[0])
  const decision = router?.decide(facts({ method: 'POST', path: `/${call}`, headers }), () => 0, 0)
  if (decision === undefined || decision.type === 'missing') return 'missing'
  return decision.matched?.ruleName ?? (decision.type === 'respond' ? decision.why : '')
}

const named = (name: string, method: object | undefined, headers: readonly object[] = []) => ({
  name,
  matches: [{ ...(method && { method }), headers }],
})
const header = { name: 'version', value: 'two' }

test.for<[string, readonly object[], string]>([
  [
    'more characters of the service go first',
    [named('long', { service: 'shop.Cart' }), named('all', undefined)],
    'long',
  ],
  [
    'a service goes before any method',
    [named('method', { method: 'Add' }), named('service', { service: 'shop.Cart' })],
    'service',
  ],
  [
    'then more characters of the method',
    [named('service', { service: 'shop.Cart' }), named('both', { service: 'shop.Cart', method: 'Add' })],
    'both',
  ],
  [
    'then more headers',
    [named('plain', { service: 'shop.Cart' }), named('headers', { service: 'shop.Cart' }, [header])],
    'headers',
  ],
  [
    'headers do not go before a method',
    [named('headers', { service: 'shop.Cart' }, [header]), named('both', { service: 'shop.Cart', method: 'Add' })],
    'both',
  ],
  ['then the first rule', [named('first', { method: 'Add' }), named('second', { method: 'Add' })], 'first'],
  [
    'a name goes before an expression, however long that is',
    [
      named('expression', { ...expression, service: 'shop[.](Cart|Basket|Shelf)' }),
      named('name', { service: 'shop.Cart' }),
    ],
    'name',
  ],
  ['an expression is of the whole name', [named('part', { ...expression, service: 'shop' })], 'no-route'],
  ['alternatives of a service end with it', [named('either', { ...expression, service: 'x|shop.Cart' })], 'either'],
  ['a service is no prefix of another', [named('short', { service: 'shop' })], 'no-route'],
])('of the matches of a call, %s', ([, rules, expected]) => {
  expect(taker(rules, 'shop.Cart/Add', { version: 'two' })).toBe(expected)
})

test('what is no POST is no call', () => {
  const { tables } = compiled(...world, web, route({ backendRefs }))
  const router = tables[0] && routerOf(tables[0])
  expect(router?.decide(facts({ path: '/a/b' }), () => 0, 0)).toMatchObject({ status: 404, why: 'no-route' })
  expect(router?.decide(facts({ path: '/a/b', method: 'POST' }), () => 0, 0)).toMatchObject({
    matched: { route: 'GRPCRoute default/grpc' },
  })
})

test('expressions that are too large together drop their rule', () => {
  const large = '.*a[a-z]{150}'
  const one = compiled(...world, web, route({ matches: [{ method: { ...expression, service: large } }], backendRefs }))
  expect(one.findings.filter(({ severity }) => severity === 'error')).toEqual([])
  const both = { ...expression, service: large, method: large }
  const { findings } = compiled(...world, web, route({ matches: [{ method: both }], backendRefs }))
  expect(findings.filter(({ severity }) => severity === 'error')).toMatchObject([
    { path: ['spec', 'rules', 0, 'matches', 0, 'method'], condition: 'PartiallyInvalid' },
  ])
})

test.for<[string, object, string, AppProtocol]>([
  ['a port without appProtocol', {}, 'default/web:80/grpc', AppProtocol.H2C],
  ['a port of another appProtocol', { appProtocol: 'https' }, 'default/web:80/grpc', AppProtocol.H2C],
  ['a port of HTTP/2', { appProtocol: 'kubernetes.io/h2c' }, 'default/web:80', AppProtocol.H2C],
])('a GRPCRoute speaks HTTP/2 to %s', ([, port, key, protocol]) => {
  const own = service({ spec: { ports: [{ port: 80, ...port }] } })
  const { tables } = compiled(...world, own, route({ backendRefs }), policy(), authority())
  expect(tables[0]?.backends).toMatchObject([{ key, protocol, tls: {}, endpoints: [{ address: '10.0.0.1' }] }])
})

test('an HTTPRoute to the same port speaks what its appProtocol says', () => {
  const http = httpRoute({ spec: { hostnames: ['http.example.com'], rules: [{ backendRefs }] } })
  const grpc = grpcRoute({ spec: { hostnames: ['grpc.example.com'], rules: [{ backendRefs }] } })
  const { tables } = compiled(...world, web, http, grpc)
  expect(tables[0]?.backends.map(({ key, protocol }) => [key, protocol])).toEqual([
    ['default/web:80', AppProtocol.HTTP1],
    ['default/web:80/grpc', AppProtocol.H2C],
  ])
})
