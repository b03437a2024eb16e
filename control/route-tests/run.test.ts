import { expect, test } from 'vitest'
import { compiled } from './compiled-fixture.ts'
import { Gateways } from './gateways.ts'
import { gatewayClass, service } from './manifest-fixture.ts'
import { type Failure, runTests, type TestResult } from './run.ts'
import { readTests } from './test-reader.ts'

const manifests = `${gatewayClass}---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: shop}
spec:
  gatewayClassName: landfall
  listeners:
    - {name: http, protocol: HTTP, port: 80}
    - {name: db, protocol: TCP, port: 5432}
    - {name: dns, protocol: UDP, port: 53}
    - {name: mail, protocol: TLS, port: 993, tls: {mode: Passthrough}, hostname: "*.example.com"}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: inner, namespace: shop}
spec:
  gatewayClassName: landfall
  listeners:
    - {name: http, protocol: HTTP, port: 8080}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: shop}
spec:
  parentRefs: [{name: web}]
  hostnames: [shop.example.com]
  rules:
    - name: cart
      matches: [{path: {value: /cart}}]
      filters:
        - type: RequestHeaderModifier
          requestHeaderModifier: {set: [{name: X-Shop, value: a}], add: [{name: x-tag, value: b}], remove: [x-secret]}
        - type: ResponseHeaderModifier
          responseHeaderModifier: {add: [{name: x-served, value: landfall}]}
        - type: URLRewrite
          urlRewrite: {hostname: cart.internal, path: {type: ReplacePrefixMatch, replacePrefixMatch: /v2}}
        - type: RequestMirror
          requestMirror: {backendRef: {name: copy, port: 80}}
      backendRefs: [{name: cart, port: 80}]
    - matches: [{path: {value: /old}}]
      filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: /cart}, statusCode: 301}}]
    - name: split
      matches: [{path: {value: /split}}]
      filters: [{type: RequestMirror, requestMirror: {backendRef: {name: copy, port: 80}, percent: 25}}]
      backendRefs: [{name: cart, port: 80, weight: 70}, {name: web, port: 80, weight: 20}, {name: gone, port: 80, weight: 10}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: calls, namespace: shop}
spec:
  parentRefs: [{name: web}]
  hostnames: [api.example.com]
  rules: [{matches: [{method: {service: shop.Cart}}], backendRefs: [{name: cart, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {name: db, namespace: shop}
spec: {parentRefs: [{name: web, sectionName: db}], rules: [{backendRefs: [{name: web, port: 80}]}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: UDPRoute
metadata: {name: dns, namespace: shop}
spec: {parentRefs: [{name: web, sectionName: dns}], rules: [{backendRefs: [{name: dns, port: 53}]}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {name: mail, namespace: shop}
spec:
  parentRefs: [{name: web, sectionName: mail}]
  hostnames: [mail.example.com]
  rules: [{backendRefs: [{name: web, port: 80, weight: 1}, {name: cart, port: 80, weight: 1}]}]
${['web', 'cart', 'copy'].map((name) => `---\n${service(name, { namespace: 'shop' })}`).join('')}---
${service('dns', { namespace: 'shop', ports: '{port: 53, protocol: UDP}' })}`

const { loaded, tables } = compiled(manifests)

function run(fields: string): TestResult {
  const text = `defaults: {host: shop.example.com}\ntests:\n- name: t\n  ${fields.replaceAll('\n', '\n  ')}\n`
  const read = readTests('t.yaml', text)
  expect(read.problems).toEqual([])
  const [result] = runTests(read.tests, Gateways.of(tables), () => 0)
  if (result === undefined) throw new Error('no test')
  return result
}

const summary = ({ field, expected, got }: Failure): string => `${field}: ${expected} | ${got}`

test('the manifests of these tests are valid', () => {
  expect([loaded.problems, tables.map(({ gateway }) => gateway)]).toEqual([[], ['shop/inner', 'shop/web']])
})

test.for([
  'request: /cart/1\nexpect: cart',
  'request: /cart/1\nexpect: {route: HTTPRoute shop/web, rule: cart, backend: shop/cart:80, listener: http, reachable: true}',
  'request: /cart/1\nexpect: {rule: 0}',
  'request: /cart/1?a=b\nexpect: {upstream: {host: cart.internal, path: /v2/1}}',
  'request: /cart/1?a=b\nexpect: {upstream: {path: /v2/1?a=b}}',
  'request: /cart\nexpect: {requestHeaders: {set: {x-shop: a}, add: {X-Tag: b}, remove: [X-Secret]}}',
  'request: /cart\nexpect: {responseHeaders: {add: {x-served: landfall}}, mirrors: [copy]}',
  'request: /old\nexpect: {redirect: "http://shop.example.com/cart", status: 301, rule: 1}',
  'request: /none\nexpect: {reachable: false, status: 404, reason: no-route}',
  'request: https://shop.example.com/\nexpect: {reachable: false, reason: no-listener}',
  'request: /cart\ngateway: inner\nexpect: {reason: no-route, listener: http}',
  'request: /cart\nport: 8080\nexpect: 404',
  'request: /split\nexpect: {distribution: {cart: 70, web: 20, "500": 10}, mirrors: {copy: 22}}\ntolerance: 4',
  'request: /split\nexpect: {distribution: {cart: 70, web: 20, "500": 10}}',
  'grpc: shop.Cart/Add\nhost: api.example.com\nexpect: {route: GRPCRoute shop/calls, backend: cart:80/grpc}',
  'tcp: 5432\nexpect: {backend: web, route: db, listener: db}',
  'tcp: 5433\nexpect: {reachable: false, reason: no-listener}',
  'udp: 53\nexpect: dns:53/udp',
  'tls: mail.example.com:993\nexpect: {backend: [web, cart], distribution: {web: 50, cart: 50}}',
  'tls: other.example.com:993\nexpect: {reachable: false, reason: no-route}',
  'tls: example.org:993\nexpect: {reachable: false}',
])('%j passes', (fields) => {
  expect(run(fields).failures.map(summary)).toEqual([])
})

test.for<[string, string]>([
  ['request: /cart\nexpect: {route: HTTPRoute shop/other}', 'expect.route: HTTPRoute shop/other | HTTPRoute shop/web'],
  ['request: /none\nexpect: {route: web}', 'expect.route: web | none: 404 no-route'],
  ['request: /cart\nexpect: {rule: split}', 'expect.rule: split | 0 "cart"'],
  ['request: /old\nexpect: {rule: 0}', 'expect.rule: 0 | 1'],
  ['request: /cart\nexpect: {listener: https}', 'expect.listener: https | http'],
  ['request: /cart\nexpect: web', 'expect.backend: web | shop/cart:80'],
  ['request: /old\nexpect: cart', 'expect.backend: cart | 301 to http://shop.example.com/cart'],
  ['request: /cart\nexpect: 404', 'expect.status: 404 | what shop/cart:80 answers'],
  ['request: /old\nexpect: {redirect: /cart}', 'expect.redirect: /cart | http://shop.example.com/cart'],
  ['request: /cart\nexpect: {redirect: /cart}', 'expect.redirect: /cart | shop/cart:80'],
  ['request: /none\nexpect: {reason: no-listener}', 'expect.reason: no-listener | no-route'],
  ['request: /none\nexpect: {reachable: true}', 'expect.reachable: true | 404 no-route'],
  ['request: /cart\nexpect: {reachable: false}', 'expect.reachable: false | shop/cart:80'],
  ['request: /cart/1?a=b\nexpect: {upstream: {path: /v2/1?a=c}}', 'expect.upstream.path: /v2/1?a=c | /v2/1?a=b'],
  ['request: /cart\nexpect: {upstream: {host: a}}', 'expect.upstream.host: a | cart.internal'],
  [
    'request: /cart\nexpect: {requestHeaders: {set: {x-shop: b}}}',
    'expect.requestHeaders.set.x-shop: set to "b" | set to "a"',
  ],
  [
    'request: /cart\nexpect: {requestHeaders: {add: {x-shop: a}}}',
    'expect.requestHeaders.add.x-shop: added "a" | set to "a"',
  ],
  [
    'request: /cart\nexpect: {requestHeaders: {add: {x-tag: [b, c]}}}',
    'expect.requestHeaders.add.x-tag: added "b", "c" | added "b"',
  ],
  [
    'request: /cart\nexpect: {responseHeaders: {remove: [x-origin]}}',
    'expect.responseHeaders.remove[0]: x-origin removed | not changed',
  ],
  ['request: /cart\nexpect: {mirrors: []}', 'expect.mirrors: none | shop/copy:80'],
  ['request: /old\nexpect: {mirrors: [copy]}', 'expect.mirrors: copy | none'],
  ['tls: other.example.com:993\nexpect: web', 'expect.backend: web | closed: no-route'],
  ['request: /cart\ngateway: wbe\nexpect: cart', 'gateway: wbe | no such Gateway; there are shop/inner, shop/web'],
])('%j fails', ([fields, failure]) => {
  expect(run(fields).failures.map(summary)).toEqual([failure])
})

test('an expectation has to hold for every draw', () => {
  const [failure, ...others] = run('request: /split\ndraws: 1000\nexpect: {backend: [cart, web]}').failures
  expect(others).toEqual([])
  expect(failure?.got).toMatch(/^500 invalid-backend in (8|9|10|11|12)\d of 1000 draws$/)
})

test('a share that is not as expected is told with what was drawn', () => {
  const { failures } = run('request: /split\ndraws: 1000\nexpect: {distribution: {cart: 60, web: 30, "500": 10}}')
  expect(failures.map(summary)).toEqual([
    expect.stringMatching(
      /^expect\.distribution\.cart: 60 % of the requests, give or take 6.2 \| [67]\d(\.\d)? % of 1000 draws$/,
    ),
    expect.stringMatching(
      /^expect\.distribution\.web: 30 % of the requests, give or take 5.8 \| (1|2)\d(\.\d)? % of 1000 draws$/,
    ),
  ])
})

test('what no share is for must not occur, and no tolerance makes nothing of something', () => {
  const found = (expected: string) =>
    run(`request: /split\ntolerance: 100\nexpect: ${expected}`).failures.map(({ field }) => field)
  expect(found('{distribution: {cart: 80, web: 20}}')).toEqual(['expect.distribution'])
  expect(found('{distribution: {cart: 80, web: 20, "500": 0}}')).toEqual(['expect.distribution["500"]'])
  expect(found('{distribution: {cart: 69, web: 20, "500": 10, copy: 1}}')).toEqual(['expect.distribution.copy'])
  expect(found('{mirrors: {copy: 100}}')).toEqual(['expect.mirrors.copy'])
  expect(found('{mirrors: {copy: 25}}')).toEqual([])
  expect(found('{mirrors: {cart: 0}}')).toEqual(['expect.mirrors'])
})

test('the same seed draws the same', () => {
  const drawn = (seed: number) => run(`request: /split\nseed: ${seed}\ndraws: 100\nexpect: {backend: gone}`).failures
  expect(drawn(7)).toEqual(drawn(7))
  expect(drawn(7)).not.toEqual(drawn(8))
})

test('a failure has its line, and why the request met what it met', () => {
  const { failures, explanation } = run('request: /cart\nexpect:\n  route: web\n  backend: web')
  expect(failures).toEqual([{ field: 'expect.backend', line: 7, expected: 'web', got: 'shop/cart:80' }])
  expect(explanation[0]).toBe('GET http://shop.example.com/cart at Gateway shop/web')
  expect(explanation).toContain("not HTTPRoute shop/web rule 1: path is '/cart', wants the prefix '/old'")
})

test('where nobody listens, the listeners say why not', () => {
  expect(run('request: https://shop.example.com/\nexpect: cart').explanation).toEqual([
    'GET https://shop.example.com/',
    'not listener http: scheme is https, wants http',
    'not listener db: scheme is https, wants tcp',
    'not listener dns: scheme is https, wants udp',
  ])
  expect(run('tcp: 5433\ngateway: web\nexpect: web').explanation).toContain('not listener db: port is 5433, wants 5432')
})

test('connections are explained, too', () => {
  expect(run('tls: mail.example.com:993\nexpect: dns').explanation).toEqual([
    'tls://mail.example.com:993 at Gateway shop/web',
    'listener mail, port 993, *.example.com',
    "TLSRoute shop/mail rule 0, by server name: 'mail.example.com'",
    '  backend shop/web:80, 50 % of the connections',
    '  backend shop/cart:80, 50 % of the connections',
  ])
})

test('a hundred failures are explained, and all are told', () => {
  const failing = '- {name: t, request: http://shop.example.com/cart, expect: web}\n'
  const { tests } = readTests('t.yaml', `tests:\n${failing.repeat(150)}`)
  const results = runTests(tests, Gateways.of(tables), () => 0)
  expect(results.filter(({ failures }) => failures.length > 0)).toHaveLength(150)
  expect(results.filter(({ explanation }) => explanation.length > 0)).toHaveLength(100)
})
