import { expect, test } from 'vitest'
import { retryWait } from './retry-wait.ts'

const retry = { codes: [], attempts: 20, backoff: 100 }

test.for([
  ['the first wait is the backoff', 1, 0.5, 100],
  ['a quarter less at least', 1, 0, 75],
  ['each is twice the one before', 4, 0.5, 800],
  ['up to ten seconds', 20, 0.5, 10_000],
] as const)('%s', ([, tries, drawn, wait]) => {
  expect(retryWait(retry, tries, () => drawn)).toBe(wait)
})

test('a route without a backoff does not wait', () => {
  expect(retryWait({ ...retry, backoff: 0 }, 3, () => 0.9)).toBe(0)
})
