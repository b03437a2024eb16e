import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { merged } from './merge.ts'

const byValue = (a: { v: number }, b: { v: number }) => a.v - b.v

test('the same list comes back when nothing changes', () => {
  const list = [{ v: 1 }]
  expect(merged(list, new Set(), [], byValue)).toBe(list)
})

test('of items that compare equal the older stay in front', () => {
  const [old, young] = [{ v: 1 }, { v: 1 }]
  expect(merged([old], new Set(), [young], byValue)[0]).toBe(old)
})

test('a merge equals a sort of what is left and what is added', () => {
  const item = fc.record({ v: fc.integer({ min: 0, max: 9 }) })
  fc.assert(
    fc.property(fc.array(fc.tuple(item, fc.boolean())), fc.array(item), (before, added) => {
      const sorted = before.map(([item]) => item).sort(byValue)
      const removed = new Set(before.filter(([, goes]) => goes).map(([item]) => item))
      const expected = [...sorted.filter((item) => !removed.has(item)), ...added].sort(byValue)
      expect(merged(sorted, removed, added, byValue)).toEqual(expected)
    }),
  )
})
