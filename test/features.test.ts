import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { type ControllerName, features } from '../control/compile/features.ts'
import { compiled, gatewayClass } from '../control/compile/object-fixture.ts'
import { statuses } from '../control/status/statuses.ts'
import { dataPlanes, featuresPage } from '../docs/features.ts'

const page = readFileSync('docs/features.md', 'utf8')

/** Cells of the table by feature: level, profiles, and one for each data plane. */
const rows = new Map(
  page
    .split('\n')
    .filter((line) => /^\| [A-Z]/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, feature = '', ...cells]) => [feature, cells.slice(0, -1)]),
)

test('docs/features.md says what the code says; `npm run gen` writes it anew', () => {
  expect(page).toBe(featuresPage())
})

test('every feature has one row, and a word on every data plane', () => {
  expect([...rows.keys()]).toEqual(features.map(({ name }) => name))
  for (const [feature, [level, profiles, ...cells]] of rows) {
    expect(level, feature).toMatch(/^(core|extended)$/)
    expect(profiles, feature).toMatch(/^(all|none|(HTTP|GRPC|TLS|TCP|UDP)(, (HTTP|GRPC|TLS|TCP|UDP))*)$/)
    expect(cells, feature).toHaveLength(dataPlanes.length)
    // A refusal without a reason helps nobody.
    for (const cell of cells) expect(cell, feature).toMatch(/^(yes|no: \w.{10,})$/)
  }
})

test('the core of the profiles is Gateways, grants and the five kinds of routes', () => {
  const core = [...rows].flatMap(([feature, [level]]) => (level === 'core' ? [feature] : []))
  expect(core.sort()).toEqual([
    'GRPCRoute',
    'Gateway',
    'HTTPRoute',
    'ReferenceGrant',
    'TCPRoute',
    'TLSRoute',
    'UDPRoute',
  ])
})

test.for<[string, ControllerName, number]>([
  ['stand-alone', 'landfall.dev/gateway-controller', 0],
  ['on Cloudflare', 'landfall.dev/edge-controller', 1],
])('a class served %s claims what the table says', ([, controllerName, column]) => {
  const result = compiled(gatewayClass({ spec: { controllerName } }))
  const claimed = statuses(result, '2026-01-01T00:00:00Z')[0]?.status.supportedFeatures?.map(({ name }) => name)
  const said = [...rows].flatMap(([feature, [, , ...cells]]) => (cells[column] === 'yes' ? [feature] : []))
  expect(said.length).toBeGreaterThan(30)
  expect(claimed).toEqual(said)
})

const cases = join(import.meta.dirname, '../../shared/conformance/cases.json')
if (!existsSync(cases)) console.log(`skipped: there is no ${cases}`)

test.skipIf(!existsSync(cases))('every feature that the conformance suite asks for is in the table', () => {
  const tested = z.array(z.object({ features: z.array(z.string()) })).parse(JSON.parse(readFileSync(cases, 'utf8')))
  const asked = new Set(tested.flatMap(({ features }) => features))
  expect(asked.size).toBeGreaterThan(40)
  expect([...asked].filter((feature) => !rows.has(feature))).toEqual([])
})
