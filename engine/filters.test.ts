import { expect, test } from 'vitest'
import type { Filter } from '../proto/gen/route_table.ts'
import { SharedFilters } from './filters.ts'

const setting = (value: string): readonly Filter[] => [
  { kind: { $case: 'requestHeaders', value: { set: [{ name: 'x-shop', value }], add: [], remove: [] } } },
]

test('rules with equal filters share them, and with the edits that data planes keep by identity', () => {
  const shared = new SharedFilters()
  expect(shared.of(setting('a'))).toBe(shared.of(setting('a')))
  expect(shared.of(setting('a')).requestHeaders.set).toEqual([['x-shop', 'a']])
  expect(shared.of(setting('b')).requestHeaders.set).toEqual([['x-shop', 'b']])
})

test('filters that were forgotten to save memory are made again', () => {
  const shared = new SharedFilters()
  const first = shared.of(setting('a'))
  for (let i = 0; i < 1_000; i++) shared.of(setting(`${i}`))
  expect(shared.of(setting('a'))).not.toBe(first)
  expect(shared.of(setting('a'))).toEqual(first)
})
