import { expect, test } from 'vitest'
import { Protocol } from '../proto/gen/route_table.ts'
import {
  encodeTable,
  equal,
  exact,
  type FactsChanges,
  facts,
  host,
  like,
  listener,
  match,
  mirror,
  prefix,
  redirect,
  ref,
  regex,
  requestHeaders,
  rewrite,
  routerOf,
  rule,
} from '../test/engine-tables.ts'
import { type Explanation, explain } from './explain.ts'
import type { Router } from './router.ts'
import { readRoot } from './table.ts'

function explained(router: Router, changes: FactsChanges): Explanation {
  const explanation = explain(router, facts(changes), () => 0, 0)
  if (explanation.type === 'missing') throw new Error('a shard is missing')
  return explanation
}

const shop = routerOf({
  listeners: [
    listener(),
    listener({ id: 'other-port', port: 8080 }),
    listener({ id: 'https', port: 443, protocol: Protocol.HTTPS }),
    listener({ id: 'elsewhere', hostname: '*.example.org' }),
  ],
  hosts: [
    host({
      hostname: 'shop.example.com',
      matches: [
        match({ path: exact('/cart'), headers: [equal('x-env', 'prod')] }),
        match({ path: exact('/cart'), method: 'POST' }),
        match({ path: prefix('/cart'), rule: 1 }),
        match({ path: regex('/[a-z]+'), query: [like('debug', '[01]')], rule: 2 }),
      ],
      rules: [
        rule({ route: 'HTTPRoute shop/cart' }),
        rule({
          route: 'HTTPRoute shop/cart',
          index: 1,
          name: 'canary',
          filters: [
            requestHeaders({ set: [{ name: 'x-a', value: '1' }] }),
            mirror({ numerator: 20, denominator: 100 }),
          ],
          backends: [ref({ weight: 9 }), ref({ backend: '', invalid: 'BackendNotFound' })],
        }),
        rule({ route: 'HTTPRoute shop/debug', filters: [redirect({ scheme: 'https', port: 8443 })] }),
      ],
    }),
    host({
      matches: [match()],
      rules: [rule({ route: 'HTTPRoute infra/fallback', filters: [rewrite({ hostname: 'x.com' })] })],
    }),
  ],
})

const cart = { authority: 'shop.example.com', port: 80, path: '/cart', headers: { 'x-env': 'dev' } }

test('the winner is told with its rule, what it wanted, its filters and the shares of its backends', () => {
  expect(explained(shop, cart).winner).toEqual({
    hostname: 'shop.example.com',
    route: 'HTTPRoute shop/cart',
    rule: 1,
    ruleName: 'canary',
    rank: 2,
    wants: ["path: the prefix '/cart'"],
    filters: ['request headers: set x-a: 1', 'mirror: a/copy:80, 20 of 100 requests'],
    backends: [
      { backend: 'a/web:80', weight: 9, share: 0.9, invalid: '', filters: [] },
      { backend: '', weight: 1, share: 0.1, invalid: 'BackendNotFound', filters: [] },
    ],
    invalid: '',
  })
})

test('the nearest losers come first, each with what did not hold', () => {
  const { others } = explained(shop, cart)
  expect(others.map(({ route, rank, why }) => [route, rank, why])).toEqual([
    ['HTTPRoute shop/cart', 0, ["header x-env is 'dev', wants 'prod'"]],
    ['HTTPRoute shop/cart', 1, ['method is GET, wants POST']],
    ['HTTPRoute shop/debug', 3, ["query parameter debug is absent, wants a match of '[01]'"]],
    ['HTTPRoute infra/fallback', 0, ['another match comes before it']],
  ])
})

test('a match may fail in several parts', () => {
  const { others } = explained(shop, { ...cart, path: '/x/y', query: 'debug=2' })
  expect(others.at(-1)?.why).toEqual([
    "path is '/x/y', wants a match of '/[a-z]+'",
    "query parameter debug is '2', wants a match of '[01]'",
  ])
})

test('listeners that do not take the request say why', () => {
  const { listener, otherListeners } = explained(shop, cart)
  expect(listener?.id).toBe('http')
  expect(otherListeners.map((other) => [other.listener.id, other.why])).toEqual([
    ['other-port', 'port is 80, wants 8080'],
    ['https', 'scheme is http, wants https'],
    ['elsewhere', "host is 'shop.example.com', wants '*.example.org'"],
  ])
})

test('a listener may lose to a more specific one', () => {
  const { otherListeners } = explained(shop, { authority: 'a.example.org', port: 80 })
  expect(otherListeners[0]).toMatchObject({ listener: { id: 'http' }, why: 'another listener comes before it' })
})

test('without a listener there is nothing more to say', () => {
  expect(explained(shop, { port: 1 })).toMatchObject({
    listener: undefined,
    hostnames: [],
    winner: undefined,
    others: [],
    decision: { why: 'no-listener' },
  })
})

test('the hostnames that take the request are told, the most specific first', () => {
  expect(explained(shop, cart).hostnames).toEqual(['shop.example.com', ''])
  expect(explained(shop, { authority: 'a.com' }).hostnames).toEqual([''])
})

test('no more than a few of many losers are told', () => {
  const matches = Array.from({ length: 1000 }, (_, i) => match({ path: exact(`/${i}`) }))
  expect(explained(routerOf({ hosts: [host({ matches })] }), { path: '/x' }).others).toHaveLength(5)
})

test('shards that the explanation needs are asked for, also those that the decision does not need', () => {
  const table = encodeTable({ hosts: [host({ hostname: 'a.com' }), host()], hostBits: 3 })
  const router = readRoot(table.root)
  const load = (names: readonly string[]) => {
    for (const name of names) router.addShard(name, table.shards.get(name) ?? new Uint8Array())
  }
  for (let rounds = 0; rounds < 4; rounds++) {
    const explanation = explain(router, facts({ authority: 'a.com' }), () => 0, 0)
    if (explanation.type === 'explanation') return expect(explanation.hostnames).toEqual(['a.com', ''])
    load(explanation.shards)
  }
  throw new Error('still missing')
})

test('of a GRPCRoute, matches are told as calls and metadata', () => {
  const router = routerOf({
    hosts: [
      host({
        matches: [
          match({ path: exact('/shop.Cart/Add'), method: 'POST', headers: [equal('x-env', 'prod')] }),
          match({ path: prefix('/shop.Cart'), method: 'POST' }),
          match({ path: regex('/[^/]+/Get'), method: 'POST' }),
          match({ method: 'POST' }),
        ],
        rules: [rule({ route: 'GRPCRoute shop/cart' })],
      }),
    ],
  })
  const { winner, others } = explained(router, { method: 'POST', path: '/shop.Cart/Remove' })
  expect(winner?.wants).toEqual(["call: any method of 'shop.Cart'"])
  expect(others.map(({ wants, why }) => [wants, why])).toEqual([
    [["call: a match of '[^/]+/Get'"], ["call is 'shop.Cart/Remove', wants a match of '[^/]+/Get'"]],
    [[], ['another match comes before it']],
    [
      ["call: 'shop.Cart/Add'", "metadata x-env: 'prod'"],
      ["call is 'shop.Cart/Remove', wants 'shop.Cart/Add'", "metadata x-env is absent, wants 'prod'"],
    ],
  ])
})
