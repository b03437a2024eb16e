import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { Coverage } from '../control/route-tests/coverage.ts'
import { Gateways } from '../control/route-tests/gateways.ts'
import { type Failure, runTests } from '../control/route-tests/run.ts'
import { readTests } from '../control/route-tests/test-reader.ts'
import type { Decision, Forward, HeaderEdit } from '../engine/decision.ts'
import type { Router } from '../engine/router.ts'
import { type Filter, type Host, PathModifier_Kind, Protocol, type Rule } from '../proto/gen/route_table.ts'
import {
  backend,
  cors,
  equal,
  exact,
  facts,
  host,
  listener,
  match,
  mirror,
  prefix,
  redirect,
  ref,
  requestHeaders,
  responseHeaders,
  rewrite,
  routerOf,
  rule,
} from './engine-tables.ts'

// Whatever the engine decides, a test that is written from its decision passes, and one that says anything else fails.

const listeners = [
  listener(),
  listener({ id: 'named', hostname: 'b.example.com' }),
  listener({ id: 'https', port: 443, protocol: Protocol.HTTPS, hostname: 'a.example.com' }),
]
const keys = ['a/web:80', 'a/copy:80', 'b/web:8080', 'b/api:80/grpc', 'b/empty:80']
const backends = keys.map((key) => backend({ key, ...(key === 'b/empty:80' && { endpoints: [] }) }))

const header = fc.record({ name: fc.constantFrom('X-A', 'x-b', 'x-c'), value: fc.constantFrom('1', 'two words', 'x') })
const modifier = fc.record({
  set: fc.array(header, { maxLength: 2 }),
  add: fc.array(header, { maxLength: 2 }),
  remove: fc.array(fc.constantFrom('x-a', 'x-d'), { maxLength: 1 }),
})
const path = fc.constantFrom(
  undefined,
  { kind: PathModifier_Kind.REPLACE_FULL_PATH, value: '/full' },
  { kind: PathModifier_Kind.REPLACE_PREFIX_MATCH, value: '/other' },
)
const hostname = fc.constantFrom('', 'moved.example.org')

const filter: fc.Arbitrary<Filter> = fc.oneof(
  { weight: 5, arbitrary: modifier.map(requestHeaders) },
  { weight: 3, arbitrary: modifier.map(responseHeaders) },
  {
    weight: 2,
    arbitrary: fc
      .record({ hostname, path, scheme: fc.constantFrom('', 'https'), status: fc.constantFrom(0, 301) })
      .map(redirect),
  },
  { weight: 2, arbitrary: fc.record({ hostname, path }).map(rewrite) },
  {
    weight: 2,
    arbitrary: fc
      .record({ backend: fc.constantFrom(...keys), numerator: fc.constantFrom(1, 2), denominator: fc.constant(2) })
      .map(mirror),
  },
  { weight: 1, arbitrary: fc.constant(cors({ allowOrigins: ['https://o.example.com'] })) },
)

const reference = fc.record({
  backend: fc.constantFrom(...keys),
  weight: fc.constantFrom(0, 1, 1, 1, 1, 3),
  filters: fc.array(filter, { maxLength: 1 }),
  invalid: fc.constantFrom(...Array<string>(9).fill(''), 'BackendNotFound'),
})

const oneRule = (index: number): fc.Arbitrary<Rule> =>
  fc
    .record({
      name: fc.constantFrom('', `rule-${index}`),
      filters: fc.array(filter, { maxLength: 3 }),
      backends: fc.array(reference.map(ref), { minLength: 1, maxLength: 3 }),
      invalid: fc.constantFrom(...Array<string>(9).fill(''), 'UnsupportedValue'),
    })
    .map((changes) => rule({ index, ...changes }))

const oneMatch = fc.record({
  path: fc.constantFrom(prefix('/'), prefix('/'), prefix('/a'), exact('/a/b')),
  method: fc.constantFrom('', '', '', 'GET'),
  headers: fc.constantFrom([], [], [], [equal('x-a', '1')]),
})

const routes = fc.record({
  matches: fc
    .array(oneMatch, { minLength: 3, maxLength: 3 })
    .map((all) => all.map((one, i) => match({ ...one, rule: i }))),
  rules: fc.tuple(oneRule(0), oneRule(1), oneRule(2)).map((rules) => [...rules]),
})

/** One takes every hostname, so that most requests meet a rule. */
const hosts: fc.Arbitrary<Host[]> = fc
  .tuple(
    routes,
    fc.uniqueArray(
      fc.record({
        listener: fc.constantFrom('http', 'http', 'named', 'https'),
        hostname: fc.constantFrom('a.example.com', '*.example.com', 'b.example.com'),
        routes,
      }),
      { maxLength: 3, selector: ({ listener, hostname }) => `${listener} ${hostname}` },
    ),
  )
  .map(([all, others]) => [host(all), ...others.map(({ routes, ...place }) => host({ ...place, ...routes }))])

const request = fc.record({
  scheme: fc.constantFrom(...Array<string>(7).fill('http'), 'https'),
  authority: fc.constantFrom(
    'a.example.com',
    'a.example.com',
    'a.example.com',
    'b.example.com',
    'c.example.com',
    'other.org',
  ),
  method: fc.constantFrom('GET', 'POST', 'OPTIONS'),
  path: fc.constantFrom('/', '/a', '/a/b', '/a/b/c'),
  query: fc.constantFrom('', 'q=1'),
  headers: fc.constantFrom(
    {},
    { 'x-a': '1' },
    { origin: 'https://o.example.com', 'access-control-request-method': 'GET' },
  ),
})
type Request = typeof request extends fc.Arbitrary<infer T> ? T : never

/** Enough that no share of these rules is missed, not so many that the run takes long. */
const draws = 400

type Fields = Readonly<Record<string, unknown>>

/** What a test may say of a forward that holds for each of its draws. */
function ofForward({ authority, path, query, mirrors }: Forward, all: readonly Decision[]): Fields {
  const keysOf = ({ mirrors }: Forward) => mirrors.map(({ key }) => key)
  const alike = all.every(
    (each) => each.type === 'forward' && String(keysOf(each)) === String(mirrors.map(({ key }) => key)),
  )
  return {
    reachable: true,
    upstream: { host: authority, path: query === '' ? path : `${path}?${query}` },
    ...(alike && { mirrors: mirrors.map(({ key }) => key) }),
  }
}

function changesOf({ remove, set, add }: HeaderEdit): Fields | undefined {
  const grouped = (lines: HeaderEdit['set']) =>
    [...Map.groupBy(lines, ([name]) => name.toLowerCase())].map(
      ([name, all]) => [name, all.map(([, value]) => value)] as const,
    )
  const isSet = new Set(set.map(([name]) => name.toLowerCase()))
  const added = grouped(add)
  const replaced = grouped(set).map(([name, values]) => [
    name,
    [...values, ...added.flatMap(([other, more]) => (other === name ? more : []))],
  ])
  const changes = {
    ...(replaced.length > 0 && { set: Object.fromEntries(replaced) }),
    ...(added.some(([name]) => !isSet.has(name)) && {
      add: Object.fromEntries(added.filter(([name]) => !isSet.has(name))),
    }),
    ...(remove.length > 0 && { remove: [...remove] }),
  }
  return Object.keys(changes).length === 0 ? undefined : changes
}

const sameFor = (all: readonly Decision[], of: (decision: Decision) => unknown): boolean =>
  new Set(all.map((each) => JSON.stringify(of(each)))).size === 1

/** Everything that a test can say about what was decided, over and over, for one request. */
function written(all: readonly Decision[], listenerId: string | undefined): Fields {
  const [first] = all
  if (first === undefined || first.type === 'missing') throw new Error('nothing was decided')
  const { matched } = first
  const tally = Map.groupBy(all, (each) =>
    each.type === 'forward' ? each.backend.key : 'status' in each ? `${each.status}` : '',
  )
  const responseEdit = changesOf(first.responseHeaders)
  const requestEdit = first.type === 'forward' ? changesOf(first.requestHeaders) : undefined
  const one = sameFor(all, (each) => {
    if (each.type === 'forward') return [each.authority, each.path]
    return each.type === 'redirect' ? [each.status, each.location] : each.type
  })
  return {
    ...(listenerId !== undefined && { listener: listenerId }),
    ...(matched && { route: matched.route, rule: matched.ruleName === '' ? matched.rule : matched.ruleName }),
    distribution: Object.fromEntries([...tally].map(([key, its]) => [key, (its.length / all.length) * 100])),
    ...(tally.size === 1 && first.type === 'forward' && { backend: first.backend.key }),
    ...(one && first.type === 'forward' && ofForward(first, all)),
    ...(one && first.type === 'redirect' && { status: first.status, redirect: first.location }),
    ...(sameFor(all, (each) => (each.type === 'respond' ? [each.status, each.why] : each.type)) &&
      first.type === 'respond' && {
        status: first.status,
        reason: first.why,
        reachable: first.why !== 'no-route' && first.why !== 'no-listener',
      }),
    ...(sameFor(all, (each) => ('responseHeaders' in each ? each.responseHeaders : '')) &&
      responseEdit && { responseHeaders: responseEdit }),
    ...(sameFor(all, (each) => ('requestHeaders' in each ? each.requestHeaders : '')) &&
      requestEdit && { requestHeaders: requestEdit }),
  }
}

/** Wrong values of a field of `expect`, which the right one cannot be. */
function mutations(name: string, value: unknown): readonly unknown[] {
  switch (name) {
    case 'reachable':
      return [value !== true]
    case 'rule':
      return [typeof value === 'number' ? value + 1 : `${value}-x`]
    case 'status':
      return [value === 418 ? 419 : 418]
    case 'reason':
      return [value === 'no-route' ? 'no-listener' : 'no-route']
    case 'backend':
      return ['a/none:80', `${value}`.replace(/:.*/, ':1')]
    case 'distribution':
      return [{ 'a/none:80': 100 }, { '599': 100 }]
    case 'mirrors':
      return [[...(Array.isArray(value) ? value : []), 'a/none:80'], { 'a/none:80': 50 }]
    case 'upstream':
      return [{ host: 'none.example.com' }, { path: '/none' }]
    case 'requestHeaders':
    case 'responseHeaders':
      return [{ set: { 'x-none': '1' } }, { remove: ['x-none'] }, { add: { 'x-a': ['none'] } }]
    default:
      return [`${value}x`]
  }
}

function failuresOf(expected: Fields, { headers, ...asked }: Request, router: Router, coverage?: Coverage) {
  const { method, scheme, authority, path, query } = asked
  const url = `${scheme}://${authority}${path}${query === '' ? '' : `?${query}`}`
  const text = stringify({
    tests: [{ name: 't', request: `${method} ${url}`, headers, draws, tolerance: 15, expect: expected }],
  })
  const { tests, problems } = readTests('t.yaml', text)
  expect(problems).toEqual([])
  const [result] = runTests(tests, new Gateways([router]), () => 0, coverage)
  return result?.failures ?? []
}

const inField =
  (name: string) =>
  ({ field }: Failure): boolean =>
    field === `expect.${name}` || field.startsWith(`expect.${name}.`) || field.startsWith(`expect.${name}[`)

test('a test that is written from a decision passes, and a mutated one fails where it is wrong', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(hosts, request, fc.integer(), (hosts, asked, seed) => {
      const router = routerOf({ listeners, hosts, backends })
      const scheme = asked.scheme === 'https' ? 'https' : 'http'
      const port = scheme === 'https' ? 443 : 80
      const decided = facts({ ...asked, scheme, port })
      let state = seed >>> 0
      const random = (): number => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        return state / 2 ** 32
      }
      const all = Array.from({ length: draws }, () => router.decide(decided, random, 0))
      const expected = written(all, router.listener(scheme, port, asked.authority)?.id)

      const coverage = new Coverage([
        {
          gateway: router.gateway,
          controller: 'landfall.dev/edge-controller',
          addresses: [],
          listeners,
          hosts,
          backends,
          settings: router.root.settings ?? noSettings,
        },
      ])
      expect(failuresOf(expected, asked, router, coverage)).toEqual([])
      const matched = all.flatMap((each) => ('matched' in each && each.matched !== undefined ? [each.matched] : []))
      const untouched = coverage.unreached.filter(({ kind }) => kind === 'rule')
      expect(untouched.filter(({ rule }) => matched.some((each) => each.rule === rule))).toEqual([])

      for (const [name, value] of Object.entries(expected)) {
        seen.add(name)
        for (const wrong of mutations(name, value)) {
          const failures = failuresOf({ ...expected, [name]: wrong }, asked, router)
          expect(failures.some(inField(name)), `${name}: ${JSON.stringify(wrong)}`).toBe(true)
        }
      }
    }),
    { numRuns: 150 },
  )
  expect([...seen].sort()).toEqual([
    'backend',
    'distribution',
    'listener',
    'mirrors',
    'reachable',
    'reason',
    'redirect',
    'requestHeaders',
    'responseHeaders',
    'route',
    'rule',
    'status',
    'upstream',
  ])
})

const noSettings = { hideReason: false, trustedHops: 0, clientCertificate: '' }
