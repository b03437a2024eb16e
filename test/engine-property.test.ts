import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Decision } from '../engine/decision.ts'
import { explain } from '../engine/explain.ts'
import type { Router } from '../engine/router.ts'
import { readRoot, TableError } from '../engine/table.ts'
import {
  type Host,
  type Listener,
  type Match,
  type PathMatch,
  Protocol,
  type ValueMatch,
} from '../proto/gen/route_table.ts'
import { naiveMatch } from './engine-naive.ts'
import {
  type EncodedTable,
  encodeTable,
  equal,
  exact,
  facts,
  like,
  listener,
  match,
  prefix,
  regex,
  routerOf,
  rule,
} from './engine-tables.ts'

// Alphabets are small so that matches collide, nest and shadow each other all the time.

const hostname = fc.constantFrom(
  '',
  '*.com',
  '*.a.com',
  '*.b.a.com',
  'com',
  'a.com',
  'b.a.com',
  'c.b.a.com',
  'x.com',
  '*.org',
  'b.org',
)

const authority = fc.constantFrom(
  'a.com',
  'a.com',
  'b.a.com',
  'b.a.com',
  'B.a.Com:8080',
  'c.b.a.com.',
  'd.c.b.a.com',
  'x.com:80',
  'com',
  'y.z.com',
  'b.org',
  'c.b.org',
  'other.net',
  'localhost:3000',
  '[::1]:80',
  '*.a.com',
  '',
)

const segments = ['a', 'a', 'b', 'ab'] as const
const joined = (most: number) =>
  fc.array(fc.constantFrom(...segments), { maxLength: most }).map((parts) => `/${parts.join('/')}`)

const pattern = fc.constantFrom(
  '/a',
  '/a/.*',
  '/a/[ab]+',
  '^/a/(a|b)$',
  '/a|/b',
  '/ab*',
  '/a(/b)?',
  '/a\\.b/.',
  '/a.b',
  '.*',
  '/(a|ab)/b',
  '/a/b|/a/ab',
  '/a/\\bb',
  '/b/a{1,2}/?',
  '(?:/a)+',
  '/a/b$',
)

const pathMatch: fc.Arbitrary<PathMatch | undefined> = fc.oneof(
  fc.constant(undefined),
  { weight: 3, arbitrary: joined(2).map(exact) },
  { weight: 4, arbitrary: joined(2).map(prefix) },
  { weight: 3, arbitrary: pattern.map(regex) },
)

const requestPath = fc.oneof(
  { weight: 8, arbitrary: joined(3) },
  joined(2).map((path) => `${path}/`),
  joined(2).map((path) => `${path}//a`),
)

const valueMatch = (names: readonly string[]): fc.Arbitrary<ValueMatch> =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .tuple(fc.constantFrom(...names), fc.constantFrom('1', '2', 'a b'))
        .map(([name, value]) => equal(name, value)),
    },
    fc
      .tuple(fc.constantFrom(...names), fc.constantFrom('.*', '[12]', '1|a.*'))
      .map(([name, value]) => like(name, value)),
  )

const oneMatch: fc.Arbitrary<Omit<Match, 'rule'>> = fc.record({
  path: pathMatch,
  method: fc.constantFrom('', '', '', '', 'GET', 'POST'),
  headers: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(valueMatch(['x-a', 'x-b']), { maxLength: 2 })),
  query: fc.oneof({ weight: 5, arbitrary: fc.constant([]) }, fc.array(valueMatch(['q', 'r']), { maxLength: 1 })),
})

// Few paths and many values, for the buckets that are split by value.
const crowdedMatch: fc.Arbitrary<Omit<Match, 'rule'>> = fc.record({
  path: fc.constantFrom(exact('/a'), prefix('/a'), prefix('/'), regex('/a.*')),
  method: fc.constantFrom('', 'GET', 'POST', 'PUT'),
  headers: fc.array(valueMatch(['x-a', 'x-b']), { minLength: 1, maxLength: 2 }),
  query: fc.array(valueMatch(['q', 'r']), { maxLength: 2 }),
})

// Each match has a rule of its own, so that Matched tells which one won.
const matches = fc
  .oneof(
    { weight: 2, arbitrary: fc.array(oneMatch, { minLength: 1, maxLength: 6 }) },
    { weight: 2, arbitrary: fc.array(oneMatch, { minLength: 9, maxLength: 40, size: 'max' }) },
    { weight: 1, arbitrary: fc.array(crowdedMatch, { minLength: 9, maxLength: 60, size: 'max' }) },
  )
  .map((each) => ({
    matches: each.map((one, index) => match({ ...one, rule: index })),
    rules: each.map((_, index) => rule({ index })),
  }))

const listeners: fc.Arbitrary<readonly Listener[]> = fc
  .uniqueArray(
    fc.record({
      port: fc.constantFrom(80, 80, 80, 8080),
      protocol: fc.constantFrom(
        Protocol.HTTP,
        Protocol.HTTP,
        Protocol.HTTP,
        Protocol.HTTP,
        Protocol.HTTPS,
        Protocol.TLS,
      ),
      hostname: fc.oneof(fc.constant(''), fc.constant(''), fc.constantFrom('*.com', '*.a.com'), hostname),
    }),
    { maxLength: 4, size: 'max', selector: ({ port, protocol, hostname }) => `${port} ${protocol} ${hostname}` },
  )
  .map((each) => [...each, listener()].map((one, index) => ({ ...one, id: `l${index}`, tls: undefined })))

/** A Host is for hostnames that its listener takes. */
function intersects(listener: string, hostname: string): boolean {
  if (listener === '' || listener === hostname) return true
  return listener.startsWith('*') && hostname.endsWith(listener.slice(1))
}

const table = listeners.chain((all) => {
  const host = fc.constantFrom(...all).chain((listener) =>
    fc.record({
      listener: fc.constant(listener.id),
      hostname: hostname.map((name) => (intersects(listener.hostname, name) ? name : listener.hostname)),
      routes: matches,
    }),
  )
  return fc
    .uniqueArray(host, {
      minLength: 1,
      maxLength: 10,
      size: 'max',
      selector: ({ listener, hostname }) => `${listener} ${hostname}`,
    })
    .map((hosts) => ({
      listeners: all,
      hosts: hosts.map(({ listener, hostname, routes }): Host => ({ listener, hostname, ...routes })),
    }))
})

const request = fc
  .record({
    scheme: fc.constantFrom('http' as const, 'http' as const, 'http' as const, 'https' as const),
    authority,
    port: fc.constantFrom(undefined, undefined, 80, 80, 8080),
    method: fc.constantFrom('GET', 'POST', 'DELETE'),
    path: requestPath,
    query: fc.constantFrom('', 'q=1', 'q=1&r=2', 'q=2&q=1', 'r=a+b', 'r=a%20b&&q=1', 'q', '%71=%31&r=2'),
    headers: fc.dictionary(fc.constantFrom('x-a', 'x-b'), fc.constantFrom('1', '2', 'a b', ''), {
      maxKeys: 2,
      size: 'max',
    }),
  })
  .map(facts)

const requests = fc.array(request, { minLength: 16, maxLength: 16 })

function reach(decision: Decision): string {
  if (decision.type === 'missing') return 'missing'
  const { matched } = decision
  if (matched === undefined) return decision.type === 'respond' ? decision.why : decision.type
  return `${matched.listener} ${matched.hostname} ${matched.rule}`
}

/** Decides as a data plane does that has loaded nothing yet. */
function decideLazily(router: Router, { shards }: EncodedTable, asked: ReturnType<typeof facts>): Decision {
  for (let rounds = 0; ; rounds++) {
    const decision = router.decide(asked, () => 0.5, 0)
    if (decision.type !== 'missing') return decision
    expect(rounds).toBeLessThan(4)
    for (const name of decision.shards) router.addShard(name, shards.get(name) ?? new Uint8Array())
  }
}

test('a request meets what the text of the specification says, in tables of any order', () => {
  const counts = { rule: 0, 'no-route': 0, 'no-listener': 0 }
  fc.assert(
    fc.property(table, requests, (parts, asked) => {
      const router = routerOf(parts)
      for (const one of asked) {
        const naive = naiveMatch(parts, one)
        const expected =
          naive.found === 'rule' ? `${naive.listener.id} ${naive.host.hostname} ${naive.rule.index}` : naive.found
        expect(reach(router.decide(one, () => 0.5, 0))).toBe(expected)
        counts[naive.found]++
      }
    }),
    { numRuns: 2500 },
  )
  // The sentence is about 40,000 requests: enough of each kind must have been among them.
  expect(Math.min(...Object.values(counts))).toBeGreaterThan(5000)
})

test('a table that is loaded shard by shard as requests need it decides as the whole table does', () => {
  fc.assert(
    fc.property(table, requests, fc.nat(4), fc.nat(3), fc.nat(2000), (parts, asked, hostBits, backendBits, limit) => {
      const whole = routerOf(parts)
      const encoded = encodeTable({ ...parts, hostBits, backendBits })
      const lazy = readRoot(encoded.root, undefined, limit)
      for (const one of asked) {
        expect(decideLazily(lazy, encoded, one)).toEqual(whole.decide(one, () => 0.5, 0))
      }
    }),
    { numRuns: 500 },
  )
})

test('what explain calls the winner is what decide chooses', () => {
  fc.assert(
    fc.property(table, requests, (parts, asked) => {
      const router = routerOf(parts)
      for (const one of asked) {
        const explanation = explain(router, one, () => 0.5, 0)
        if (explanation.type === 'missing') throw new Error('all shards are loaded')
        const { listener, winner } = explanation
        const explained =
          listener === undefined
            ? 'no-listener'
            : winner === undefined
              ? 'no-route'
              : `${listener.id} ${winner.hostname} ${winner.rule}`
        expect(explained).toBe(reach(router.decide(one, () => 0.5, 0)))
      }
    }),
    { numRuns: 500 },
  )
})

test('bytes that were changed anywhere give a TableError or a table that decides', () => {
  const counts = { refused: 0, decided: 0 }
  const change = fc.record({ at: fc.nat(), byte: fc.nat(255) })
  fc.assert(
    fc.property(
      table,
      requests,
      fc.array(change, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      (parts, asked, changes, inRoot) => {
        const { root, shards } = encodeTable(parts)
        const changed = (bytes: Uint8Array) => {
          const copy = bytes.slice()
          for (const { at, byte } of changes) if (copy.length > 0) copy[at % copy.length] = byte
          return copy
        }
        try {
          const router = readRoot(inRoot ? changed(root) : root)
          for (const [name, bytes] of shards) router.addShard(name, inRoot ? bytes : changed(bytes))
          for (const one of asked) router.decide(one, () => 0.5, 0)
          counts.decided++
        } catch (error) {
          expect(error).toBeInstanceOf(TableError)
          counts.refused++
        }
      },
    ),
    { numRuns: 3000 },
  )
  expect(Math.min(...Object.values(counts))).toBeGreaterThan(300)
})
