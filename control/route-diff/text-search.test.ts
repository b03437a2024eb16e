import fc from 'fast-check'
import { expect, test } from 'vitest'
import { headerAlphabet, pathAlphabet } from './alphabets.ts'
import { expressions } from './table-side.ts'
import { TextSearch } from './text-search.ts'
import { type TextTest, textHolds } from './text-test.ts'

const search = new TextSearch(expressions())
const prefix = (value: string): TextTest => ({ kind: 'prefix', value })
const exact = (value: string): TextTest => ({ kind: 'exact', value })
const regex = (value: string): TextTest => ({ kind: 'regex', value })

test.for<[string, TextTest[], TextTest[], string]>([
  ['a path without conditions is the shortest there is', [], [], '/'],
  ['an exact path is itself', [exact('/a')], [prefix('/b')], '/a'],
  ['a prefix is itself', [prefix('/a')], [], '/a'],
  ['of two prefixes the longer counts', [prefix('/a'), prefix('/a/b')], [], '/a/b'],
  ['a prefix without itself ends with a slash', [prefix('/a')], [exact('/a')], '/a/'],
  [
    'a prefix without longer ones leaves their segments',
    [prefix('/a')],
    [exact('/a'), exact('/a/'), prefix('/a/x')],
    '/a/a',
  ],
  ['an expression gives its shortest match', [regex('/item/[0-9]+')], [], '/item/0'],
  ['of two expressions both match', [regex('/[a-c]+'), regex('/.*ca')], [], '/ca'],
  ['an expression below a prefix', [regex('/a.*z'), prefix('/ab')], [], '/ab/z'],
  ['an expression without another', [regex('/[ab]+')], [regex('/a*'), regex('/b')], '/ab'],
  ['an expression without its literals', [regex('/[0-2]')], [exact('/0'), exact('/1')], '/2'],
  ['assertions count', [regex('/a\\b.+')], [], '/a-'],
  ['cases fold', [regex('(?i)/AB')], [exact('/ab')], '/Ab'],
])('%s', ([, holds, fails, expected]) => {
  expect(search.find({ holds, fails }, pathAlphabet, '/')).toEqual({ text: expected })
})

test.for<[string, TextTest[], TextTest[]]>([
  ['all below a prefix is in the prefix', [prefix('/a/b')], [prefix('/a')]],
  ['nothing is outside of every path', [], [prefix('')]],
  ['an expression within another', [regex('/a+')], [regex('/[ab]*')]],
  ['an expression that its literals use up', [regex('/[01]')], [exact('/0'), exact('/1')]],
  ['expressions without a common text', [regex('/a.*'), regex('/b.*')], []],
  ['a pattern that is not taken matches nothing', [regex('/(')], []],
  ['a path begins with a slash', [regex('a.*')], []],
])('proves that there is none: %s', ([, holds, fails]) => {
  expect(search.find({ holds, fails }, pathAlphabet, '/')).toBe('none')
})

test('the value of a header neither begins nor ends with a blank, and is not empty if it need not be', () => {
  expect(search.find({ holds: [regex('[ a]*')], fails: [] }, headerAlphabet, '')).toEqual({ text: 'a' })
  expect(search.find({ holds: [regex(' *')], fails: [] }, headerAlphabet, '')).toEqual({ text: '' })
  expect(search.find({ holds: [regex('a? *')], fails: [exact('a'), exact('')] }, headerAlphabet, '')).toBe('none')
})

test('a thousand expressions that must not match are no trouble when they lie elsewhere', () => {
  const fails = Array.from({ length: 1000 }, (_, index) => regex(`/other/${index}/.*`))
  expect(search.find({ holds: [regex('/mine/.+')], fails }, pathAlphabet, '/')).toEqual({ text: '/mine/x' })
})

test('expressions too intricate to look through are not called empty', () => {
  const holds = [regex('/(.*a.{40}|b)c'), regex('/.*x.{41}')]
  expect(search.find({ holds, fails: [regex('/.*x.{30}d.*')] }, pathAlphabet, '/')).not.toBe('none')
})

/** All paths of these characters up to a length. */
function* paths(most: number, path = '/'): Generator<string> {
  yield path
  if (path.length < most) for (const character of 'ab/') yield* paths(most, path + character)
}

test('no path is overlooked, and none that is shorter', () => {
  const known = [...paths(6)]
  const literal = fc.constantFrom(...known.filter((path) => path.length > 1 && path.length < 5 && !path.endsWith('/')))
  const pattern = fc.constantFrom(
    '/a.*',
    '.*b',
    '/a+',
    '/[ab]*/b?',
    '/(ab|ba)+',
    '.*/.*/.*',
    '/[^a]+',
    '/.\\b.*',
    '(/a|/b)*',
    '/b?',
  )
  const any = fc.oneof(literal.map(prefix), literal.map(exact), pattern.map(regex))
  const patterns = expressions()
  let proofs = 0
  fc.assert(
    fc.property(fc.array(any, { maxLength: 2 }), fc.array(any, { maxLength: 3 }), (holds, fails) => {
      const fits = (path: string): boolean =>
        holds.every((each) => textHolds(each, path, patterns)) && !fails.some((each) => textHolds(each, path, patterns))
      const found = search.find({ holds, fails }, pathAlphabet, '/')
      const shortest = known
        .filter(fits)
        .reduce<string | undefined>((a, b) => (a !== undefined && a.length <= b.length ? a : b), undefined)
      if (typeof found === 'string') {
        expect([found, shortest]).toEqual(['none', undefined])
        proofs++
      } else {
        expect(fits(found.text)).toBe(true)
        expect(found.text.length).toBeLessThanOrEqual(shortest?.length ?? Number.POSITIVE_INFINITY)
      }
    }),
    { numRuns: 3000 },
  )
  expect(proofs).toBeGreaterThan(300)
})
