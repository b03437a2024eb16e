import { expect, test } from 'vitest'
import { Patterns } from './patterns.ts'

test('a pattern is tested against the whole value', () => {
  const patterns = new Patterns()
  expect(patterns.test('a+', 'aaa')).toBe(true)
  expect(patterns.test('a+', 'aaab')).toBe(false)
})

test('a pattern that does not compile matches nothing', () => {
  const patterns = new Patterns()
  expect([patterns.test('(', '('), patterns.test('(', '(')]).toEqual([false, false])
})

test('patterns that were dropped to save memory match again', () => {
  const patterns = new Patterns()
  const tests = Array.from({ length: 3 }, () =>
    Array.from({ length: 120 }, (_, i) => patterns.test(`x{900}${i}`, `${'x'.repeat(900)}${i}`)),
  )
  expect(tests.flat().every(Boolean)).toBe(true)
})
