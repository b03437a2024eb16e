import fc from 'fast-check'
import type { Decision } from '../engine/decision.ts'
import type { RequestFacts } from '../engine/facts.ts'
import type { Router } from '../engine/router.ts'
import {
  type Backend,
  type BackendRef,
  type Filter,
  type Host,
  type Listener,
  type Match,
  type PathMatch,
  PathModifier_Kind,
  Protocol,
  type Rule,
  type ValueMatch,
} from '../proto/gen/route_table.ts'
import {
  backend,
  cors,
  equal,
  exact,
  like,
  listener,
  match,
  mirror,
  prefix,
  redirect,
  ref,
  regex,
  requestHeaders,
  responseHeaders,
  rewrite,
  rule,
} from './engine-tables.ts'

// Pairs of tables that have much in common, and requests that lie close to both. Alphabets are small so that matches collide,
// nest and shadow each other all the time.

export interface Parts {
  readonly listeners: readonly Listener[]
  readonly hosts: readonly Host[]
  readonly backends: readonly Backend[]
}

const hostname = fc.constantFrom('', '*.com', '*.a.com', '*.b.a.com', 'com', 'a.com', 'b.a.com', 'x.com', '*.org')

const joined = (most: number) =>
  fc.array(fc.constantFrom('a', 'a', 'b', 'ab'), { maxLength: most }).map((parts) => `/${parts.join('/')}`)

const pattern = fc.constantFrom(
  '/a',
  '/a/.*',
  '/a/[ab]+',
  '^/a/(a|b)$',
  '/a|/b',
  '/ab*',
  '/a(/b)?',
  '/a\\.b/.',
  '.*',
  '/.*',
  '/(a|ab)/b',
  '/a/\\bb',
  '/b/a{1,2}/?',
  '(?:/a)+',
  '/[^/]+/b',
  '(?i)/A/B',
)

const pathMatch: fc.Arbitrary<PathMatch | undefined> = fc.oneof(
  fc.constant(undefined),
  { weight: 3, arbitrary: joined(2).map(exact) },
  { weight: 4, arbitrary: joined(2).map(prefix) },
  { weight: 3, arbitrary: pattern.map(regex) },
)

const valueMatch = (names: readonly string[]): fc.Arbitrary<ValueMatch> =>
  fc.oneof(
    fc.tuple(fc.constantFrom(...names), fc.constantFrom('1', '2', 'a b')).map(([name, value]) => equal(name, value)),
    fc
      .tuple(fc.constantFrom(...names), fc.constantFrom('.*', '.+', '[12]', '1|a.*', '[^1]', '\\d{1,2}'))
      .map(([name, value]) => like(name, value)),
  )

const oneMatch: fc.Arbitrary<Omit<Match, 'rule'>> = fc.record({
  path: pathMatch,
  method: fc.constantFrom('', '', '', '', 'GET', 'POST'),
  headers: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(valueMatch(['x-a', 'x-b']), { maxLength: 2 })),
  query: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(valueMatch(['q', 'r']), { maxLength: 1 })),
})

const keys = ['a/web:80', 'a/next:80', 'a/copy:80', 'a/gone:80']

const modifier = fc.constantFrom(
  undefined,
  { kind: PathModifier_Kind.REPLACE_FULL_PATH, value: '/a' },
  { kind: PathModifier_Kind.REPLACE_PREFIX_MATCH, value: '/a' },
  { kind: PathModifier_Kind.REPLACE_PREFIX_MATCH, value: '/' },
)

const filter: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({ hostname: fc.constantFrom('', 'a.com', 'x.com'), path: modifier }).map(rewrite),
  fc.constantFrom('1', '2').map((value) => requestHeaders({ set: [{ name: 'X-Set', value }] })),
  fc.constantFrom('X-A', 'x-a').map((name) => responseHeaders({ remove: [name] })),
  fc
    .record({ backend: fc.constantFrom(...keys), numerator: fc.constantFrom(0, 1, 2) })
    .map((changes) => mirror({ ...changes, denominator: 2 })),
  fc
    .record({
      hostname: fc.constantFrom('', 'a.com'),
      scheme: fc.constantFrom('', 'https'),
      status: fc.constantFrom(301, 302),
      path: modifier,
    })
    .map(redirect),
  fc
    .constantFrom(['*'], ['https://a.com'], ['https://*.a.com', 'http://a.com'])
    .map((allowOrigins) => cors({ allowOrigins, allowMethods: ['PUT'] })),
)

const backendRef: fc.Arbitrary<BackendRef> = fc
  .record({
    backend: fc.constantFrom(...keys),
    weight: fc.constantFrom(0, 1, 1, 1, 2),
    filters: fc.oneof({ weight: 5, arbitrary: fc.constant([]) }, fc.array(filter, { maxLength: 1 })),
    invalid: fc.constantFrom('', '', '', '', '', 'BackendNotFound'),
  })
  .map(ref)

const effect: fc.Arbitrary<Partial<Rule>> = fc.record({
  filters: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(filter, { maxLength: 2 })),
  backends: fc.array(backendRef, { minLength: 1, maxLength: 2 }),
  timeouts: fc.constantFrom(undefined, undefined, { requestMs: 1000, backendRequestMs: 0 }),
  retry: fc.constantFrom(undefined, undefined, { codes: [503], attempts: 1, backoffMs: 0 }),
  invalid: fc.constantFrom('', '', '', '', '', 'UnsupportedValue'),
})

/** A match with a rule of its own. */
interface Entry {
  readonly match: Omit<Match, 'rule'>
  readonly effect: Partial<Rule>
  readonly route: string
}

const entry: fc.Arbitrary<Entry> = fc.record({
  match: oneMatch,
  effect,
  route: fc.constantFrom('HTTPRoute a/b', 'HTTPRoute a/c'),
})

interface Draft {
  readonly listeners: readonly Listener[]
  readonly hosts: readonly {
    readonly listener: string
    readonly hostname: string
    readonly entries: readonly Entry[]
  }[]
  readonly backends: readonly Backend[]
}

const listeners: fc.Arbitrary<readonly Listener[]> = fc
  .uniqueArray(
    fc.record({
      port: fc.constantFrom(80, 80, 8080),
      protocol: fc.constantFrom(Protocol.HTTP, Protocol.HTTP, Protocol.HTTPS),
      hostname: fc.oneof(fc.constant(''), fc.constantFrom('*.com', '*.a.com'), hostname),
    }),
    { maxLength: 2, selector: ({ port, protocol, hostname }) => `${port} ${protocol} ${hostname}` },
  )
  .map((each) => [...each, listener()].map((one, index) => ({ ...one, id: `l${index}`, tls: undefined })))

/** A Host is for hostnames that its listener takes. */
function intersects(listener: string, hostname: string): boolean {
  if (listener === '' || listener === hostname) return true
  return listener.startsWith('*') && hostname.endsWith(listener.slice(1))
}

const endpoints = fc.array(
  fc.constantFrom('192.0.2.1', '192.0.2.2').map((address) => ({ address, port: 80 })),
  { minLength: 0, maxLength: 2 },
)

const backends = fc
  .tuple(...keys.slice(0, 3).map((key) => endpoints.map((each) => backend({ key, endpoints: each }))))
  .map((all) => all)

const hostDraft = (all: readonly Listener[]) =>
  fc.constantFrom(...all).chain((one) =>
    fc.record({
      listener: fc.constant(one.id),
      hostname: hostname.map((name) => (intersects(one.hostname, name) ? name : one.hostname)),
      entries: fc.array(entry, { minLength: 1, maxLength: 12 }),
    }),
  )

const draft: fc.Arbitrary<Draft> = listeners.chain((all) =>
  fc.record({
    listeners: fc.constant(all),
    hosts: fc.uniqueArray(hostDraft(all), {
      minLength: 1,
      maxLength: 4,
      selector: ({ listener, hostname }) => `${listener} ${hostname}`,
    }),
    backends,
  }),
)

type Mutation = (draft: Draft) => Draft

const inHost =
  (at: number, change: (entries: readonly Entry[]) => readonly Entry[]): Mutation =>
  (draft) => {
    const place = at % Math.max(1, draft.hosts.length)
    return {
      ...draft,
      hosts: draft.hosts.map((host, index) => (index === place ? { ...host, entries: change(host.entries) } : host)),
    }
  }

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  // Most of these change the table, some of those change what becomes of a request.
  fc
    .tuple(fc.nat(9), fc.nat(20), entry)
    .map(([at, place, one]) => inHost(at, (entries) => entries.toSpliced(place % (entries.length + 1), 0, one))),
  fc
    .tuple(fc.nat(9), fc.nat(20))
    .map(([at, place]) => inHost(at, (entries) => entries.toSpliced(place % (entries.length || 1), 1))),
  fc.tuple(fc.nat(9), fc.nat(20)).map(([at, place]) =>
    inHost(at, (entries) => {
      const [one, other] = [entries[place % entries.length], entries[(place + 1) % entries.length]]
      if (one === undefined || other === undefined) return entries
      return entries.map((each) => (each === one ? other : each === other ? one : each))
    }),
  ),
  fc
    .tuple(fc.nat(9), fc.nat(20), effect)
    .map(([at, place, next]) =>
      inHost(at, (entries) =>
        entries.map((each, index) => (index === place % entries.length ? { ...each, effect: next } : each)),
      ),
    ),
  fc
    .tuple(fc.nat(9), fc.nat(20), oneMatch)
    .map(([at, place, next]) =>
      inHost(at, (entries) =>
        entries.map((each, index) => (index === place % entries.length ? { ...each, match: next } : each)),
      ),
    ),
  // What is repeated further down, or called by another name, changes nothing.
  fc
    .tuple(fc.nat(9), fc.nat(20))
    .map(([at, place]) =>
      inHost(at, (entries) => [...entries, ...entries.slice(place % (entries.length || 1)).slice(0, 1)]),
    ),
  fc.nat(9).map((at) => inHost(at, (entries) => entries.map((each) => ({ ...each, route: 'HTTPRoute a/d' })))),
  fc.tuple(fc.nat(9), endpoints).map(
    ([at, each]): Mutation =>
      (draft) => ({
        ...draft,
        backends: draft.backends.map((one, index) => (index === at % 3 ? { ...one, endpoints: each } : one)),
      }),
  ),
  fc.nat(9).map(
    (at): Mutation =>
      (draft) => ({ ...draft, hosts: draft.hosts.filter((_, index) => index !== at) }),
  ),
  fc.nat(9).map(
    (at): Mutation =>
      (draft) => ({
        ...draft,
        listeners: draft.listeners.map((one, index) => (index === at ? { ...one, hostname: '' } : one)),
      }),
  ),
  fc.nat(9).map(
    (at): Mutation =>
      (draft) => ({ ...draft, listeners: draft.listeners.filter((_, index) => index !== at) }),
  ),
)

const partsOf = ({ listeners, hosts, backends }: Draft): Parts => ({
  listeners,
  hosts: hosts.map(({ listener, hostname, entries }) => ({
    listener,
    hostname,
    matches: entries.map((each, index) => match({ ...each.match, rule: index })),
    rules: entries.map(({ effect, route }, index) => rule({ ...effect, route, index })),
  })),
  backends,
})

/** Two tables of which the second is the first after some changes, or one of its own. */
export const tablePair: fc.Arbitrary<readonly [Parts, Parts]> = fc
  .tuple(draft, fc.oneof({ weight: 9, arbitrary: fc.array(mutation, { maxLength: 3 }) }, draft))
  .map(([first, next]) => {
    const second = Array.isArray(next) ? next.reduce<Draft>((each, change) => change(each), first) : (next as Draft)
    return [partsOf(first), partsOf(second)]
  })

export interface PlainRequest extends Omit<RequestFacts, 'header'> {
  readonly headers: Readonly<Record<string, string>>
}

const value = fc.constantFrom('1', '2', 'a b', '12', 'z')

/** Requests for the tables' own hosts and paths, and some beside them. */
export const plainRequest: fc.Arbitrary<PlainRequest> = fc.record({
  scheme: fc.constantFrom('http' as const, 'http' as const, 'http' as const, 'https' as const),
  authority: fc.constantFrom(
    'a.com',
    'b.a.com',
    'c.b.a.com',
    'B.a.com:8080',
    'x.com',
    'com',
    'y.com',
    'b.org',
    'other.net',
    '',
  ),
  port: fc.constantFrom(undefined, 80, 80, 8080),
  method: fc.constantFrom('GET', 'GET', 'POST', 'DELETE', 'OPTIONS'),
  path: fc.oneof(
    { weight: 6, arbitrary: joined(3) },
    joined(2).map((path) => `${path}/`),
    fc.constantFrom('/a.b/x', '/A/b', '/abb', '/a//a', '/z', '/z/b'),
  ),
  query: fc.constantFrom('', '', 'q=1', 'q=1&r=2', 'q=2', 'r=a+b', 'q=12&r=z', 'q'),
  headers: fc.record(
    {
      'x-a': value,
      'x-b': value,
      origin: fc.constantFrom('https://a.com', 'https://b.a.com', 'http://a.com'),
      'access-control-request-method': fc.constantFrom('PUT', 'POST'),
    },
    { requiredKeys: [] },
  ),
})

export const factsOf = ({ headers, ...rest }: PlainRequest): RequestFacts => ({
  ...rest,
  header: (name) => (Object.hasOwn(headers, name) ? headers[name] : undefined),
})

/** Divides evenly among all sums of weights up to 4. */
const DRAWS = 12

/** What becomes of many like requests: all decisions, as often as they are met. Nothing here is the diff's own. */
export function outcomes(router: Router, facts: RequestFacts): string {
  const met: string[] = []
  for (let first = 0; first < DRAWS; first++) {
    for (const second of [0.25, 0.75]) {
      const draws = [(first + 0.5) / DRAWS]
      met.push(plain(router.decide(facts, () => draws.pop() ?? second, 0)))
    }
  }
  return met.sort().join('\n')
}

function plain(decision: Decision): string {
  if (decision.type === 'missing') throw new Error('all shards are loaded')
  const { matched, ...rest } = decision
  return JSON.stringify(rest, (_, value: unknown) =>
    Array.isArray(value) ? value.map((each) => JSON.stringify(each).toLowerCase()).sort() : value,
  )
}
