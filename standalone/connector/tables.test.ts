import { expect, test } from 'vitest'
import type { ConnectorTable } from './table.ts'
import { ConnectorTables } from './tables.ts'

const pair = { certificate: 'c', privateKey: 'k' }
const policy = { hostname: 'h', authorities: '', subjectAltNames: [] }

const table = (name: string): ConnectorTable => ({
  endpoints: new Set([name]),
  tls: new Map([[name, { policy, clientCertificate: '' }]]),
  keyPairs: new Map([[name, pair]]),
})

test('what a table had holds for a while after the next, and what the newest has for good', () => {
  let now = 0
  const tables = new ConnectorTables(100, () => now)
  const has = (name: string) => [tables.endpoints.has(name), tables.tls.get(name) !== undefined]
  expect(has('a')).toEqual([false, false])
  tables.set(table('a'))
  now = 1_000
  tables.set(table('b'))
  now = 1_050
  tables.set(table('c'))
  expect([has('a'), has('b'), has('c'), has('d')].flat()).toEqual([true, true, true, true, true, true, false, false])
  now = 1_100
  expect([has('a'), has('b'), has('c')].flat()).toEqual([false, false, true, true, true, true])
  now = 1_000_000
  expect([has('a'), has('b'), has('c')].flat()).toEqual([false, false, false, false, true, true])
})

test('a key pair that is gone is not shown any more', () => {
  const tables = new ConnectorTables(100, () => 0)
  tables.set(table('a'))
  tables.set(table('b'))
  expect([tables.keyPairs.get('a'), tables.keyPairs.get('b')]).toEqual([undefined, pair])
})

test('of a flood of tables the last are kept', () => {
  const tables = new ConnectorTables(100, () => 0)
  for (let i = 0; i < 100; i++) tables.set(table(`${i}`))
  expect([0, 83, 84, 99].map((i) => tables.endpoints.has(`${i}`))).toEqual([false, false, true, true])
})
