import { Schema } from 'yaml'

// Plain scalars mean what they mean to kubectl (sigs.k8s.io/yaml): YAML 1.1's words and numbers, without its times of day
// in base 60 and its dates, which stay text. A %YAML directive changes nothing.

interface Meaning {
  readonly type: 'null' | 'bool' | 'int' | 'float'
  readonly test: RegExp
  readonly resolve: (text: string) => unknown
}

const digits = (text: string): string => text.replaceAll('_', '').replace(/^\+/, '')

const integer = (test: RegExp, base: number, prefix: RegExp): Meaning => ({
  type: 'int',
  test,
  resolve: (text) => {
    const plain = digits(text)
    const magnitude = Number.parseInt(plain.replace(prefix, ''), base)
    return plain.startsWith('-') ? -magnitude : magnitude
  },
})

const meanings: readonly Meaning[] = [
  { type: 'null', test: /^(?:~|[Nn]ull|NULL)?$/, resolve: () => null },
  { type: 'bool', test: /^(?:[Tt]rue|TRUE|[Yy]|[Yy]es|YES|[Oo]n|ON)$/, resolve: () => true },
  { type: 'bool', test: /^(?:[Ff]alse|FALSE|[Nn]|[Nn]o|NO|[Oo]ff|OFF)$/, resolve: () => false },
  integer(/^[-+]?(?:0|[1-9][0-9_]*)$/, 10, /^-/),
  integer(/^[-+]?0o?[0-7_]+$/, 8, /^-?0o?/),
  integer(/^[-+]?0[xX][0-9a-fA-F_]+$/, 16, /^-?0[xX]/),
  integer(/^[-+]?0[bB][01_]+$/, 2, /^-?0[bB]/),
  {
    type: 'float',
    test: /^[-+]?(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$/,
    resolve: (text) => Number(digits(text)),
  },
  {
    type: 'float',
    test: /^[-+]?\.(?:inf|Inf|INF)$/,
    resolve: (text) => (text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY),
  },
  { type: 'float', test: /^\.(?:nan|NaN|NAN)$/, resolve: () => Number.NaN },
]

/** How a scalar that is no text begins. */
const meaningful = /^(?:[-+.0-9~yYnNtTfFoO]|$)/

/** What a scalar without quotes or tag means. */
export function resolvePlain(text: string): unknown {
  if (!meaningful.test(text)) return text
  const meaning = meanings.find(({ test }) => test.test(text))
  return meaning === undefined ? text : meaning.resolve(text)
}

export const yamlSchema = new Schema({
  schema: 'failsafe',
  customTags: (tags) => [
    ...tags,
    ...meanings.map(({ type, test, resolve }) => ({ tag: `tag:yaml.org,2002:${type}`, default: true, test, resolve })),
  ],
})
