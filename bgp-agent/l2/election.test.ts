import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Candidate, elect } from './election.ts'

const node = (name: string, preference = 0): Candidate => ({ node: name, incarnation: 1, preference })
const nodes = (count: number): readonly Candidate[] => Array.from({ length: count }, (_, i) => node(`node-${i + 1}`))
const addresses = Array.from({ length: 6_000 }, (_, i) => `10.0.${Math.floor(i / 250)}.${1 + (i % 250)}`)

const shares = (candidates: readonly Candidate[]): ReadonlyMap<string, number> => {
  const held = new Map(candidates.map(({ node }) => [node, 0]))
  for (const address of addresses) {
    const owner = elect(address, candidates)?.node ?? ''
    held.set(owner, (held.get(owner) ?? 0) + 1)
  }
  return held
}

test('without candidates nobody has an address', () => {
  expect(elect('10.0.0.1', [])).toBeUndefined()
})

test.for([2, 3, 5, 10, 50])('addresses are spread evenly over %i nodes', (count) => {
  const even = addresses.length / count
  // Five standard deviations of a fair lot.
  const bound = 5 * Math.sqrt(even * (1 - 1 / count))
  for (const held of shares(nodes(count)).values()) expect(Math.abs(held - even)).toBeLessThan(bound)
})

const names = fc.uniqueArray(fc.string({ unit: fc.constantFrom(...'abc-012'), minLength: 1, maxLength: 8 }), {
  minLength: 2,
  maxLength: 8,
})
const ipv4 = fc.ipV4()

test('the order in which candidates come does not matter', () => {
  fc.assert(
    fc.property(names, ipv4, (names, address) => {
      const candidates = names.map((name) => node(name))
      expect(elect(address, candidates)).toEqual(elect(address, candidates.toReversed()))
    }),
  )
})

test('when a node goes, only what it had moves', () => {
  fc.assert(
    fc.property(names, ipv4, (names, address) => {
      const candidates = names.map((name) => node(name))
      const [gone, ...left] = candidates
      const owner = elect(address, candidates)
      if (owner !== gone) expect(elect(address, left)).toBe(owner)
    }),
  )
})

test('when a node comes, what moves is its, and its share of all', () => {
  const before = nodes(4)
  const after = nodes(5)
  const moved = addresses.filter((address) => elect(address, before)?.node !== elect(address, after)?.node)
  expect(new Set(moved.map((address) => elect(address, after)?.node))).toEqual(new Set(['node-5']))
  expect(moved.length).toBeLessThan((addresses.length / 5) * 1.15)
})

test('a greater preference has an address before all else, and the preferred share them evenly', () => {
  const held = shares([node('a'), node('b', 10), node('c', 10), node('d', 5)])
  expect(held.get('a')).toBe(0)
  expect(held.get('d')).toBe(0)
  expect(Math.abs((held.get('b') ?? 0) - 3_000)).toBeLessThan(200)
})

test('of two that call themselves the same, the later one has the address', () => {
  const [elder, younger] = [
    { ...node('a'), incarnation: 1 },
    { ...node('a'), incarnation: 2 },
  ]
  expect(elect('10.0.0.1', [elder, younger])).toBe(younger)
  expect(elect('10.0.0.1', [younger, elder])).toBe(younger)
})
