import { expect, test } from 'vitest'
import type { Cors } from '../proto/gen/route_table.ts'
import { corsPolicy, type FactsChanges, facts } from '../test/engine-tables.ts'
import { CorsPolicy, isPreflight } from './cors.ts'

function responseHeaders(cors: Partial<Cors>, changes: FactsChanges): Record<string, string> {
  const { set, add } = new CorsPolicy(corsPolicy(cors)).responseHeaders(facts(changes))
  return Object.fromEntries([...set, ...add].map(({ name, value }) => [name, value]))
}

const from = (origin: string): FactsChanges => ({ headers: { origin } })

const preflight = (origin: string, method: string, headers?: string): FactsChanges => ({
  method: 'OPTIONS',
  headers: {
    origin,
    'access-control-request-method': method,
    ...(headers === undefined ? {} : { 'access-control-request-headers': headers }),
  },
})

test.for<[string, string, string, boolean]>([
  ['an origin allows itself', 'https://www.foo.com', 'https://www.foo.com', true],
  ['an origin has a scheme', 'https://www.foo.com', 'http://www.foo.com', false],
  ['an origin without a port has the scheme’s', 'https://www.foo.com', 'https://www.foo.com:443', true],
  ['a port given is as good as none when it is the scheme’s', 'http://www.foo.com:80', 'http://www.foo.com', true],
  ['another port is another origin', 'https://www.foo.com', 'https://www.foo.com:8443', false],
  ['a wildcard takes one label', 'https://*.bar.com', 'https://www.bar.com', true],
  ['a wildcard takes any number of labels', 'https://*.bar.com', 'https://xpto.www.bar.com', true],
  ['a wildcard takes no bare domain', 'https://*.bar.com', 'https://bar.com', false],
  ['a wildcard takes whole labels', 'https://*.bar.com', 'https://foobar.com', false],
  ['a wildcard has a scheme', 'https://*.bar.com', 'http://www.bar.com', false],
  ['a wildcard host takes every host', 'https://*', 'https://anything.example', true],
  ['a wildcard host with a port takes that port', 'https://*:8443', 'https://a.example:8443', true],
  ['a wildcard host with a port takes no other', 'https://*:8443', 'https://a.example', false],
  ['a wildcard alone takes any port', '*', 'https://foobar.com:12345', true],
  ['a wildcard alone takes what has no host', '*', 'null', true],
  ['no other origin is "null"', 'https://*', 'null', false],
  ['case makes no difference', 'https://WWW.foo.com', 'https://www.FOO.com', true],
])('%s', ([, allowed, origin, allows]) => {
  expect('Access-Control-Allow-Origin' in responseHeaders({ allowOrigins: [allowed] }, from(origin))).toBe(allows)
})

test.for<[string, Partial<Cors>, FactsChanges, Record<string, string>]>([
  [
    'the origin is echoed, and caches are told',
    { allowOrigins: ['https://a.com', 'https://b.com'] },
    from('https://b.com'),
    { 'Access-Control-Allow-Origin': 'https://b.com', Vary: 'Origin' },
  ],
  [
    'all origins are answered alike',
    { allowOrigins: ['*'] },
    from('https://b.com'),
    { 'Access-Control-Allow-Origin': '*' },
  ],
  [
    'with credentials no wildcard is sent',
    { allowOrigins: ['*'], allowCredentials: true },
    from('https://b.com'),
    { 'Access-Control-Allow-Origin': 'https://b.com', 'Access-Control-Allow-Credentials': 'true', Vary: 'Origin' },
  ],
  [
    'a foreign origin is granted nothing',
    { allowOrigins: ['https://a.com'] },
    from('https://b.com'),
    { Vary: 'Origin' },
  ],
  ['nor is a request without an origin', { allowOrigins: ['https://a.com'] }, {}, { Vary: 'Origin' }],
  [
    'a response says which of its headers scripts may read',
    { allowOrigins: ['*'], exposeHeaders: ['x-header-3', 'x-header-4'] },
    from('https://b.com'),
    { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'x-header-3, x-header-4' },
  ],
  [
    'with credentials a wildcard exposes nothing',
    { allowOrigins: ['https://a.com'], allowCredentials: true, exposeHeaders: ['*'] },
    from('https://a.com'),
    { 'Access-Control-Allow-Origin': 'https://a.com', 'Access-Control-Allow-Credentials': 'true', Vary: 'Origin' },
  ],
  [
    'a preflight is told the methods, the headers and for how long',
    {
      allowOrigins: ['*'],
      allowMethods: ['GET', 'OPTIONS'],
      allowHeaders: ['x-header-1', 'x-header-2'],
      exposeHeaders: ['x-header-3'],
      maxAge: 3600,
    },
    preflight('https://b.com', 'GET', 'x-header-1'),
    {
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Allow-Methods': 'GET, OPTIONS',
      'Access-Control-Allow-Headers': 'x-header-1, x-header-2',
      'Access-Control-Expose-Headers': 'x-header-3',
      'Access-Control-Max-Age': '3600',
    },
  ],
  [
    'wildcards allow what was asked for, Authorization too',
    { allowOrigins: ['*'], allowMethods: ['*'], allowHeaders: ['*'] },
    preflight('https://b.com', 'PUT', 'authorization'),
    {
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Allow-Methods': 'PUT',
      'Access-Control-Allow-Headers': 'authorization',
      'Access-Control-Max-Age': '5',
    },
  ],
  [
    'with credentials and nothing asked for, a wildcard allows nothing',
    { allowOrigins: ['https://a.com'], allowCredentials: true, allowHeaders: ['*'] },
    preflight('https://a.com', 'GET'),
    {
      'Access-Control-Allow-Origin': 'https://a.com',
      'Access-Control-Allow-Credentials': 'true',
      'Access-Control-Max-Age': '5',
      Vary: 'Origin',
    },
  ],
  [
    'a preflight from a foreign origin is granted nothing',
    { allowOrigins: ['https://a.com'], allowMethods: ['*'] },
    preflight('https://b.com', 'GET'),
    { Vary: 'Origin' },
  ],
])('%s', ([, cors, changes, headers]) => {
  expect(responseHeaders(cors, changes)).toEqual(headers)
})

test('what a backend says about CORS is taken away', () => {
  const { remove } = new CorsPolicy(corsPolicy()).responseHeaders(facts())
  expect(remove).toContain('Access-Control-Allow-Origin')
  expect(remove).toContain('Access-Control-Allow-Credentials')
})

test.for<[string, FactsChanges, boolean]>([
  ['OPTIONS with an origin and a method to come is a preflight', preflight('https://a.com', 'GET'), true],
  ['a GET never is', { ...preflight('https://a.com', 'GET'), method: 'GET' }, false],
  ['OPTIONS alone is none', { method: 'OPTIONS' }, false],
  ['OPTIONS from an origin is none', { method: 'OPTIONS', headers: { origin: 'https://a.com' } }, false],
])('%s', ([, changes, is]) => {
  expect(isPreflight(facts(changes))).toBe(is)
})
