import { expect, test } from 'vitest'
import {
  type Endpoint,
  Origin,
  PathModifier_Kind,
  type Rule,
  SessionPersistence_Kind,
} from '../proto/gen/route_table.ts'
import {
  backend,
  cors,
  encodeTable,
  type FactsChanges,
  facts,
  host,
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
} from '../test/engine-tables.ts'
import type { Decision } from './decision.ts'
import { sessionValue } from './session.ts'
import { readRoot } from './table.ts'

const backends = [
  backend(),
  backend({ key: 'a/other:80' }),
  backend({ key: 'a/copy:80' }),
  backend({ key: 'a/empty:80', endpoints: [] }),
  backend({ key: 'a/elsewhere:80', endpoints: [], origin: Origin.URL, originAddress: 'https://origin.example' }),
]

const routerOfRule = (changes: Partial<Rule>) =>
  routerOf({ backends, hosts: [host({ matches: [match({ path: prefix('/app') })], rules: [rule(changes)] })] })

const decide = (changes: Partial<Rule>, request: FactsChanges = {}, random = 0): Decision =>
  routerOfRule(changes).decide(facts({ path: '/app/x', ...request }), () => random, 0)

test.for<[string, Partial<Rule>, number, string]>([
  ['a rule that cannot be served', { invalid: 'UnsupportedValue' }, 500, 'invalid-rule'],
  [
    'a rule that cannot be served, though it would redirect',
    { invalid: 'X', filters: [redirect()] },
    500,
    'invalid-rule',
  ],
  ['a rule without backends', { backends: [] }, 500, 'no-backends'],
  ['a rule whose weights are all zero', { backends: [ref({ weight: 0 }), ref({ weight: 0 })] }, 500, 'no-backends'],
  [
    'a backendRef that does not resolve',
    { backends: [ref({ backend: '', invalid: 'BackendNotFound' })] },
    500,
    'invalid-backend',
  ],
  ['a backend that the table has not', { backends: [ref({ backend: 'a/gone:80' })] }, 500, 'invalid-backend'],
  ['a backend without ready endpoints', { backends: [ref({ backend: 'a/empty:80' })] }, 503, 'no-endpoints'],
])('%s is answered', ([, changes, status, why]) => {
  expect(decide(changes)).toMatchObject({ type: 'respond', status, why, matched: { route: 'HTTPRoute a/b' } })
})

test('a backend at a URL needs no endpoints', () => {
  expect(decide({ backends: [ref({ backend: 'a/elsewhere:80' })] })).toMatchObject({ type: 'forward' })
})

test('an invalid backendRef gets its share of the requests, and they get 500', () => {
  const backends = [ref(), ref({ backend: '', invalid: 'BackendNotFound', weight: 3 })]
  const types = Array.from({ length: 100 }, (_, i) => decide({ backends }, {}, i / 100).type)
  expect(types.filter((type) => type === 'respond')).toHaveLength(75)
})

test('a request goes on as it came', () => {
  expect(decide({}, { authority: 'Example.com:8080', path: '/app//x', query: 'a=1&&b' })).toMatchObject({
    type: 'forward',
    authority: 'Example.com:8080',
    path: '/app//x',
    query: 'a=1&&b',
    backend: { key: 'a/web:80' },
    mirrors: [],
    retry: undefined,
    session: undefined,
  })
})

test('a rule says how long and how often to try', () => {
  const timeouts = { requestMs: 10_000, backendRequestMs: 500 }
  const retry = { codes: [500, 503], attempts: 2, backoffMs: 100 }
  expect(decide({ timeouts, retry })).toMatchObject({
    requestTimeout: 10_000,
    backendTimeout: 500,
    retry: { codes: [500, 503], attempts: 2, backoff: 100 },
  })
})

test('filters of a backendRef come after those of the rule, and for that backend only', () => {
  const header = (name: string, value: string) => ({ name, value })
  const changes = {
    filters: [requestHeaders({ set: [header('X-A', 'rule'), header('X-B', 'rule')] })],
    backends: [ref({ filters: [requestHeaders({ set: [header('x-a', 'web')] })] }), ref({ backend: 'a/other:80' })],
  }
  expect(decide(changes, {}, 0)).toMatchObject({
    requestHeaders: {
      set: [
        ['x-a', 'web'],
        ['X-B', 'rule'],
      ],
    },
  })
  expect(decide(changes, {}, 0.9)).toMatchObject({
    requestHeaders: {
      set: [
        ['X-A', 'rule'],
        ['X-B', 'rule'],
      ],
    },
  })
})

test('a rewrite changes the host and the matched prefix, and keeps the query', () => {
  const path = { kind: PathModifier_Kind.REPLACE_PREFIX_MATCH, value: '/' }
  expect(decide({ filters: [rewrite({ hostname: 'one.example.org', path })] }, { query: 'q=1' })).toMatchObject({
    authority: 'one.example.org',
    path: '/x',
    query: 'q=1',
  })
})

test('a redirect needs no backend, and has 302 unless told otherwise', () => {
  const changes = {
    backends: [],
    filters: [redirect({ status: 0, scheme: 'https' }), responseHeaders({ remove: ['x-a'] })],
  }
  expect(decide(changes)).toMatchObject({
    type: 'redirect',
    status: 302,
    location: 'https://example.com/app/x',
    responseHeaders: { remove: ['x-a'] },
  })
})

test('every mirror is drawn on its own', () => {
  const filters = [
    mirror({ numerator: 1, denominator: 2 }),
    mirror({ backend: 'a/other:80', numerator: 1, denominator: 2 }),
  ]
  const router = routerOfRule({ filters })
  const draws = [0, 0.9, 0.9, 0]
  const copies = () => {
    const decision = router.decide(facts({ path: '/app' }), () => draws.shift() ?? 0, 0)
    return decision.type === 'forward' ? decision.mirrors.map(({ key }) => key) : []
  }
  expect([copies(), copies()]).toEqual([['a/copy:80'], ['a/other:80']])
})

test('a mirror that does not resolve, or has no endpoints, is left out', () => {
  const filters = [
    mirror({ backend: '' }),
    mirror({ backend: 'a/gone:80' }),
    mirror({ backend: 'a/empty:80' }),
    mirror({}),
  ]
  expect(decide({ filters })).toMatchObject({ mirrors: [{ key: 'a/copy:80' }] })
})

// CORS

const preflight: FactsChanges = {
  method: 'OPTIONS',
  headers: { origin: 'https://a.com', 'access-control-request-method': 'GET' },
}

test.for<[string, Partial<Rule>]>([
  ['a backend', {}],
  ['no backend', { backends: [] }],
  [
    'a redirect, which a browser would not follow',
    { backends: [], filters: [redirect(), cors({ allowOrigins: ['*'] })] },
  ],
])('a preflight is answered here, before %s', ([, changes]) => {
  expect(decide({ filters: [cors({ allowOrigins: ['*'] })], ...changes }, preflight)).toMatchObject({
    type: 'respond',
    status: 204,
    why: 'cors-preflight',
    responseHeaders: { set: expect.arrayContaining([['Access-Control-Allow-Origin', '*']]) },
  })
})

test('without a CORS filter a preflight goes to the backend', () => {
  expect(decide({}, preflight).type).toBe('forward')
})

test('a response to a cross-origin request replaces what the backend says about CORS', () => {
  const decision = decide(
    { filters: [cors({ allowOrigins: ['https://a.com'] })] },
    { headers: { origin: 'https://a.com' } },
  )
  expect(decision).toMatchObject({
    type: 'forward',
    responseHeaders: { set: [['Access-Control-Allow-Origin', 'https://a.com']], add: [['Vary', 'Origin']] },
  })
  expect(decision.type === 'forward' && decision.responseHeaders.remove).toContain('Access-Control-Allow-Credentials')
})

test('filters that change response headers work in their order', () => {
  const allow = cors({ allowOrigins: ['*'] })
  const change = responseHeaders({ set: [{ name: 'access-control-allow-origin', value: 'mine' }] })
  const request = { headers: { origin: 'https://a.com' } }
  expect(decide({ filters: [allow, change] }, request)).toMatchObject({
    responseHeaders: { set: [['access-control-allow-origin', 'mine']] },
  })
  expect(decide({ filters: [change, allow] }, request)).toMatchObject({
    responseHeaders: { set: [['Access-Control-Allow-Origin', '*']] },
  })
})

test('Landfall’s own refusals carry the rule’s response headers', () => {
  const filters = [responseHeaders({ set: [{ name: 'X-Frame-Options', value: 'DENY' }] })]
  expect(decide({ filters, backends: [] })).toMatchObject({
    status: 500,
    responseHeaders: { set: [['X-Frame-Options', 'DENY']] },
  })
})

// Sessions

const session = {
  kind: SessionPersistence_Kind.COOKIE,
  name: 'route',
  absoluteTimeout: 3600,
  permanent: false,
}

/** The cookie that a client gets with this decision. */
function cookieOf(decision: Decision): FactsChanges {
  if (decision.type !== 'forward' || decision.session === undefined) throw new Error('no session')
  const [, value = ''] = sessionValue(decision.session, decision.backend, 0, 'http', 1000) ?? []
  return { headers: { cookie: value.split(';')[0] ?? '' } }
}

test('a session stays with its backend whatever the draw, even when its weight has become zero', () => {
  const split = { session, backends: [ref(), ref({ backend: 'a/other:80' })] }
  const first = decide(split, {}, 0.9)
  expect(first).toMatchObject({
    backend: { key: 'a/other:80' },
    session: { endpoint: undefined, startedAt: undefined },
  })
  const draining = { session, backends: [ref(), ref({ backend: 'a/other:80', weight: 0 })] }
  expect(decide(draining, cookieOf(first), 0)).toMatchObject({
    backend: { key: 'a/other:80' },
    session: { endpoint: 0, startedAt: 1000 },
  })
})

test('a session of one rule is none of another', () => {
  const first = decide({ session }, {}, 0)
  expect(decide({ session, index: 1 }, cookieOf(first))).toMatchObject({ session: { startedAt: undefined } })
})

test('a session whose endpoint is gone begins anew', () => {
  const first = decide({ session, backends: [ref({ backend: 'a/other:80' })] })
  const moved = routerOf({
    backends: [backend(), backend({ key: 'a/other:80', endpoints: [{ address: '192.0.2.7', port: 1 }] })],
    hosts: [host({ rules: [rule({ session, backends: [ref(), ref({ backend: 'a/other:80' })] })] })],
  })
  expect(moved.decide(facts(cookieOf(first)), () => 0, 0)).toMatchObject({
    backend: { key: 'a/web:80' },
    session: { startedAt: undefined, endpoint: undefined },
  })
})

test('a session whose endpoint is gone begins anew also where endpoints are not ours to choose', () => {
  const rules = { session, backends: [ref({ backend: 'a/elsewhere:80' })] }
  const elsewhere = (endpoints: readonly Endpoint[]) =>
    backend({ key: 'a/elsewhere:80', origin: Origin.URL, endpoints })
  const decideAt = (endpoints: readonly Endpoint[], request: FactsChanges) =>
    routerOf({ backends: [elsewhere(endpoints)], hosts: [host({ rules: [rule(rules)] })] }).decide(
      facts(request),
      () => 0,
      0,
    )
  const old = [{ address: '192.0.2.1', port: 1 }]
  const cookie = cookieOf(decideAt(old, {}))
  expect(decideAt(old, cookie)).toMatchObject({ session: { startedAt: 1000, endpoint: 0 } })
  expect(decideAt([{ address: '192.0.2.2', port: 1 }], cookie)).toMatchObject({ session: { startedAt: undefined } })
})

// Missing shards

test('nothing is drawn before all that it may choose is loaded', () => {
  const table = encodeTable({
    backends,
    backendBits: 6,
    hosts: [host({ rules: [rule({ backends: [ref(), ref({ backend: 'a/other:80' })], filters: [mirror({})] })] })],
  })
  const [hosts = ''] = table.shards.keys()
  const router = readRoot(table.root)
  router.addShard(hosts, table.shards.get(hosts) ?? new Uint8Array())
  const never = () => {
    throw new Error('drawn too early')
  }
  const decision = router.decide(facts(), never, 0)
  const needed = decision.type === 'missing' ? decision.shards : []
  expect(needed).toHaveLength(3)
  for (const name of needed) router.addShard(name, table.shards.get(name) ?? new Uint8Array())
  expect(router.decide(facts(), () => 0, 0).type).toBe('forward')
})

test('a backendRef that does not resolve needs no shard', () => {
  const table = encodeTable({
    backends,
    backendBits: 6,
    hosts: [host({ rules: [rule({ backends: [ref({ backend: '', invalid: 'BackendNotFound' })] })] })],
  })
  const [hosts = ''] = table.shards.keys()
  const router = readRoot(table.root)
  router.addShard(hosts, table.shards.get(hosts) ?? new Uint8Array())
  expect(router.decide(facts(), () => 0, 0)).toMatchObject({ why: 'invalid-backend' })
})
