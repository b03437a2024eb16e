import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod'
import { kinds } from '../kube/objects.ts'
import { validate } from '../kube/validate.ts'
import { fits, formats, isTransition, isTyped, keywords, obey, rulesOf, type Schema, settle } from './crd-oracle.ts'
import { type Draw, specAt } from './crd-specs.ts'

const folder = join(import.meta.dirname, '../../shared/conformance/crds/experimental')
const hasDefinitions = existsSync(folder)
const why = hasDefinitions ? '' : ' (skipped: the API definitions are not beside this checkout)'

const definition = z.object({
  kind: z.literal('CustomResourceDefinition'),
  spec: z.object({
    names: z.object({ kind: z.string() }),
    versions: z.array(
      z.object({ name: z.string(), served: z.boolean(), schema: z.object({ openAPIV3Schema: z.custom<Schema>() }) }),
    ),
  }),
})

interface Definition {
  readonly kind: keyof typeof kinds
  readonly version: string
  readonly spec: Schema
}

const isOurs = (kind: string): kind is keyof typeof kinds => Object.hasOwn(kinds, kind)

const definitions: readonly Definition[] = (hasDefinitions ? readdirSync(folder) : [])
  .filter((name) => name.startsWith('gateway.networking.k8s.io_') && !name.includes('_vap_'))
  .flatMap((name) => {
    const { spec } = definition.parse(parse(readFileSync(join(folder, name), 'utf8')))
    const { kind } = spec.names
    return spec.versions.flatMap((version) => {
      const own = version.schema.openAPIV3Schema.properties?.spec
      return version.served && isOurs(kind) && own !== undefined ? [{ kind, version: version.name, spec: own }] : []
    })
  })

/** Schemas are compared once: most versions of a kind say the same. */
const withoutText = (schema: Schema): string =>
  JSON.stringify(schema, (key, value) => (key === 'description' && typeof value === 'string' ? undefined : value))

const distinct = definitions.filter(
  ({ kind, spec }, index) =>
    definitions.findIndex((other) => other.kind === kind && withoutText(other.spec) === withoutText(spec)) === index,
)

const object = ({ kind, version }: Definition, spec: unknown) => ({
  apiVersion: `gateway.networking.k8s.io/${version}`,
  kind,
  metadata: { name: 'it' },
  spec,
})

function subschemas(schema: Schema): Schema[] {
  const below = [
    ...Object.values(schema.properties ?? {}),
    ...(schema.oneOf ?? []),
    ...(schema.anyOf ?? []),
    ...[schema.items, schema.additionalProperties, schema.not].filter((one) => one !== undefined),
  ]
  return [schema, ...below.flatMap(subschemas)]
}

/** Rules that never decide alone, since what breaks them breaks another rule or the structure too; how many at a path. */
const implied = new Map([
  ['Gateway.listeners', 1],
  ['Gateway.tls.frontend.perPort', 1],
  ['HTTPRoute.rules[].matches[].path', 2],
  ['ListenerSet.listeners', 1],
  ['TLSRoute.hostnames', 2],
])

const pathOf = (rule: string): string => rule.slice(0, rule.indexOf(':'))

describe.skipIf(!hasDefinitions)(`validation is the API server's${why}`, () => {
  test('every kind of the Gateway API has a definition, and every version that is served there is served here', () => {
    const served = Map.groupBy(definitions, ({ kind }) => kind)
    for (const [kind, { group, served: ours }] of Object.entries(kinds)) {
      if (group !== 'gateway.networking.k8s.io' || !isOurs(kind)) continue
      expect(
        served
          .get(kind)
          ?.map(({ version }) => version)
          .sort(),
        kind,
      ).toEqual([...ours].sort())
    }
  })

  test('the definitions hold nothing that the interpreter of this test leaves out', () => {
    for (const schema of definitions.flatMap(({ spec }) => subschemas(spec))) {
      expect(Object.keys(schema).filter((keyword) => !keywords.has(keyword))).toEqual([])
      if (schema.format !== undefined) expect(formats).toContain(schema.format)
    }
  })

  test('one rule only compares with the object before, which a file does not have', () => {
    const transitions = distinct.flatMap(({ kind, spec }) =>
      rulesOf(spec)
        .filter(isTransition)
        .map((rule) => `${kind}${rule}`),
    )
    expect(transitions).toEqual(['GatewayClass.controllerName: self == oldSelf'])
  })

  test.for(distinct.map((one) => [`${one.kind} ${one.version}`, one] as const))(
    '%s',
    { timeout: 240_000 },
    ([, one]) => {
      const rules = rulesOf(one.spec).filter((rule) => !isTransition(rule))
      const held = new Set<string>()
      const broken = new Set<string>()
      /** Rules that were once all that is wrong with a spec. */
      const decided = new Set<string>()
      let accepted = 0
      let rejected = 0
      const agree = (paths: readonly string[], numRuns: number, seed = 1): void =>
        fc.assert(
          fc.property(fc.gen(), (next) => {
            const draw: Draw = (n) => next(fc.nat) % Math.max(n, 1)
            const path = paths[draw(paths.length)] ?? ''
            const spec = specAt(one.spec, path, draw)
            const settled = settle(spec, one.spec)
            const against = new Set<string>()
            if (isTyped(settled, one.spec)) obey(settled, one.spec, (rule, holds) => (holds ? held : against).add(rule))
            const fitting = fits(settled, one.spec)
            for (const rule of against) broken.add(rule)
            if (fitting && against.size === 1) for (const rule of against) decided.add(rule)

            const { object: ours, faults } = validate(object(one, spec))
            if (fitting && against.size === 0) {
              accepted++
              expect(faults.filter(({ severity }) => severity === 'error')).toEqual([])
              expect(ours && 'spec' in ours && ours.spec).toEqual(settled)
            } else {
              rejected++
              expect({ spec, accepted: ours !== undefined }).toEqual({ spec, accepted: false })
              expect(faults.some(({ severity }) => severity === 'error')).toBe(true)
            }
          }),
          { numRuns, seed },
        )

      const undecided = () => {
        const byPath = Map.groupBy(
          rules.filter((rule) => !decided.has(rule)),
          pathOf,
        )
        return [...byPath]
          .filter(([path, some]) => some.length > (implied.get(one.kind + path) ?? 0))
          .map(([path]) => path)
      }
      agree([''], 1000)
      agree(['', ...rules.map(pathOf)], Math.max(2000, 30 * rules.length))
      for (let seed = 1; seed <= 10 && undecided().length > 0; seed++) agree(undecided(), 1000, seed)
      expect(undecided()).toEqual([])
      expect(rules.filter((rule) => !held.has(rule) || !broken.has(rule))).toEqual([])
      expect(accepted).toBeGreaterThan(500)
      expect(rejected).toBeGreaterThan(500)
    },
  )
})
