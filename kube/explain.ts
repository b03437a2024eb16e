import * as z from 'zod'
import { nearest } from './nearest.ts'

const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text)

function shown(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object with fields'
  return typeof value === 'string' ? `the text ${quoted(value)}` : `the ${typeof value} ${value}`
}

/** The choice that contains the word, or else the one that is nearest. */
function meantBy(word: string, choices: readonly string[]): string | undefined {
  const same = nearest(word, choices)
  if (same !== undefined || word.length < 4) return same
  return choices.find((choice) => choice.toLowerCase().includes(word.toLowerCase()))
}

function wrongChoice(value: unknown, values: readonly unknown[]): string {
  const right = values.length === 1 ? `write ${values[0]}` : `write one of ${values.join(', ')}`
  if (value === undefined) return `is missing; ${right}`
  if (typeof value !== 'string') return `is ${shown(value)}; ${right}`
  const meant = meantBy(
    value,
    values.filter((choice) => typeof choice === 'string'),
  )
  return `${quoted(value)} is no value of this field; ${meant === undefined ? right : `did you mean ${meant}?`}`
}

function wrongType(value: unknown, expected: string): string {
  switch (expected) {
    case 'string':
      if (typeof value === 'number') return `is the number ${value}, and text is needed; put it in quotes`
      if (typeof value !== 'boolean') return `is ${shown(value)}, and text is needed`
      return `is the boolean ${value}, as YAML also reads yes, no, on, off, y and n; put the text in quotes`
    case 'number':
      if (typeof value !== 'string' || value.trim() === '' || !Number.isFinite(Number(value))) {
        return `is ${shown(value)}, and a number is needed`
      }
      return `${quoted(value)} is text, and a number is needed; write ${Number(value)} without quotes`
    case 'boolean':
      return `is ${shown(value)}; write true or false, without quotes`
    case 'array':
      return `is ${shown(value)}, and a list is needed; begin each item with "- "`
    default:
      return `is ${shown(value)}, and an object is needed; ${Array.isArray(value) ? 'remove the "- "' : 'write "field: value", with a space after ":"'}`
  }
}

function missing(schema: unknown, expected: string): string {
  if (expected === 'array') return 'is missing; write a list with at least one item'
  if (!(schema instanceof z.ZodObject)) return 'is missing'
  const fields = Object.entries<z.core.$ZodType>(schema.shape)
  const required = fields.filter(([, field]) => field._zod.optin === undefined)
  const wanted = required.length > 0 ? required : fields
  return `is missing; write it, with ${wanted.map(([name]) => name).join(', ')}`
}

/** What is wrong, and what would be right, where a schema has no words of its own. For `safeParse(value, { error })`. */
export const explain: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'invalid_value') return wrongChoice(issue.input, issue.values)
  if (issue.code !== 'invalid_type') return undefined
  return issue.input === undefined ? missing(issue.inst, issue.expected) : wrongType(issue.input, issue.expected)
}
