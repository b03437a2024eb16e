import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RetryBudget } from './retry-budget.ts'

/** How many retries are allowed when many more are wanted. */
function allowed(budget: RetryBudget, now: number): number {
  return Array.from({ length: 10_000 }, () => budget.take(now)).filter(Boolean).length
}

test('a few retries a second are allowed without any request', () => {
  expect(allowed(new RetryBudget(), 5000)).toBe(30)
})

test('a fifth of the requests of the last ten seconds may be retried', () => {
  const budget = new RetryBudget()
  for (let i = 0; i < 10_000; i++) budget.requested(i)
  expect(allowed(budget, 9999)).toBe(2000)
})

test('what is spent comes back when the window has moved on', () => {
  const budget = new RetryBudget()
  expect(allowed(budget, 0)).toBe(30)
  expect(allowed(budget, 9999)).toBe(0)
  expect(allowed(budget, 10_000)).toBe(30)
})

test('retries never exceed their share over any ten seconds, whenever they are asked for', () => {
  const step = fc.record({ wait: fc.nat(3000), requests: fc.nat(50), retries: fc.nat(50) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const budget = new RetryBudget()
      const events: { second: number; requests: number; retries: number }[] = []
      let now = 1_700_000_000_000
      for (const { wait, requests, retries } of steps) {
        now += wait
        for (let i = 0; i < requests; i++) budget.requested(now)
        const taken = Array.from({ length: retries }, () => budget.take(now)).filter(Boolean).length
        events.push({ second: Math.floor(now / 1000), requests, retries: taken })
        const window = events.filter(({ second }) => second > Math.floor(now / 1000) - 10)
        const made = window.reduce((sum, event) => sum + event.retries, 0)
        const asked = window.reduce((sum, event) => sum + event.requests, 0)
        // A retry was within the budget when it was made; requests that have left the window since may have paid for it.
        if (taken > 0) expect(made).toBeLessThanOrEqual(Math.max(30, 0.2 * asked))
      }
    }),
  )
})

test('a clock that goes back does not free what was spent', () => {
  const budget = new RetryBudget()
  expect(allowed(budget, 60_000)).toBe(30)
  expect(allowed(budget, 30_000)).toBe(0)
})
