import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Origin } from './origin-client.ts'
import { type OriginPool, OriginPools } from './origin-pools.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const at = (port: number): Origin => ({ endpoint: { address: '192.0.2.1', port }, tls: undefined })

/** Pools that are empty when they are told so, and what becomes of them. */
function setUp() {
  const heard: string[] = []
  const empty = new Set<number>()
  const create = ({ endpoint: { port } }: Origin): OriginPool => {
    heard.push(`created ${port}`)
    return {
      get isEmpty() {
        return empty.has(port)
      },
      sweep: () => heard.push(`swept ${port}`),
      close: () => heard.push(`closed ${port}`),
    }
  }
  return { heard, empty, pools: new OriginPools(100, create, () => heard.push('tick')) }
}

test('equal origins have one pool', () => {
  const { heard, pools } = setUp()
  expect(pools.of(at(80))).toBe(pools.of(at(80)))
  expect(pools.of(at(81))).not.toBe(pools.of(at(80)))
  expect(heard).toEqual(['created 80', 'created 81'])
})

test('pools are swept as long as there are any', () => {
  const { heard, empty, pools } = setUp()
  pools.of(at(80))
  pools.of(at(81))
  empty.add(80)
  vi.advanceTimersByTime(200)
  expect(heard.slice(2)).toEqual(['tick', 'swept 80', 'swept 81', 'tick', 'swept 81'])
  empty.add(81)
  vi.advanceTimersByTime(100)
  expect(vi.getTimerCount()).toBe(0)
})

test('after the last was forgotten, the next is swept, too', () => {
  const { heard, empty, pools } = setUp()
  empty.add(80)
  pools.of(at(80))
  vi.advanceTimersByTime(100)
  pools.of(at(80))
  vi.advanceTimersByTime(100)
  expect(heard).toEqual(['created 80', 'tick', 'swept 80', 'created 80', 'tick', 'swept 80'])
})

test('all pools are closed together', () => {
  const { heard, pools } = setUp()
  pools.of(at(80))
  pools.of(at(81))
  pools.close()
  expect(heard.slice(2)).toEqual(['closed 80', 'closed 81'])
})
