import { expect, test } from 'vitest'
import { Origin, type SessionPersistence, SessionPersistence_Kind } from '../proto/gen/route_table.ts'
import { backend, exact, type FactsChanges, facts, prefix, regex } from '../test/engine-tables.ts'
import type { Session } from './decision.ts'
import { cookiePath, endpointOf, readToken, sessionValue } from './session.ts'

const cookie: SessionPersistence = {
  kind: SessionPersistence_Kind.COOKIE,
  name: 'route',
  absoluteTimeout: 60,
  permanent: false,
}

const session: Session = {
  kind: 'cookie',
  name: 'route',
  scope: 77,
  path: '/',
  endpoint: undefined,
  startedAt: undefined,
  absoluteTimeout: 60,
  permanent: false,
}

const web = backend({
  endpoints: [
    { address: '192.0.2.1', port: 8080 },
    { address: '192.0.2.2', port: 8080 },
    { address: '2001:db8::1', port: 8080 },
  ],
})

const START = Date.parse('2026-11-01T00:00:00Z')

function tokenFor(endpoint: number, startedAt = START): string {
  const value = sessionValue({ ...session, kind: 'header' }, web, endpoint, 'http', startedAt)
  return value?.[1] ?? ''
}

const read = (changes: FactsChanges, now = START, persistence = cookie) =>
  readToken(persistence, facts(changes), now, (scope) => scope === 77)

const withCookie = (value: string): FactsChanges => ({ headers: { cookie: value } })

test('a client that shows its token goes on with the endpoint it had', () => {
  const token = read(withCookie(`route=${tokenFor(1)}`))
  expect(token).toMatchObject({ startedAt: START, scope: 77 })
  expect(token && endpointOf(token, web)).toBe(1)
})

test('a header carries a token as well', () => {
  const persistence = { ...cookie, kind: SessionPersistence_Kind.HEADER, name: 'X-Session' }
  expect(read({ headers: { 'x-session': tokenFor(2) } }, START, persistence)?.scope).toBe(77)
})

test.for<[string, string]>([
  ['stands among others', `a=1; route=${tokenFor(0)}; b=2`],
  ['comes in a second Cookie header', `a=1,route=${tokenFor(0)}`],
  ['comes after one of the same name that is not ours', `route=JSESSIONID; route=${tokenFor(0)}`],
  ['comes without a space', `a=1;route=${tokenFor(0)}`],
])('a cookie is found that %s', ([, value]) => {
  expect(read(withCookie(value))).toBeDefined()
})

test.for<[string, string]>([
  ['of another name', `other=${tokenFor(0)}`],
  ['of a longer name', `my-route=${tokenFor(0)}`],
  ['of another rule', 'route=m7zxyz.1.1'],
  ['that is empty', 'route='],
  ['that is no token', 'route=../../etc'],
  ['that has a fourth part', `route=${tokenFor(0)}.1`],
  ['that is very long', `route=${'1'.repeat(10_000)}`],
])('a cookie %s begins a new session', ([, value]) => {
  expect(read(withCookie(value))).toBeUndefined()
})

test.for<[string, number, number, boolean]>([
  ['is in force until its absolute timeout', 60, START + 59_999, true],
  ['is over then', 60, START + 60_000, false],
  ['lasts without a timeout', 0, START + 1e12, true],
  ['may be a little ahead of this clock', 60, START - 60_000, true],
  ['is not believed when it is far ahead', 60, START - 60_001, false],
])('a session %s', ([, absoluteTimeout, now, inForce]) => {
  const token = read(withCookie(`route=${tokenFor(0)}`), now, { ...cookie, absoluteTimeout })
  expect(token !== undefined).toBe(inForce)
})

test('an endpoint that is gone is not found', () => {
  const token = read(withCookie(`route=${tokenFor(1)}`))
  expect(token && endpointOf(token, { ...web, endpoints: web.endpoints.slice(0, 1) })).toBeUndefined()
})

test('an endpoint is found wherever it stands now', () => {
  const token = read(withCookie(`route=${tokenFor(2)}`))
  expect(token && endpointOf(token, { ...web, endpoints: web.endpoints.toReversed() })).toBe(0)
})

test.for<[string, Partial<Session>, string, readonly string[]]>([
  ['a new session', {}, 'http', ['Path=/', 'HttpOnly', 'SameSite=Lax']],
  ['a session over HTTPS', {}, 'https', ['Path=/', 'HttpOnly', 'SameSite=Lax', 'Secure']],
  ['a session of a path', { path: '/shop' }, 'http', ['Path=/shop', 'HttpOnly', 'SameSite=Lax']],
  ['a permanent session', { permanent: true }, 'http', ['Path=/', 'HttpOnly', 'SameSite=Lax', 'Max-Age=60']],
  [
    'a permanent session that moves to another endpoint',
    { permanent: true, startedAt: START - 20_500, endpoint: 2 },
    'http',
    ['Path=/', 'HttpOnly', 'SameSite=Lax', 'Max-Age=40'],
  ],
])('%s sets a cookie with these attributes', ([, changes, scheme, attributes]) => {
  const [name, value] = sessionValue({ ...session, ...changes }, web, 0, scheme, START) ?? ['', '']
  expect(name).toBe('Set-Cookie')
  expect(value.split('; ').slice(1)).toEqual(attributes)
})

test('a session that moves to another endpoint keeps its start', () => {
  const moved = sessionValue(
    { ...session, kind: 'header', startedAt: START, endpoint: 0 },
    web,
    1,
    'http',
    START + 30_000,
  )
  expect(moved?.[1]).toBe(tokenFor(1))
})

test('a client that has its token already is not given it again', () => {
  expect(sessionValue({ ...session, startedAt: START, endpoint: 1 }, web, 1, 'http', START)).toBeUndefined()
})

test('without an endpoint of a connector there is no session to give', () => {
  expect(sessionValue(session, web, undefined, 'http', START)).toBeUndefined()
})

test('an origin that has no endpoints of its own keeps a session with the backend', () => {
  const [, value] = sessionValue(session, { ...web, origin: Origin.URL }, undefined, 'http', START) ?? ['', '']
  expect(read(withCookie(value.split(';')[0] ?? ''))).toEqual({ startedAt: START, scope: 77, endpoint: 0 })
})

// GEP-1619, "Path".
test.for<[string, Parameters<typeof cookiePath>[0], string]>([
  ['a match of every path', undefined, '/'],
  ['a match of every path that says so', prefix('/'), '/'],
  ['a prefix', prefix('/shop'), '/shop'],
  ['an exact path', exact('/shop/cart'), '/shop/cart'],
  ['an expression, up to its first operator, by segments', regex('/p1/p2/.*/p3'), '/p1/p2'],
  ['an expression that begins with an operator', regex('.*'), '/'],
  ['a path that would end the attribute', prefix('/a;b'), '/'],
])('the cookie of %s has a path', ([, match, path]) => {
  expect(cookiePath(match)).toBe(path)
})
