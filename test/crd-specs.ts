import { fits, type Schema, settle } from './crd-oracle.ts'

/** A random whole number from 0 to n - 1. */
export type Draw = (n: number) => number

type Fields = Record<string | number, unknown>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const words = (text: string): string[] => text.split(' ')

/** Texts to fill fields with: each string schema takes those that it allows, and mutations take any. */
const pool: readonly string[] = [
  ...words('a 1.2.3.4 a.b *.a.b IPAddress Hostname HTTP HTTPS x-a x-b Service Gateway / /a /a/ 1s 2h http://a.b'),
  ...words(
    'TLS TCP UDP NamedAddress Secret gateway.networking.k8s.io example.com/x a/b/c X/y System URI spiffe://a/b mailto:x',
  ),
  ...words(
    'web Web a_b -a a..b * web.example.com ::1 1.2.3.4.5 X-A x: .pkg.Service pkg.Service Pkg_1.S 1pkg Method a-b',
  ),
  ...words('a/b // /a//b /./a /../a /a/.. /a/. /a%2Fb /a%2fb /a%20b /a%2 /a#b /é https://* https://*.a.b:8080 ftp://a'),
  ...words(
    'http://a.b/ http://a_b http://a.b:123456 https://a.*.b 0s 500ms 1h30m 1.5s 10 999999s 1h1m1s1ms 1h1m1s1ms1s 99999h',
  ),
  ...[
    '',
    '/a b',
    'example.com/a b',
    'x a',
    'two words',
    'two  words',
    ' lead',
    'trail ',
    'tab\tin',
    'café',
    '\u{1f600}',
  ],
  ...[63, 64, 128, 129, 253, 254, 256, 257, 4096, 4097].map((length) => 'a'.repeat(length)),
  ...[1023, 1024].map((length) => `/${'a'.repeat(length)}`),
  // One character each, and two UTF-16 units.
  ...[253, 254].map((length) => '\u{1f600}'.repeat(length)),
]

/** Keys for maps, most of which no map takes. */
const keys: readonly string[] = [
  ...words('a app example.com/a Example.com/a /a a/ a/b/c -a'),
  ...['a b', 'a'.repeat(63), 'a'.repeat(64), `${'a'.repeat(252)}/a`, `${'a'.repeat(253)}/a`, `${'a.'.repeat(126)}/a`],
]

const oddities: readonly unknown[] = [
  null,
  0,
  -1,
  1.5,
  65536,
  2 ** 31,
  true,
  'x',
  '',
  [],
  {},
  [null],
  ['x'],
  [{}],
  { a: null },
]

const pick = <T>(values: readonly T[], draw: Draw): T | undefined => values[draw(values.length)]

const leaves = new WeakMap<Schema, readonly unknown[]>()

/** What a field without parts can be. */
function choices(schema: Schema): readonly unknown[] {
  const known = leaves.get(schema)
  if (known !== undefined) return known
  const { minimum = 0, maximum = 1000 } = schema
  const numbers = [minimum, minimum + 1, 80, 443, maximum].filter((number) => number >= minimum && number <= maximum)
  const fitting =
    schema.enum ??
    (schema.type === 'boolean'
      ? [false, true]
      : schema.type === 'integer'
        ? numbers
        : pool.filter((text) => fits(text, schema)))
  leaves.set(schema, fitting)
  return fitting
}

/** The field in which each value of a union's discriminator is configured: for type URLRewrite, urlRewrite. */
function unionOf({
  properties = {},
}: Schema): { readonly name: string; readonly members: ReadonlyMap<unknown, string> } | undefined {
  for (const [name, { enum: values = [] }] of Object.entries(properties)) {
    const members = new Map<unknown, string>()
    for (const value of values) {
      const member = Object.keys(properties).find(
        (other) => other !== name && other.toLowerCase() === `${value}`.toLowerCase(),
      )
      if (member !== undefined) members.set(value, member)
    }
    if (members.size > 0) return { name, members }
  }
  return undefined
}

/** Fields that are required, or that a CEL rule asks of most objects: the port of a reference to a Service. */
function wantedOf({
  required = [],
  properties = {},
  'x-kubernetes-validations': rules = [],
}: Schema): readonly string[] {
  return 'port' in properties && rules.some(({ rule }) => rule.includes('has(self.port)'))
    ? [...required, 'port']
    : required
}

/** A value that fits a schema's structure. `rich`: with optional fields and more than the least of items. */
function generate(schema: Schema, draw: Draw, rich: boolean): unknown {
  if (schema.type === 'array') return generateList(schema, draw, rich)
  if (schema.additionalProperties !== undefined) {
    const count = rich ? draw(3) : 0
    return Object.fromEntries(
      keys.slice(0, count).map((key) => [key, generate(schema.additionalProperties ?? {}, draw, rich)]),
    )
  }
  if (schema.type === 'object') return generateObject(schema, draw, rich)
  // The first choices come often, so that twins do too.
  const all = choices(schema)
  return pick(draw(2) === 0 ? all.slice(0, 3) : all, draw)
}

function generateObject(schema: Schema, draw: Draw, rich: boolean): Fields {
  const union = unionOf(schema)
  const choice = union === undefined ? undefined : pick([...union.members.keys()], draw)
  const members = new Set(union?.members.values())
  const wanted = new Set(wantedOf(schema))
  const fields: Fields = {}
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (union !== undefined && name === union.name) fields[name] = choice
    else if (members.has(name) ? name === union?.members.get(choice) : wanted.has(name) || (rich && draw(5) > 2)) {
      fields[name] = generate(property, draw, rich)
    }
  }
  return schema.oneOf === undefined || fits(settle(fields, schema), schema) ? fields : {}
}

function generateList(schema: Schema, draw: Draw, rich: boolean): unknown[] {
  const { items = {}, minItems = 0, maxItems = 3 } = schema
  const count = Math.min(minItems + draw(rich ? 4 : 2), maxItems)
  const list = Array.from({ length: count }, () => generate(items, draw, rich))
  const mapKeys = schema['x-kubernetes-list-map-keys']
  if (mapKeys === undefined && schema['x-kubernetes-list-type'] !== 'set') return list
  const identity = (item: unknown) =>
    JSON.stringify(isFields(item) && mapKeys !== undefined ? mapKeys.map((key) => item[key]) : item)
  return [...new Map(list.map((item) => [identity(item), item])).values()]
}

interface Spot {
  readonly schema: Schema
  readonly holder: Fields | unknown[]
  readonly key: string | number
}

/** Every field and item of a value. */
function spots(value: unknown, schema: Schema): Spot[] {
  const { properties, additionalProperties, items = {} } = schema
  if (Array.isArray(value)) {
    return value.flatMap((item, key) => [{ holder: value, key, schema: items }, ...spots(item, items)])
  }
  if (!isFields(value)) return []
  return Object.entries(value).flatMap(([key, field]) => {
    const below = properties?.[key] ?? additionalProperties ?? {}
    return [{ holder: value, key, schema: below }, ...spots(field, below)]
  })
}

/** The same object with an optional field more or less: references to one thing, made in different ways. */
function variant(item: unknown, schema: Schema, draw: Draw): unknown {
  const copy = structuredClone(item)
  const optional = Object.keys(schema.properties ?? {}).filter((name) => !schema.required?.includes(name))
  const name = pick(optional, draw)
  if (!isFields(copy) || name === undefined) return copy
  if (name in copy) delete copy[name]
  else copy[name] = generate(schema.properties?.[name] ?? {}, draw, false)
  return copy
}

function mutateList(list: unknown[], { items = {}, maxItems = 20 }: Schema, draw: Draw): void {
  const item = pick(list, draw) ?? generate(items, draw, false)
  switch (draw(5)) {
    case 0:
      list.length = 0
      return
    case 1: {
      const length = Math.min(maxItems, 128) + draw(2)
      while (list.length < length) list.push(structuredClone(item))
      return
    }
    case 2:
      list.push(structuredClone(item))
      return
    case 3:
      list.push(variant(item, items, draw))
      return
    default: {
      // Three times the same, with one of the lists in it as long as it may be.
      const [name, { items: below = {}, maxItems: length = 0 }] = pick(
        Object.entries(items.properties ?? {}),
        draw,
      ) ?? ['', {}]
      if (isFields(item) && length > 0) item[name] = Array.from({ length }, () => generate(below, () => 0, false))
      list.splice(0, list.length, item, structuredClone(item), structuredClone(item))
    }
  }
}

function mutateObject(fields: Fields, schema: Schema, draw: Draw): void {
  if (schema.additionalProperties !== undefined) {
    const count = draw(7) === 6 ? 17 : 1
    for (let index = 0; index < count; index++) {
      const key = count === 1 ? pick(keys, draw) : `key-${index}`
      if (key !== undefined) fields[key] = generate(schema.additionalProperties, draw, false)
    }
    return
  }
  const missing = Object.keys(schema.properties ?? {}).filter((name) => !(name in fields))
  const name = draw(10) === 9 ? 'unknown' : pick(missing, draw)
  if (name !== undefined) fields[name] = generate(schema.properties?.[name] ?? {}, draw, false)
}

/** Changes one thing in what `holder` has below `value`. */
function mutate(holder: { value?: unknown }, schema: Schema, draw: Draw): void {
  const all = spots(holder, { properties: { value: schema } })
  const spot = draw(4) === 0 ? all[0] : pick(all, draw)
  if (spot === undefined) return
  const { key, schema: at } = spot
  const fields: Fields = Object(spot.holder)
  const current = fields[key]
  const kind = draw(6)
  if (kind === 0) {
    if (Array.isArray(spot.holder)) spot.holder.splice(Number(key), 1)
    else delete fields[key]
  } else if (kind === 1) fields[key] = structuredClone(pick(oddities, draw))
  else if (typeof current === 'string') fields[key] = pick(kind === 2 ? pool : choices(at), draw) ?? current
  else if (typeof current === 'number') {
    const { minimum = 0, maximum = 1000 } = at
    fields[key] = pick([minimum, minimum - 1, maximum, maximum + 1, minimum + 1], draw)
  } else if (Array.isArray(current)) mutateList(current, at, draw)
  else if (isFields(current)) mutateObject(current, at, draw)
}

/** A value that fits, with up to three things changed. */
function changed(schema: Schema, draw: Draw): unknown {
  const value = generate(schema, draw, true)
  const holder: { value?: unknown } = { value: structuredClone(value) }
  for (let left = draw(4); left > 0; left--) mutate(holder, schema, draw)
  return 'value' in holder ? holder.value : value
}

/** A value with `make`'s where the path leads, and little around it. */
function focused(
  schema: Schema,
  [step, ...rest]: readonly string[],
  draw: Draw,
  make: (schema: Schema) => unknown,
): unknown {
  if (step === undefined) return make(schema)
  if (step === '{}') return { app: focused(schema.additionalProperties ?? {}, rest, draw, make) }
  if (step === '[]') {
    const { items = {}, minItems = 0 } = schema
    return Array.from({ length: Math.max(minItems, 1 + draw(2)) }, () => focused(items, rest, draw, make))
  }
  const fields = generateObject(schema, draw, false)
  const union = unionOf(schema)
  const type = union === undefined ? undefined : [...union.members].find(([, member]) => member === step)?.[0]
  if (union !== undefined && type !== undefined) {
    for (const member of union.members.values()) delete fields[member]
    fields[union.name] = type
  }
  fields[step] = focused(schema.properties?.[step] ?? {}, rest, draw, make)
  return fields
}

/** Of a path as ".rules[].filters" or ".infrastructure.labels{}". */
const steps = (path: string): readonly string[] => path.match(/\[\]|\{\}|[^.[\]{}]+/g) ?? []

/** A spec that is mostly valid, and rich where `path` leads. */
export const specAt = (schema: Schema, path: string, draw: Draw): unknown =>
  focused(schema, steps(path), draw, (at) => changed(at, draw))

const least: Draw = () => 0

/** Every path of a schema, the root's "" first. */
function paths(schema: Schema, path = ''): string[] {
  const { properties = {}, items, additionalProperties } = schema
  return [
    path,
    ...Object.entries(properties).flatMap(([name, property]) => paths(property, `${path}.${name}`)),
    ...(items === undefined ? [] : paths(items, `${path}[]`)),
    ...(additionalProperties === undefined ? [] : paths(additionalProperties, `${path}{}`)),
  ]
}

/** What a field may be at the edge of its limits, and beyond. */
function edges(schema: Schema): unknown[] {
  const { type, properties, minimum, maximum, required = [], additionalProperties } = schema
  if (schema.enum !== undefined) return [...schema.enum, ...pool.slice(0, 10)]
  if (type === 'string') return [...pool]
  if (type === 'integer')
    return [minimum, maximum].flatMap((limit) => (limit === undefined ? [] : [limit - 1, limit, limit + 1]))
  if (additionalProperties !== undefined)
    return keys.map((key) => ({ [key]: generate(additionalProperties, least, false) }))
  if (properties !== undefined) {
    return [...required, ''].map((missing) => {
      const whole = generateObject(schema, least, false)
      return Object.fromEntries(Object.entries(whole).filter(([name]) => name !== missing))
    })
  }
  return type === 'array' ? listEdges(schema) : []
}

/** Lists as short and long as they may be, of items that differ where they have to. */
function listEdges({ items = {}, maxItems = 20, 'x-kubernetes-list-map-keys': [key] = [] }: Schema): unknown[] {
  const item = (index: number) => {
    const one = generate(items, (n) => index % n, false)
    const distinct =
      key === undefined ? undefined : items.properties?.[key]?.type === 'integer' ? index + 1 : `name-${index}`
    return isFields(one) && key !== undefined ? { ...one, [key]: distinct } : one
  }
  const lengths = [1, 2, maxItems, maxItems + 1]
  return [[], ...lengths.map((length) => Array.from({ length }, (_, index) => item(index))), [item(0), item(0)]]
}

/** Specs with little in them but one field, which is at an edge of what it may be, or of the wrong type. */
export function* edgeSpecs(schema: Schema): Generator<unknown> {
  for (const path of paths(schema)) {
    let values: unknown[] = []
    focused(schema, steps(path), least, (at) => {
      values = [...edges(at), ...oddities]
    })
    for (const value of values) yield focused(schema, steps(path), least, () => structuredClone(value))
  }
}
