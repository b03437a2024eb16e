import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type HeardClaims, heardClaims, noClaims, pagesOf } from './claims.ts'
import { type Claim, type ClaimsPage, claimLength, maxPage, maxPages } from './heartbeat.ts'

const claims = (count: number): readonly Claim[] =>
  Array.from({ length: count }, (_, i) => ({ address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, preference: 0 }))

const pages = (version: number, of: readonly Claim[]): readonly ClaimsPage[] => {
  const all = pagesOf(of)
  return all.map((claims, page) => ({ version, page, pages: all.length, claims }))
}

const heard = (from: HeardClaims, all: readonly ClaimsPage[], at: number, since = at): HeardClaims =>
  all.reduce((known, page) => heardClaims(known, page, at, since), from)

test('nothing at all is one page', () => {
  expect(pagesOf([])).toEqual([[]])
})

test('a page has no more octets than fit, and no claim is lost', () => {
  const mixed = claims(700).map(({ address }, i) => ({
    address: i % 3 === 0 ? `2001:db8::${i}` : address,
    preference: i % 2,
  }))
  const split = pagesOf(mixed)
  expect(split.flat()).toEqual(mixed)
  for (const page of split)
    expect(page.reduce((sum, claim) => sum + claimLength(claim), 0)).toBeLessThanOrEqual(maxPage)
})

test('there are no more pages than may be', () => {
  expect(pagesOf(claims(200_000))).toHaveLength(maxPages)
})

test('pages make a whole in whatever order they come, and however often', () => {
  const all = pages(1, claims(1_000))
  fc.assert(
    fc.property(fc.shuffledSubarray([...all, ...all], { minLength: all.length }), (order) => {
      const known = heard(noClaims, [...order, ...all], 0)
      expect(known.whole.size).toBe(1_000)
      expect(known.version).toBe(1)
    }),
    { numRuns: 20 },
  )
})

test('until the last page is there, what was heard before counts', () => {
  const first = heard(noClaims, pages(1, claims(10)), 0)
  const [one, ...others] = pages(2, claims(1_000))
  const half = heard(first, one === undefined ? [] : [one], 5)
  expect([half.version, half.whole.size]).toEqual([1, 10])
  const whole = heard(half, others, 9)
  expect([whole.version, whole.whole.size]).toEqual([2, 1_000])
})

test('what is older than what is known changes nothing', () => {
  const known = heard(noClaims, pages(5, claims(3)), 0)
  expect(heard(known, pages(4, claims(9)), 1)).toBe(known)
})

test('a claim is as old as the first that was heard of it, and one of the first whole as old as its node is ready', () => {
  const first = heard(noClaims, pages(1, claims(1)), 100, -5_000)
  const second = heard(first, pages(2, claims(2)), 200, -9_000)
  expect([...second.whole.values()].map(({ since }) => since)).toEqual([-5_000, 200])
})
