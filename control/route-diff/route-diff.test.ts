import { expect, test } from 'vitest'
import type { Host, Match, Rule } from '../../proto/gen/route_table.ts'
import { PathModifier_Kind, Protocol } from '../../proto/gen/route_table.ts'
import {
  backend,
  cors,
  equal,
  exact,
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
  rule,
} from '../../test/engine-tables.ts'
import { fateText } from './facets.ts'
import { diffRoutes } from './route-diff.ts'
import { titleOf, unreachedText } from './sentences.ts'
import { diffOf, published, type TableParts } from './table-fixture.ts'
import { witnessText } from './witness.ts'

const web = ref({ backend: 'a/web:80' })
const next = ref({ backend: 'a/next:80' })

/** A match and its rule, which is the only one of the route. */
type Entry = readonly [match: Partial<Match>, rule: Partial<Rule>]

const hostOf = (entries: readonly Entry[], changes: Partial<Host> = {}): Host =>
  host({
    matches: entries.map(([wanted], index) => match({ ...wanted, rule: index })),
    rules: entries.map(([, effect]) => rule(effect)),
    ...changes,
  })

const tableOf = (...hosts: readonly Host[]): TableParts => ({
  listeners: [listener()],
  hosts,
  backends: ['a/web:80', 'a/next:80', 'a/copy:80'].map((key) => backend({ key })),
})

/** One line a change: what, by which request, and from where to where. */
function told(before: TableParts, after: TableParts): readonly string[] {
  const diff = diffOf(before, after)
  expect(diff.isComplete).toBe(true)
  return [
    ...diff.changes.map((change) => {
      const { mark, text } = titleOf(change)
      const fates = `${fateText(change.fateBefore)} -> ${fateText(change.fateAfter)}`
      return `${mark} ${text} | ${witnessText(change.witness)} | ${fates}`
    }),
    ...diff.unreached.map((each) => `! ${unreachedText(each)}`),
  ]
}

const all: Entry = [{}, { route: 'HTTPRoute a/all', backends: [web] }]
const api: Entry = [{ path: prefix('/api') }, { route: 'HTTPRoute a/api', backends: [next] }]

const ONE = (...entries: readonly Entry[]): TableParts => tableOf(hostOf(entries, { hostname: 'a.com' }))

test.for<[string, TableParts, TableParts, readonly string[]]>([
  ['equal tables differ in nothing', ONE(api, all), ONE(api, all), []],
  [
    'a new rule takes requests of another',
    ONE(all),
    ONE(api, all),
    ['+ HTTPRoute a/api rule 0, in place of HTTPRoute a/all rule 0 | GET http://a.com/api | a/web:80 -> a/next:80'],
  ],
  [
    'a rule that is gone leaves requests to another',
    ONE(api, all),
    ONE(all),
    ['- HTTPRoute a/api rule 0, in favour of HTTPRoute a/all rule 0 | GET http://a.com/api | a/next:80 -> a/web:80'],
  ],
  ['or to none', ONE(api), ONE(), ['- HTTPRoute a/api rule 0 | GET http://a.com/api | a/next:80 -> 404 no-route']],
  [
    'weights are no draw',
    ONE([{}, { backends: [web, next] }]),
    ONE([{}, { backends: [{ ...web, weight: 3 }, next] }]),
    [
      '~ HTTPRoute a/b rule 0: weights | GET http://a.com/ | 50 % a/next:80, 50 % a/web:80 -> 75 % a/web:80, 25 % a/next:80',
    ],
  ],
  [
    'the same shares in other numbers and another order are the same',
    ONE([{}, { backends: [web, next] }]),
    ONE([
      {},
      {
        backends: [
          { ...next, weight: 5 },
          { ...web, weight: 5 },
        ],
      },
    ]),
    [],
  ],
  [
    'a route by another name is the same for its clients',
    ONE([{}, { route: 'HTTPRoute a/old' }]),
    ONE([{}, { route: 'HTTPRoute a/new' }]),
    [],
  ],
  [
    'a rule that changes its place in the route is the same rule',
    ONE([{ path: prefix('/x') }, { index: 0, backends: [web] }]),
    ONE(
      [{ path: prefix('/x') }, { index: 1, backends: [next] }],
      [{ path: prefix('/w') }, { index: 0, backends: [web] }],
    ),
    [
      '+ HTTPRoute a/b rule 0 | GET http://a.com/w | 404 no-route -> a/web:80',
      '~ HTTPRoute a/b rule 1: backends | GET http://a.com/x | a/web:80 -> a/next:80',
    ],
  ],
  [
    'a rule that comes before another leaves it nothing',
    ONE(api, all),
    ONE([{ path: regex('/a.*') }, { route: 'HTTPRoute a/wide', backends: [web] }], api, all),
    [
      '+ HTTPRoute a/wide rule 0, in place of HTTPRoute a/api rule 0 | GET http://a.com/api | a/next:80 -> a/web:80',
      '! HTTPRoute a/api rule 0 is reached by no request any more: HTTPRoute a/wide rule 0 takes GET http://a.com/api',
    ],
  ],
  [
    'a new rule behind one that takes all is told of, though it changes nothing',
    ONE(all),
    ONE(all, api),
    ['! HTTPRoute a/api rule 0 is reached by no request: HTTPRoute a/all rule 0 takes GET http://a.com/api'],
  ],
  [
    'two rules that change places differ where both hold',
    ONE(
      [{ headers: [equal('x-a', '1')] }, { route: 'HTTPRoute a/a', backends: [web] }],
      [{ headers: [like('x-b', '[0-9]+')] }, { route: 'HTTPRoute a/b', backends: [next] }],
    ),
    ONE(
      [{ headers: [like('x-b', '[0-9]+')] }, { route: 'HTTPRoute a/b', backends: [next] }],
      [{ headers: [equal('x-a', '1')] }, { route: 'HTTPRoute a/a', backends: [web] }],
    ),
    [
      "~ HTTPRoute a/b rule 0 takes requests of HTTPRoute a/a rule 0 | GET http://a.com/ -H 'x-a: 1' -H 'x-b: 0' | a/web:80 -> a/next:80",
    ],
  ],
  [
    'a method that no rule before names is found',
    ONE([{ method: 'GET' }, { route: 'HTTPRoute a/get' }], [{}, { backends: [web] }]),
    ONE([{ method: 'GET' }, { route: 'HTTPRoute a/get' }], [{}, { backends: [next] }]),
    ['~ HTTPRoute a/b rule 0: backends | POST http://a.com/ | a/web:80 -> a/next:80'],
  ],
  [
    'a query that holds odd characters is encoded',
    ONE([{ query: [equal('q', 'a b&c')] }, { backends: [web] }]),
    ONE([{ query: [equal('q', 'a b&c')] }, { backends: [next] }]),
    ['~ HTTPRoute a/b rule 0: backends | GET http://a.com/?q=a%20b%26c | a/web:80 -> a/next:80'],
  ],
  [
    'what a shell would read otherwise is quoted',
    ONE([{ path: exact('/a;b'), headers: [equal('x-a', "it's")] }, { backends: [web] }]),
    ONE([{ path: exact('/a;b'), headers: [equal('x-a', "it's")] }, { backends: [next] }]),
    ["~ HTTPRoute a/b rule 0: backends | GET 'http://a.com/a;b' -H 'x-a: it'\\''s' | a/web:80 -> a/next:80"],
  ],
  [
    'a replaced prefix shows below it only',
    ONE([{ path: prefix('/a') }, { filters: [replaced(PathModifier_Kind.REPLACE_PREFIX_MATCH)] }]),
    ONE([{ path: prefix('/a') }, { filters: [replaced(PathModifier_Kind.REPLACE_FULL_PATH)] }]),
    ['~ HTTPRoute a/b rule 0: path | GET http://a.com/a/x | a/web:80 -> a/web:80'],
  ],
  [
    'a redirect to the host itself that is named shows for another port',
    ONE([{}, { filters: [redirect({ hostname: 'a.com', scheme: 'https' })] }]),
    ONE([{}, { filters: [redirect({ scheme: 'https' })] }]),
    ['~ HTTPRoute a/b rule 0: redirect | GET http://A.COM/ | 302 to https://a.com/ -> 302 to https://A.COM/'],
  ],
  [
    'another origin of CORS shows for requests from there',
    ONE([{}, { filters: [cors({ allowOrigins: ['https://a.com'] })] }]),
    ONE([{}, { filters: [cors({ allowOrigins: ['https://b.com'] })] }]),
    ["~ HTTPRoute a/b rule 0: response headers | GET http://a.com/ -H 'origin: https://a.com' | a/web:80 -> a/web:80"],
  ],
  [
    'timeouts, retries, mirrors and header edits are told by name',
    ONE([{}, {}]),
    ONE([
      {},
      {
        filters: [mirror({ backend: 'a/copy:80' }), requestHeaders({ set: [{ name: 'X-A', value: '1' }] })],
        timeouts: { requestMs: 5000, backendRequestMs: 0 },
        retry: { codes: [503], attempts: 2, backoffMs: 100 },
      },
    ]),
    ['~ HTTPRoute a/b rule 0: request headers, mirrors, timeouts, retry | GET http://a.com/ | a/web:80 -> a/web:80'],
  ],
  [
    'a backend that moves is told once, whatever leads there',
    tableOf(hostOf([all], { hostname: 'a.com' }), hostOf([api, all], { hostname: 'b.com' })),
    {
      ...tableOf(hostOf([all], { hostname: 'a.com' }), hostOf([api, all], { hostname: 'b.com' })),
      backends: [backend({ endpoints: [] }), backend({ key: 'a/next:80' })],
    },
    ['~ backend a/web:80 | GET http://a.com/ | a/web:80 -> 503 no-endpoints'],
  ],
  [
    'a hostname behind a wildcard is shown by a name that only the wildcard takes',
    tableOf(hostOf([all], { hostname: '*.com' }), hostOf([all], { hostname: 'any.com' })),
    tableOf(hostOf([api], { hostname: '*.com' }), hostOf([all], { hostname: 'any.com' })),
    [
      '+ HTTPRoute a/api rule 0, in place of HTTPRoute a/all rule 0 | GET http://any1.com/api | a/web:80 -> a/next:80',
      '~ HTTPRoute a/all rule 0 leaves requests without a route | GET http://any1.com/ | a/web:80 -> 404 no-route',
    ],
  ],
  [
    'a hostname that comes takes requests from a wider one',
    tableOf(hostOf([all])),
    tableOf(hostOf([all]), hostOf([[{}, { route: 'HTTPRoute a/own', backends: [next] }]], { hostname: 'a.com' })),
    ['+ HTTPRoute a/own rule 0, in place of HTTPRoute a/all rule 0 | GET http://a.com/ | a/web:80 -> a/next:80'],
  ],
])('%s', ([, before, after, lines]) => {
  expect(told(before, after)).toEqual(lines)
})

function replaced(kind: PathModifier_Kind) {
  return rewrite({ path: { kind, value: '/b' } })
}

test('a listener that moves to another port is one that goes and one that comes', () => {
  const before = ONE(api, all)
  expect(
    told(before, {
      ...before,
      listeners: [listener({ id: 'new', port: 8080 })],
      hosts: before.hosts.map((each) => ({ ...each, listener: 'new' })),
    }),
  ).toEqual([
    '- listener http, with 2 rules | GET http://a.com/ | a/web:80 -> 404 no-listener',
    '+ listener new, with 2 rules | GET http://a.com:8080/ | 404 no-listener -> a/web:80',
  ])
})

test('a listener by another id is the same for its clients', () => {
  const before = ONE(all)
  const after = {
    ...before,
    listeners: [listener({ id: 'x' })],
    hosts: before.hosts.map((each) => ({ ...each, listener: 'x' })),
  }
  expect(told(before, after)).toEqual([])
})

test('a Gateway that comes or goes is told with what it serves', () => {
  const table = published(ONE(all))
  const came = diffRoutes('shop/web', undefined, table)
  expect([came.gatewayChange, came.changes.map(titleOf)]).toEqual(['added', [{ mark: '+', text: 'listener http' }]])
  const went = diffRoutes('shop/web', table, undefined)
  expect([went.gatewayChange, went.changes.map(titleOf)]).toEqual(['removed', [{ mark: '-', text: 'listener http' }]])
})

test('connections to TLS, TCP and UDP listeners are compared by name and port', () => {
  const tls = { passthrough: true, certificates: [], clients: undefined }
  const table = (hostname: string, key: string): TableParts => ({
    listeners: [
      listener({ id: 'tls', port: 443, protocol: Protocol.TLS, tls }),
      listener({ id: 'tcp', port: 25, protocol: Protocol.TCP }),
    ],
    hosts: [
      host({ listener: 'tls', hostname }),
      host({ listener: 'tcp', rules: [rule({ route: 'TCPRoute a/mail', backends: [ref({ backend: key })] })] }),
    ],
    backends: [backend(), backend({ key: 'a/next:80', endpoints: [{ address: '192.0.2.9', port: 25 }] })],
  })
  const { connections, changes } = diffOf(table('a.com', 'a/web:80'), table('b.com', 'a/next:80'))
  expect(changes).toEqual([])
  const there = ['a/web:80 http/1.1 at 192.0.2.1:8080']
  expect(connections.map(({ witness, before, after }) => [witness, before, after])).toEqual([
    [{ protocol: 'TLS', port: 443, serverName: 'a.com' }, there, ['refused: no-route']],
    [{ protocol: 'TLS', port: 443, serverName: 'b.com' }, ['refused: no-route'], there],
    [{ protocol: 'TCP', port: 25, serverName: '' }, there, ['a/next:80 http/1.1 at 192.0.2.9:25']],
  ])
})

test('what is set for the whole Gateway is told', () => {
  const settings = { hideReason: true, trustedHops: 2, clientCertificate: '' }
  const { settings: found } = diffOf(ONE(all), { ...ONE(all), addresses: ['192.0.2.1'], settings })
  expect(found.map(({ name }) => name)).toEqual(['addresses', 'reason in responses', 'trusted hops'])
})

test('one change among 10,000 matches of one hostname is found at once', () => {
  const entries = Array.from(
    { length: 10_000 },
    (_, index): Entry => [{ path: exact(`/p${index}`) }, { route: `HTTPRoute a/r${index}`, backends: [web] }],
  )
  const begun = performance.now()
  const changed = entries.with(5000, [{ path: exact('/p5000') }, { route: 'HTTPRoute a/r5000', backends: [next] }])
  expect(told(ONE(...entries), ONE(...changed))).toEqual([
    '~ HTTPRoute a/r5000 rule 0: backends | GET http://a.com/p5000 | a/web:80 -> a/next:80',
  ])
  expect(performance.now() - begun).toBeLessThan(20_000)
})

test('a backend that has changed is told of where the match that leads there has, too', () => {
  const to = (wanted: Partial<Match>, endpoints: readonly { address: string; port: number }[]): TableParts => ({
    ...tableOf(hostOf([[wanted, { backends: [next] }]])),
    backends: [backend({ key: 'a/next:80', endpoints: [...endpoints] })],
  })
  const diff = diffOf(to({}, []), to({ query: [equal('q', '1')] }, [{ address: '192.0.2.1', port: 80 }]))
  expect(diff.changes.map(({ kind, witness }) => `${kind} ${witness.query}`)).toEqual(
    expect.arrayContaining(['rule-changed ', 'backend-changed q=1']),
  )
})
