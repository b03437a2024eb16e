import { type ScalarTag, Schema } from 'yaml'

// Plain scalars mean what they mean to kubectl (sigs.k8s.io/yaml): YAML 1.1's words and numbers, without its times of day
// in base 60 and its dates, which stay text. A %YAML directive changes nothing.

const bool = (value: boolean, test: RegExp): ScalarTag => ({
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  test,
  resolve: () => value,
})

const digits = (text: string): string => text.replaceAll('_', '').replace(/^\+/, '')

const integer = (test: RegExp, base: number, prefix: RegExp): ScalarTag => ({
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test,
  resolve: (text) => {
    const plain = digits(text)
    const magnitude = Number.parseInt(plain.replace(prefix, ''), base)
    return plain.startsWith('-') ? -magnitude : magnitude
  },
})

const float = (test: RegExp, resolve: (text: string) => number): ScalarTag => ({
  tag: 'tag:yaml.org,2002:float',
  default: true,
  test,
  resolve,
})

export const yamlSchema = new Schema({
  schema: 'failsafe',
  customTags: (tags) => [
    ...tags,
    { tag: 'tag:yaml.org,2002:null', default: true, test: /^(?:~|[Nn]ull|NULL)?$/, resolve: () => null },
    bool(true, /^(?:[Tt]rue|TRUE|[Yy]|[Yy]es|YES|[Oo]n|ON)$/),
    bool(false, /^(?:[Ff]alse|FALSE|[Nn]|[Nn]o|NO|[Oo]ff|OFF)$/),
    integer(/^[-+]?0o?[0-7_]+$/, 8, /^-?0o?/),
    integer(/^[-+]?(?:0|[1-9][0-9_]*)$/, 10, /^-/),
    integer(/^[-+]?0[xX][0-9a-fA-F_]+$/, 16, /^-?0[xX]/),
    integer(/^[-+]?0[bB][01_]+$/, 2, /^-?0[bB]/),
    float(/^[-+]?(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$/, (text) => Number(digits(text))),
    float(/^[-+]?\.(?:inf|Inf|INF)$/, (text) => (text.startsWith('-') ? -Infinity : Infinity)),
    float(/^\.(?:nan|NaN|NAN)$/, () => Number.NaN),
  ],
})
