import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod'
import { kinds } from '../kube/objects.ts'
import { validate } from '../kube/validate.ts'
import { fits, formats, isTransition, isTyped, keywords, obey, rulesOf, type Schema, settle } from './crd-oracle.ts'
import { type Draw, edgeSpecs, specAt } from './crd-specs.ts'

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

const matches = (count: number) => ({ matches: Array.from({ length: count }, () => ({})) })
const replacing = {
  name: 'a',
  port: 80,
  filters: [{ type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } } }],
}

/** What chance would rarely bring. */
const corners: { readonly [kind: string]: readonly unknown[] } = {
  GRPCRoute: [{ rules: [matches(64), matches(64)] }, { rules: [matches(64), matches(64), matches(1)] }],
  HTTPRoute: [
    { rules: [matches(64), matches(63)] },
    { rules: [matches(64), matches(64)] },
    { rules: [matches(64), matches(64), {}] },
    { rules: [{ ...matches(2), backendRefs: [replacing] }] },
    { rules: [{ ...matches(2), backendRefs: [replacing, replacing] }] },
    { rules: [{ ...matches(2), filters: [...replacing.filters, ...replacing.filters] }] },
  ],
}

const pathOf = (rule: string): string => rule.slice(0, rule.indexOf(':'))

/** Holds our verdicts on specs of one kind and version against the definition's, and keeps count of the rules that it saw. */
class Comparison {
  accepted = 0
  rejected = 0
  readonly rules: readonly string[]
  readonly #definition: Definition
  readonly #held = new Set<string>()
  readonly #broken = new Set<string>()
  /** Rules that were once all that is wrong with a spec. */
  readonly #decided = new Set<string>()

  constructor(definition: Definition) {
    this.#definition = definition
    this.rules = rulesOf(definition.spec).filter((rule) => !isTransition(rule))
  }

  agree(spec: unknown): void {
    const schema = this.#definition.spec
    const settled = settle(spec, schema)
    const against = new Set<string>()
    if (isTyped(settled, schema)) obey(settled, schema, (rule, holds) => (holds ? this.#held : against).add(rule))
    const fitting = fits(settled, schema)
    for (const rule of against) {
      this.#broken.add(rule)
      if (fitting && against.size === 1) this.#decided.add(rule)
    }
    const { object: ours, faults } = validate(object(this.#definition, spec))
    const errors = faults.filter(({ severity }) => severity === 'error')
    if (fitting && against.size === 0) {
      this.accepted++
      expect(errors).toEqual([])
      expect(ours && 'spec' in ours && ours.spec).toEqual(settled)
    } else {
      this.rejected++
      expect({ spec, accepted: ours !== undefined }).toEqual({ spec, accepted: false })
      expect(errors).not.toEqual([])
    }
  }

  /** Agree on random specs around these paths. */
  agreeNear(paths: readonly string[], numRuns: number, seed = 1): void {
    const near = fc.property(fc.gen(), (next) => {
      const draw: Draw = (n) => next(fc.nat) % Math.max(n, 1)
      this.agree(specAt(this.#definition.spec, paths[draw(paths.length)] ?? '', draw))
    })
    fc.assert(near, { numRuns, seed })
  }

  /** Rules that never held, or were never broken. */
  oneSided(): readonly string[] {
    return this.rules.filter((rule) => !this.#held.has(rule) || !this.#broken.has(rule))
  }

  /** Paths with rules that could decide alone and have not. */
  undecided(): string[] {
    const open = this.rules.filter((rule) => !this.#decided.has(rule))
    const { kind } = this.#definition
    return [...Map.groupBy(open, pathOf)]
      .filter(([path, rules]) => rules.length > (implied.get(kind + path) ?? 0))
      .map(([path]) => path)
  }
}

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
      const comparison = new Comparison(one)
      const { rules } = comparison
      for (const spec of [...edgeSpecs(one.spec), ...(corners[one.kind] ?? [])]) comparison.agree(spec)
      comparison.agreeNear([''], 1000)
      comparison.agreeNear(['', ...rules.map(pathOf)], Math.max(2000, 20 * rules.length))
      for (let seed = 1; seed <= 10 && comparison.undecided().length > 0; seed++) {
        comparison.agreeNear(comparison.undecided(), 1000, seed)
      }
      expect(comparison.undecided()).toEqual([])
      expect(comparison.oneSided()).toEqual([])
      expect(comparison.accepted).toBeGreaterThan(500)
      expect(comparison.rejected).toBeGreaterThan(500)
    },
  )
})
