import { env } from 'cloudflare:test'
import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

const key = `k1:${'A'.repeat(43)}`
const of = (variables: Record<string, string>) => readConfig({ TABLES: env.TABLES, ...variables })

test('without keys every table is taken', () => {
  expect(of({})).toMatchObject({ trust: undefined, faults: [] })
  expect(of({ TABLE_KEYS: ' ', TABLE_FLOOR: '' })).toMatchObject({ trust: undefined, faults: [] })
  expect(of({ TABLE_FLOOR: '5' }).faults).toEqual(['TABLE_FLOOR says nothing without TABLE_KEYS: every table is taken'])
})

test('several keys are separated by commas', () => {
  const { trust, faults } = of({ TABLE_KEYS: `${key}, ${key.replace('k1', 'k2')},`, TABLE_FLOOR: '1700000000000' })
  expect(trust?.keys.map(({ id }) => id)).toEqual(['k1', 'k2'])
  expect([trust?.floor, faults]).toEqual([1_700_000_000_000, []])
})

test('a key that cannot be read is told and trusted by nobody, also when it is the only one', () => {
  const { trust, faults } = of({ TABLE_KEYS: `${key},secret` })
  expect([trust?.keys.length, trust?.floor]).toEqual([1, 0])
  expect(faults).toEqual(['key 2 of TABLE_KEYS is not <key id>:<public key>, as `landfall keys public` prints it'])
  expect(of({ TABLE_KEYS: 'secret' }).trust?.keys).toEqual([])
})

test('nothing is above a floor that cannot be read', () => {
  const { trust, faults } = of({ TABLE_KEYS: key, TABLE_FLOOR: '-1' })
  expect(trust?.floor).toBe(Number.POSITIVE_INFINITY)
  expect(faults).toEqual(['TABLE_FLOOR is no sequence of a table, and no table is taken'])
})
