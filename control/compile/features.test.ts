import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { features, lacks, protocols } from './features.ts'

test('a feature is listed once', () => {
  const names = features.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})

test('stand-alone lacks no feature', () => {
  expect(features.filter(({ name }) => lacks('landfall.dev/gateway-controller', name) !== undefined)).toEqual([])
})

test('every protocol is a feature', () => {
  const names = new Set(features.map(({ name }) => name))
  for (const { feature } of Object.values(protocols)) expect(names).toContain(feature)
})

const cases = join(import.meta.dirname, '../../../shared/conformance/cases.json')
if (!existsSync(cases)) console.log(`skipped: there is no ${cases}`)

test.skipIf(!existsSync(cases))('every feature that the conformance suite tests is listed', () => {
  const tested = z.array(z.object({ features: z.array(z.string()) })).parse(JSON.parse(readFileSync(cases, 'utf8')))
  const names = new Set(features.map(({ name }) => name))
  expect(tested.length).toBeGreaterThan(100)
  expect([...new Set(tested.flatMap(({ features }) => features))].filter((name) => !names.has(name))).toEqual([])
})
