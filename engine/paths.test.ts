import { expect, test } from 'vitest'
import type { Match } from '../proto/gen/route_table.ts'
import { equal, exact, type FactsChanges, facts, like, match, prefix, regex } from '../test/engine-tables.ts'
import { PathIndex } from './paths.ts'
import { Patterns } from './patterns.ts'
import { MatchedRequest } from './predicates.ts'
import { RankedMatch, Strings } from './ranked-match.ts'

const strings = new Strings()
const indexOf = (matches: readonly Match[]) =>
  new PathIndex(matches.map((each, rank) => new RankedMatch(each, rank, strings)))

const rankOf = (index: PathIndex, changes: FactsChanges) =>
  index.find(new MatchedRequest(facts(changes), new Patterns()))?.rank

test.for<[string, Match['path'], string, boolean]>([
  ['a prefix takes itself', prefix('/v2'), '/v2', true],
  ['a prefix takes itself with a slash', prefix('/v2'), '/v2/', true],
  ['a prefix takes what is below it', prefix('/v2'), '/v2/example', true],
  ['a prefix takes whole segments', prefix('/v2'), '/v2example', false],
  ['the prefix "/" takes all', prefix('/'), '/anything', true],
  ['no path match takes all', undefined, '/anything', true],
  ['an exact path takes itself', exact('/two'), '/two', true],
  ['an exact path takes no slash more', exact('/two'), '/two/', false],
  ['an exact path is case-sensitive', exact('/two'), '/Two', false],
  ['an expression takes whole paths', regex('/a[0-9]'), '/a1/b', false],
  ['an expression may begin with an operator', regex('.*/b'), '/a1/b', true],
  ['alternatives of an expression may differ from the start', regex('/a|/b'), '/b', true],
])('%s', ([, path, requested, takes]) => {
  expect(rankOf(indexOf([match({ path })]), { path: requested })).toBe(takes ? 0 : undefined)
})

test.for<[string, Match[], FactsChanges, number | undefined]>([
  [
    'the order of the table is precedence: a prefix before an exact path',
    [match({ path: prefix('/') }), match({ path: exact('/a') })],
    { path: '/a' },
    0,
  ],
  [
    'a shorter prefix before a longer one',
    [match({ path: prefix('/a') }), match({ path: prefix('/a/b') })],
    { path: '/a/b' },
    0,
  ],
  [
    'an expression before both',
    [match({ path: regex('/a.*') }), match({ path: exact('/a') }), match({ path: prefix('/a') })],
    { path: '/a' },
    0,
  ],
  ['an expression after both', [match({ path: exact('/a') }), match({ path: regex('/a.*') })], { path: '/a' }, 0],
  [
    'a match that does not hold leaves it to the next',
    [match({ path: exact('/a'), method: 'POST' }), match({ path: prefix('/') })],
    { path: '/a' },
    1,
  ],
  ['an expression for a header', [match({ headers: [like('x-a', '[0-9]+')] })], { headers: { 'x-a': '12' } }, 0],
  [
    'an expression for a header takes all of it',
    [match({ headers: [like('x-a', '[0-9]+')] })],
    { headers: { 'x-a': '12a' } },
    undefined,
  ],
  ['a header that is absent holds for no expression', [match({ headers: [like('x-a', '.*')] })], {}, undefined],
  ['an empty header is not absent', [match({ headers: [like('x-a', '.*')] })], { headers: { 'x-a': '' } }, 0],
  [
    'all headers must hold',
    [match({ headers: [equal('x-a', '1'), equal('x-b', '2')] })],
    { headers: { 'x-a': '1' } },
    undefined,
  ],
  [
    'extra query parameters are no matter',
    [match({ query: [equal('animal', 'whale')] })],
    { query: 'x=1&animal=whale' },
    0,
  ],
  [
    'query values are case-sensitive',
    [match({ query: [equal('animal', 'whale')] })],
    { query: 'animal=Whale' },
    undefined,
  ],
])('%s', ([, matches, changes, rank]) => {
  expect(rankOf(indexOf(matches), changes)).toBe(rank)
})

/** A request that counts what it is asked. */
function counting(changes: FactsChanges) {
  const plain = facts(changes)
  const asked: string[] = []
  const header = (name: string) => {
    asked.push(name)
    return plain.header(name)
  }
  return { asked, facts: { ...plain, header } }
}

const many = Array.from({ length: 20_000 }, (_, i) => i)

test.for<[string, (i: number) => Partial<Match>, FactsChanges]>([
  ['a header', (i) => ({ headers: [equal('x-a', `${i}`)] }), { headers: { 'x-a': '19999' } }],
  ['a query parameter', (i) => ({ query: [equal('q', `${i}`)] }), { query: 'q=19999' }],
  [
    'a header of a few values and another of many',
    (i) => ({ headers: [equal('x-b', `${i % 3}`), equal('x-a', `${i}`)] }),
    { headers: { 'x-a': '19999', 'x-b': '1' } },
  ],
  [
    'a header behind a prefix',
    (i) => ({ path: prefix('/a'), headers: [equal('x-a', `${i}`)] }),
    { path: '/a/b', headers: { 'x-a': '19999' } },
  ],
  [
    'a header behind an expression',
    (i) => ({ path: regex('/a.*'), headers: [equal('x-a', `${i}`)] }),
    { path: '/a/b', headers: { 'x-a': '19999' } },
  ],
  ['an expression', (i) => ({ path: regex(`/a/${i}/[0-9]+`) }), { path: '/a/19999/1' }],
])('twenty thousand routes of one path that differ by %s are not tried one by one', ([, changes, request]) => {
  const index = indexOf(many.map((i) => match(changes(i))))
  const { asked, facts } = counting(request)
  const start = performance.now()
  for (let i = 0; i < 1000; i++) expect(index.find(new MatchedRequest(facts, new Patterns()))?.rank).toBe(19_999)
  // A scan takes longer than this for a single request.
  expect((performance.now() - start) / 1000).toBeLessThan(0.5)
  expect(asked.length / 1000).toBeLessThanOrEqual(2)
})

test('a route for all stands behind those that differ by a header', () => {
  const index = indexOf([...many.map((i) => match({ headers: [equal('x-a', `${i}`)] })), match()])
  expect(rankOf(index, { headers: { 'x-a': '7' } })).toBe(7)
  expect(rankOf(index, { headers: { 'x-a': 'none' } })).toBe(20_000)
  expect(rankOf(index, {})).toBe(20_000)
})

test('a header is asked for once, and only when a match needs it', () => {
  const index = indexOf([
    match({ path: exact('/a'), headers: [equal('x-a', '1')] }),
    match({ path: exact('/a'), headers: [equal('x-a', '2')] }),
    match({ path: exact('/b'), headers: [equal('x-b', '1')] }),
  ])
  const { asked, facts } = counting({ path: '/a' })
  expect(index.find(new MatchedRequest(facts, new Patterns()))).toBeUndefined()
  expect(asked).toEqual(['x-a'])
})

test('a path of a thousand slashes costs as little as any other', () => {
  const index = indexOf(many.map((i) => match({ path: prefix(`/a${i}`) })))
  const request = new MatchedRequest(facts({ path: '/'.repeat(64_000) }), new Patterns())
  const start = performance.now()
  for (let i = 0; i < 1000; i++) expect(index.find(request)).toBeUndefined()
  expect((performance.now() - start) / 1000).toBeLessThan(0.1)
})
