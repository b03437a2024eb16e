import { isIPv4, isIPv6 } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { type CelInput, CelScalar, celEnv, celFunc, parse, plan } from '@bufbuild/cel'
import { strings } from '@bufbuild/cel/ext'

/** Kubernetes' structural schema, as far as the Gateway API's definitions use it. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  readonly properties?: { readonly [name: string]: Schema }
  readonly additionalProperties?: Schema
  readonly items?: Schema
  readonly required?: readonly string[]
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly format?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly maxProperties?: number
  readonly oneOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly not?: Schema
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'map' | 'set'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: 'atomic'
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message?: string }[]
  readonly description?: string
}

/** What this interpreter knows of a schema: a definition with any other keyword would not be held fully. */
export const keywords = new Set([
  'type',
  'properties',
  'additionalProperties',
  'items',
  'required',
  'default',
  'enum',
  'pattern',
  'format',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'oneOf',
  'anyOf',
  'not',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
  'description',
])

export const formats = new Set(['int32', 'int64', 'ipv4', 'ipv6', 'date-time'])

interface Fields {
  [name: string]: unknown
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Drops unknown fields and nulls and fills in defaults, as the API server does before it validates. */
export function settle(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value))
    return schema.items === undefined ? value : value.map((item) => settle(item, schema.items ?? {}))
  if (!isFields(value)) return value
  const settled: Fields = {}
  const { properties, additionalProperties } = schema
  for (const [name, field] of Object.entries(value)) {
    const known = properties?.[name] ?? additionalProperties
    if (known !== undefined && field !== null) settled[name] = settle(field, known)
  }
  for (const [name, property] of Object.entries(properties ?? {})) {
    if (!(name in settled) && property.default !== undefined)
      settled[name] = settle(structuredClone(property.default), property)
  }
  return settled
}

const ofType = {
  object: isFields,
  array: (value: unknown) => Array.isArray(value),
  string: (value: unknown) => typeof value === 'string',
  integer: (value: unknown) => Number.isInteger(value),
  boolean: (value: unknown) => typeof value === 'boolean',
}

const ofFormat = new Map<string, (value: unknown) => boolean>([
  ['int32', (value) => Math.abs(Number(value)) < 2 ** 31],
  ['ipv4', (value) => typeof value !== 'string' || isIPv4(value)],
  ['ipv6', (value) => typeof value !== 'string' || isIPv6(value)],
])

const patterns = new Map<string, RegExp>()

function matchesPattern(value: string, pattern: string): boolean {
  let compiled = patterns.get(pattern)
  if (compiled === undefined) {
    compiled = new RegExp(pattern)
    patterns.set(pattern, compiled)
  }
  return compiled.test(value)
}

function fitsList(items: readonly unknown[], schema: Schema): boolean {
  const { minItems = 0, maxItems = Infinity } = schema
  if (items.length < minItems || items.length > maxItems) return false
  const keys = schema['x-kubernetes-list-map-keys']
  const identity = (item: unknown): unknown =>
    keys === undefined || !isFields(item) ? item : keys.map((key) => item[key])
  if (schema['x-kubernetes-list-type'] === 'map' || schema['x-kubernetes-list-type'] === 'set') {
    const seen = items.map(identity)
    if (seen.some((item, index) => seen.slice(0, index).some((other) => isDeepStrictEqual(item, other)))) return false
  }
  return items.every((item) => fits(item, schema.items ?? {}))
}

function fitsObject(value: Fields, schema: Schema): boolean {
  if ((schema.required ?? []).some((name) => !(name in value))) return false
  if (Object.keys(value).length > (schema.maxProperties ?? Infinity)) return false
  return Object.entries(value).every(([name, field]) =>
    fits(field, schema.properties?.[name] ?? schema.additionalProperties ?? {}),
  )
}

/** The types that the CEL rules count on, with the required fields. */
export function isTyped(value: unknown, schema: Schema): boolean {
  if (schema.type !== undefined && !ofType[schema.type](value)) return false
  if (Array.isArray(value)) return value.every((item) => isTyped(item, schema.items ?? {}))
  if (!isFields(value)) return true
  return (
    (schema.required ?? []).every((name) => name in value) &&
    Object.entries(value).every(([name, field]) =>
      isTyped(field, schema.properties?.[name] ?? schema.additionalProperties ?? {}),
    )
  )
}

/** All but the CEL rules. */
export function fits(value: unknown, schema: Schema): boolean {
  if (schema.type !== undefined && !ofType[schema.type](value)) return false
  if (schema.enum !== undefined && !schema.enum.includes(value)) return false
  if (schema.format !== undefined && ofFormat.get(schema.format)?.(value) === false) return false
  if (schema.oneOf !== undefined && schema.oneOf.filter((one) => fits(value, one)).length !== 1) return false
  if (schema.anyOf !== undefined && !schema.anyOf.some((one) => fits(value, one))) return false
  if (schema.not !== undefined && fits(value, schema.not)) return false
  if (typeof value === 'string') {
    const length = [...value].length
    if (length < (schema.minLength ?? 0) || length > (schema.maxLength ?? Infinity)) return false
    return schema.pattern === undefined || matchesPattern(value, schema.pattern)
  }
  if (typeof value === 'number') return value >= (schema.minimum ?? -Infinity) && value <= (schema.maximum ?? Infinity)
  if (Array.isArray(value)) return fitsList(value, schema)
  return !isFields(value) || fitsObject(value, schema)
}

const environment = celEnv({
  funcs: [
    ...strings,
    // Kubernetes' own, of its IP library.
    celFunc('isIP', [CelScalar.STRING], CelScalar.BOOL, (text) => isIPv4(text) || isIPv6(text)),
  ],
})

const plans = new Map<string, (self: CelInput) => boolean>()

function planned(rule: string): (self: CelInput) => boolean {
  let evaluate = plans.get(rule)
  if (evaluate === undefined) {
    const run = plan(environment, parse(rule))
    evaluate = (self) => run({ self }) === true
    plans.set(rule, evaluate)
  }
  return evaluate
}

/** Names that CEL reserves, as Kubernetes escapes them in rules. */
const escaped = (name: string): string => (name === 'namespace' ? '__namespace__' : name)

/** A value in CEL's types. `done`: parts that are converted already, since rules stand on objects within objects. */
function toCel(value: unknown, schema: Schema, done: Map<unknown, CelInput>): CelInput {
  if (typeof value === 'number') return schema.type === 'integer' ? BigInt(value) : value
  if (typeof value === 'string' || typeof value === 'boolean') return value
  const known = done.get(value)
  if (known !== undefined) return known
  let converted: CelInput = null
  if (Array.isArray(value)) converted = value.map((item) => toCel(item, schema.items ?? {}, done))
  else if (isFields(value)) {
    const fields = new Map<string, CelInput>()
    for (const [name, field] of Object.entries(value)) {
      const property = schema.properties?.[name]
      const key = property === undefined ? name : escaped(name)
      fields.set(key, toCel(field, property ?? schema.additionalProperties ?? {}, done))
    }
    converted = fields
  }
  done.set(value, converted)
  return converted
}

/** Every CEL rule of a schema but those that compare with an earlier object, as "path: rule". */
export function rulesOf(schema: Schema, path = ''): string[] {
  const own = (schema['x-kubernetes-validations'] ?? []).map(({ rule }) => `${path}: ${rule}`)
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    rulesOf(property, `${path}.${name}`),
  )
  const items = schema.items === undefined ? [] : rulesOf(schema.items, `${path}[]`)
  const values = schema.additionalProperties === undefined ? [] : rulesOf(schema.additionalProperties, `${path}{}`)
  return [...own, ...below, ...items, ...values]
}

export const isTransition = (rule: string): boolean => rule.includes('oldSelf')

/** Evaluates the CEL rules of a value that `isTyped`; `verdict` hears of each. */
export function obey(
  value: unknown,
  schema: Schema,
  verdict: (rule: string, holds: boolean) => void,
  path = '',
  done = new Map<unknown, CelInput>(),
): void {
  const rules = (schema['x-kubernetes-validations'] ?? []).filter(({ rule }) => !isTransition(rule))
  if (rules.length > 0) {
    const self = toCel(value, schema, done)
    for (const { rule } of rules) verdict(`${path}: ${rule}`, planned(rule)(self))
  }
  const visit = (field: unknown, below: Schema | undefined, step: string) => {
    if (below !== undefined) obey(field, below, verdict, path + step, done)
  }
  if (Array.isArray(value)) for (const item of value) visit(item, schema.items, '[]')
  else if (isFields(value)) {
    for (const [name, field] of Object.entries(value)) {
      const property = schema.properties?.[name]
      visit(field, property ?? schema.additionalProperties, property === undefined ? '{}' : `.${name}`)
    }
  }
}
