import * as z from 'zod'
import { headerName, headerValue, integer, list, set } from '../fields.ts'
import { type Report, rule, unique } from '../rule.ts'
import { backendObjectReference } from './references.ts'

const headers = list(z.object({ name: headerName, value: headerValue }), 16).check(unique(({ name }) => name, ['name']))

/** HTTPHeaderFilter. */
export const headerFilter = z.object({
  set: headers.exactOptional(),
  add: headers.exactOptional(),
  remove: set(z.string(), 16).exactOptional(),
})
export type HeaderFilter = z.output<typeof headerFilter>

const fraction = z
  .object({
    numerator: integer('a whole number from 0', 0),
    denominator: integer('a whole number from 1', 1).default(100),
  })
  .check(
    rule(({ numerator, denominator }, report) => {
      if (numerator > denominator) report(['numerator'], `${numerator} is more than the denominator, ${denominator}`)
    }),
  )

/** HTTPRequestMirrorFilter. */
export const requestMirror = z
  .object({
    backendRef: backendObjectReference,
    percent: integer('a whole number from 0 to 100', 0, 100).exactOptional(),
    fraction: fraction.exactOptional(),
  })
  .check(
    rule(({ percent, fraction }, report) => {
      if (percent !== undefined && fraction !== undefined)
        report(['fraction'], 'stands beside percent; keep one of the two')
    }),
  )
export type RequestMirror = z.output<typeof requestMirror>

/** The field that each type of filter is configured in. */
const fieldOf = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
  ExtensionRef: 'extensionRef',
  CORS: 'cors',
  ExternalAuth: 'externalAuth',
} as const

export type FilterType = keyof typeof fieldOf

/** HTTPRouteFilter and GRPCRouteFilter are unions: the field of `type`, and no other, is set. */
export function filterUnion(filter: { readonly type: FilterType }, report: Report): void {
  const own = fieldOf[filter.type]
  if (!(own in filter)) report([own], `is missing; a filter of type ${filter.type} is configured there`)
  for (const [type, field] of Object.entries(fieldOf)) {
    if (field !== own && field in filter) {
      report([field], `does not go with type ${filter.type}; write type: ${type}, or make it a filter of its own`)
    }
  }
}

/** At most one filter of each of these types. */
export const onceEach = (...types: FilterType[]) =>
  rule<{ readonly type: FilterType }[]>((filters, report) => {
    for (const type of types) {
      const first = filters.findIndex((filter) => filter.type === type)
      filters.forEach((filter, index) => {
        if (filter.type === type && index !== first) {
          report([index], `a list takes one ${type} filter; remove this one or the one at filters[${first}]`)
        }
      })
    }
  })
