import { expect, test } from 'vitest'
import { Protocol } from '../proto/gen/route_table.ts'
import {
  exact,
  type FactsChanges,
  facts,
  host,
  listener,
  match,
  prefix,
  routerOf,
  routerOfHost,
  rule,
} from '../test/engine-tables.ts'
import type { Decision } from './decision.ts'
import { chooseRouter, type Router } from './router.ts'

const decide = (router: Router, changes: FactsChanges = {}): Decision => router.decide(facts(changes), () => 0, 0)

/** Where a request went: the hostname and the rule, or why it went nowhere. */
function reached(decision: Decision): string {
  if (decision.type === 'missing') return 'missing'
  if (decision.matched !== undefined) return `${decision.matched.hostname} ${decision.matched.rule}`
  return decision.type === 'respond' ? `${decision.status} ${decision.why}` : ''
}

const anyPath = { matches: [match()], rules: [rule()] }
const onlyA = { matches: [match({ path: exact('/a') })], rules: [rule()] }

test.for<[string, FactsChanges, string]>([
  ['the exact hostname comes first', { authority: 'a.b.com', path: '/a' }, 'a.b.com 0'],
  ['when none of its matches holds, the longest wildcard is next', { authority: 'a.b.com', path: '/x' }, '*.b.com 0'],
  ['then shorter ones', { authority: 'x.com', path: '/x' }, '*.com 0'],
  ['then the routes of every hostname', { authority: 'x.org', path: '/a' }, ' 0'],
  ['and then there is no route', { authority: 'x.org', path: '/x' }, '404 no-route'],
  ['a port in the authority is no matter', { authority: 'a.b.com:8080', path: '/a' }, 'a.b.com 0'],
  ['a client that names no host gets the routes of every hostname', { authority: '', path: '/a' }, ' 0'],
])('%s', ([, changes, expected]) => {
  const router = routerOf({
    hosts: [
      host({ hostname: 'a.b.com', ...onlyA }),
      host({ hostname: '*.b.com', ...anyPath }),
      host({ hostname: '*.com', ...anyPath }),
      host({ hostname: '', ...onlyA }),
    ],
  })
  expect(reached(decide(router, changes))).toBe(expected)
})

test.for<[string, FactsChanges, string]>([
  ['the most specific listener takes the request', { authority: 'a.b.com', path: '/a' }, 'a.b.com 0'],
  ['and nobody does when it has no route', { authority: 'a.b.com', path: '/x' }, '404 no-route'],
  ['others take what it does not', { authority: 'b.com', path: '/x' }, ' 0'],
  ['a scheme without listeners is refused', { scheme: 'https' }, '404 no-listener'],
  ['a port without listeners is refused', { port: 81 }, '404 no-listener'],
])('%s', ([, changes, expected]) => {
  const router = routerOf({
    listeners: [listener(), listener({ id: 'isolated', hostname: '*.b.com' })],
    hosts: [host(anyPath), host({ listener: 'isolated', hostname: 'a.b.com', ...onlyA })],
  })
  expect(reached(decide(router, changes))).toBe(expected)
})

test('two listeners may have routes for one hostname', () => {
  const router = routerOf({
    listeners: [listener(), listener({ id: 'https', protocol: Protocol.HTTPS, port: 443 })],
    hosts: [
      host({ hostname: 'a.com', rules: [rule({ index: 1 })] }),
      host({ listener: 'https', hostname: 'a.com', rules: [rule({ index: 2 })] }),
    ],
  })
  expect(reached(decide(router, { authority: 'a.com' }))).toBe('a.com 1')
  expect(reached(decide(router, { authority: 'a.com', scheme: 'https' }))).toBe('a.com 2')
})

test('a Host of two matches and one of twenty choose alike', () => {
  const matches = [match({ path: exact('/a'), rule: 1 }), match({ path: prefix('/'), rule: 0 })]
  const more = Array.from({ length: 18 }, (_, i) => match({ path: exact(`/other/${i}`) }))
  const rules = [rule(), rule({ index: 1 })]
  for (const path of ['/a', '/a/', '/b']) {
    const few = reached(decide(routerOfHost({ matches, rules }), { path }))
    expect(reached(decide(routerOfHost({ matches: [...more, ...matches], rules }), { path }))).toBe(few)
  }
})

test.for<[string, FactsChanges, string | undefined]>([
  ['the Gateway with the exact hostname', { authority: 'a.example.com' }, 'z/exact'],
  ['then the one with the longest wildcard', { authority: 'b.example.com' }, 'a/wildcard'],
  ['of equal ones the first by name', { authority: 'example.org' }, 'a/any'],
  ['only those of the scheme', { authority: 'a.example.com', scheme: 'https' }, 'b/secure'],
  ['only those of the port', { authority: 'a.example.com', port: 8080 }, 'b/any'],
  ['none', { authority: 'a.example.com', port: 1 }, undefined],
])('of several Gateways the request goes to %s', ([, changes, gateway]) => {
  const routers = [
    routerOf({ gateway: 'b/any', listeners: [listener(), listener({ id: '8080', port: 8080 })] }),
    routerOf({ gateway: 'a/wildcard', listeners: [listener({ hostname: '*.example.com' })] }),
    routerOf({ gateway: 'z/exact', listeners: [listener({ hostname: 'a.example.com' })] }),
    routerOf({ gateway: 'a/any' }),
    routerOf({ gateway: 'b/secure', listeners: [listener({ protocol: Protocol.HTTPS })] }),
  ]
  expect(chooseRouter(routers, facts(changes))?.gateway).toBe(gateway)
  expect(chooseRouter(routers.toReversed(), facts(changes))?.gateway).toBe(gateway)
})

test('a single Gateway takes all requests, if only to refuse them', () => {
  expect(chooseRouter([routerOf()], facts({ scheme: 'https' }))).toBeDefined()
  expect(chooseRouter([], facts())).toBeUndefined()
})
