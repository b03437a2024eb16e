import { expect, test } from 'vitest'
import { connectionsFor, maxOpenFiles } from './open-files.ts'

test('as many connections are kept as leave room for those to origins, and for sessions of UDP', () => {
  expect([Number.POSITIVE_INFINITY, 1_024, 10].map(connectionsFor)).toEqual([50_000, 320, 1])
})

test.runIf(process.platform === 'linux')('Linux says how many files a process may open', () => {
  expect(maxOpenFiles()).toBeGreaterThan(10)
})
