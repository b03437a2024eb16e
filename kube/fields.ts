import { isIPv4, isIPv6 } from 'node:net'
import * as z from 'zod'
import { rule, unique } from './rule.ts'

// Every pattern here takes time linear in its input, or quadratic on input that a limit of length keeps short. A pattern
// that repeats a group needs such a limit, too, since it takes stack by the length of its input.
const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const subdomain = `${label}(\\.${label})*`

/** RFC 1123 label. */
export const labelPattern = new RegExp(`^${label}$`)
/** RFC 1123 subdomain. */
export const subdomainPattern = new RegExp(`^${subdomain}$`)
export const wildcardHostPattern = new RegExp(`^(\\*\\.)?${subdomain}$`)
/** "example.com/name", with the characters of a URL's path in the name. */
export const domainPrefixed = `${subdomain}\\/[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+`
/** The name in a label's or annotation's key, after the optional "example.com/". */
const qualifiedName = '([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]'
export const qualifiedNamePattern = new RegExp(`^(${subdomain}\\/)?${qualifiedName}$`)
export const domainPrefixedName = `${subdomain}\\/${qualifiedName}`
const labelValuePattern = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/
/** RFC 9110 section 5.6.2, token. */
const tokenPattern = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/

/** As the API server counts: code points, not UTF-16 units. */
const characters = (value: string): number => {
  let count = 0
  for (const _ of value) count++
  return count
}

const shown = (value: string): string => JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)

/** Text that `is` describes in words, for the error. */
export const text = (is: string, max: number, pattern?: RegExp, min = 1) => {
  const error: z.core.$ZodErrorMap = ({ input }) => {
    if (input === undefined) return `is missing; write ${is}`
    // Quotes alone make no duration of 10.
    return typeof input === 'number' && pattern?.test(`${input}`) === false
      ? `is the number ${input}; write ${is}`
      : undefined
  }
  return z.string({ error }).check(
    rule((value, report) => {
      if (value.length < min) report([], `is empty; write ${is}`)
      else if (value.length > max && characters(value) > max) {
        report([], `has ${characters(value)} characters; at most ${max} fit`, true)
      } else if (pattern?.test(value) === false) report([], `${shown(value)} does not fit; write ${is}`)
    }),
  )
}

/** A whole number. Without limits of its own, those of 32 bits. */
export const integer = (is: string, min = -0x80000000, max = 0x7fffffff) =>
  z.number({ error: (issue) => (issue.input === undefined ? `is missing; write ${is}` : undefined) }).check(
    rule((value, report) => {
      if (!Number.isInteger(value)) report([], `${value} is not a whole number; write ${is}`)
      else if (value < min || value > max) report([], `${value} is out of range; write ${is}`)
    }),
  )

/** A list of `min` to `max` items. */
export const list = <Item extends z.ZodType>(item: Item, max: number, min = 0) =>
  z.array(item).check(
    rule((items, report) => {
      if (items.length < min) report([], `is an empty list; at least ${min} item is needed`)
      if (items.length > max) report([], `has ${items.length} items; at most ${max} fit`, true)
    }),
  )

/** x-kubernetes-list-type "set". */
export const set = <Item extends z.ZodType<string | number>>(item: Item, max = Number.POSITIVE_INFINITY) =>
  list(item, max).check(unique((value) => value))

export const subdomainWords = 'lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit'
export const labelWords = 'lower-case letters, digits and "-", beginning and ending with a letter or digit'

export const objectName = text('the name of the object that is meant', 253)
export const namespace = text(`the name of a namespace: ${labelWords}`, 63, labelPattern)
export const sectionName = text(`a name of ${subdomainWords}`, 253, subdomainPattern)
export const preciseHostname = text(`a hostname such as web.example.com: ${subdomainWords}`, 253, subdomainPattern)
export const hostname = text(
  `a hostname such as web.example.com or *.example.com: ${subdomainWords}, without scheme or port`,
  253,
  wildcardHostPattern,
)
/** An API group; "" is the core group. */
export const group = text(
  'an API group such as gateway.networking.k8s.io, or "" for the core group, without a version',
  253,
  new RegExp(`^$|^${subdomain}$`),
  0,
)
export const kind = text('a kind such as Service: letters, digits and "-"', 63, /^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/)
export const port = integer('a port number from 1 to 65535', 1, 65535)
export const headerName = text("a header's name: letters, digits and any of !#$%&'*+-.^_`|~", 256, tokenPattern)
/** Visible ASCII, with single spaces or tabs between. */
export const headerValue = text(
  'a header value: visible ASCII characters, with single spaces between',
  4096,
  /^[!-~]+(?:[\t ][!-~]+)*$/,
)
/** GEP-2257. */
export const duration = text(
  'a duration such as 500ms, 10s or 1h30m, of units h, m, s and ms, up to five digits each and without a fraction',
  Number.POSITIVE_INFINITY,
  /^([0-9]{1,5}(h|m|s|ms)){1,4}$/,
)

const millisecondsOf = new Map([
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
])

/** Milliseconds of a GEP-2257 duration that has passed validation. */
export function milliseconds(duration: string): number {
  let sum = 0
  for (const [, digits, unit = ''] of duration.matchAll(/([0-9]+)(h|ms|m|s)/g)) {
    sum += Number(digits) * (millisecondsOf.get(unit) ?? 0)
  }
  return sum
}

/** RFC 1123, with or without the dot of the root. */
export const isHostname = (value: string): boolean =>
  value.length <= 254 && subdomainPattern.test(value.endsWith('.') ? value.slice(0, -1) : value)

export const isIPAddress = (value: string): boolean => isIPv4(value) || (isIPv6(value) && !value.includes('%'))

export const ipAddress = z.string().check(
  rule((value, report) => {
    if (!isIPAddress(value)) report([], `${JSON.stringify(value.slice(0, 60))} is no IP address`)
  }),
)

/** What is wrong with the key of a label or annotation; undefined when nothing is. */
export function qualifiedNameFault(key: string): string | undefined {
  const prefix = key.slice(0, Math.max(key.indexOf('/'), 0))
  if (prefix.length > 253) return `the part of ${shown(key)} before "/" is longer than 253 characters`
  if (key.length <= prefix.length + 64 && qualifiedNamePattern.test(key)) return undefined
  return `${shown(key)} is no valid key; write up to 63 letters, digits, "-", "_" or ".", after an optional "example.com/"`
}

export function labelValueFault(value: string): string | undefined {
  if (value.length <= 63 && labelValuePattern.test(value)) return undefined
  return `${shown(value)} is no label value; write up to 63 letters, digits, "-", "_" or ".", beginning and ending with a letter or digit`
}

/** Texts by text. YAML's empty value (`key:`) is an empty text, as the API server reads it. */
export const texts = z.record(
  z.string(),
  z
    .string()
    .nullable()
    .transform((value) => value ?? ''),
)

/** metav1.LabelSelector. The API's definitions leave its contents unchecked. */
export const labelSelector = z.object({
  matchLabels: z.record(z.string(), z.string()).exactOptional(),
  matchExpressions: z
    .array(
      z.object({
        key: z.string(),
        operator: z.string(),
        values: z.array(z.string()).exactOptional(),
      }),
    )
    .exactOptional(),
})
export type LabelSelector = z.output<typeof labelSelector>
