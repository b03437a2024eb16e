import * as z from 'zod'
import { duration, hostname, integer, list, milliseconds, sectionName, set } from '../fields.ts'
import { objectMeta } from '../metadata.ts'
import { type Report, rule } from '../rule.ts'
import { type HTTPRouteFilter, httpFilters } from './http-filters.ts'
import { type HTTPRouteMatch, httpMatches } from './http-matches.ts'
import { filteredBackendReference } from './references.ts'
import { routeSpec, totalMatches, uniqueRuleNames } from './route.ts'
import { sessionPersistence } from './session-persistence.ts'
import { versions } from './versions.ts'

/** HTTPRouteTimeouts. "0s" switches one off. */
const timeouts = z.object({ request: duration.exactOptional(), backendRequest: duration.exactOptional() }).check(
  rule(({ request, backendRequest }, report) => {
    if (request === undefined || backendRequest === undefined) return
    const whole = milliseconds(request)
    if (whole !== 0 && milliseconds(backendRequest) > whole) {
      report(['backendRequest'], `${backendRequest} is longer than the whole request may take, ${request}; shorten it`)
    }
  }),
)
export type HTTPRouteTimeouts = z.output<typeof timeouts>

/** HTTPRouteRetry. */
const retry = z.object({
  codes: set(integer('a status code from 400 to 599', 400, 599)).exactOptional(),
  attempts: integer('a number of retries from 1', 1, Number.MAX_SAFE_INTEGER).exactOptional(),
  backoff: duration.exactOptional(),
})
export type HTTPRouteRetry = z.output<typeof retry>

const httpBackendReference = filteredBackendReference(httpFilters)
export type HTTPBackendReference = z.output<typeof httpBackendReference>

/** Type and field of the filters that can replace a matched prefix. */
const prefixReplacers = ['requestRedirect', 'urlRewrite'] as const

/** Places of the filters that replace the matched prefix by means of `field`. */
const replacing = (filters: readonly HTTPRouteFilter[], field: (typeof prefixReplacers)[number]): number[] =>
  filters.flatMap((filter, index) => (filter[field]?.path?.replacePrefixMatch === undefined ? [] : [index]))

const hasOnePrefix = (matches: readonly HTTPRouteMatch[]): boolean =>
  matches.length === 1 && matches[0]?.path.type === 'PathPrefix'

interface PrefixRule {
  readonly matches: readonly HTTPRouteMatch[]
  readonly filters?: readonly HTTPRouteFilter[]
  readonly backendRefs?: readonly { readonly filters?: readonly HTTPRouteFilter[] }[]
}

/** ReplacePrefixMatch replaces what one PathPrefix match has matched. As in the API's own rules, the check is off where two
 *  filters of a list, or the filters of two backendRefs, do so. */
function prefixIsKnown({ matches, filters = [], backendRefs = [] }: PrefixRule, report: Report): void {
  if (hasOnePrefix(matches)) return
  const wanted = 'needs a rule with exactly one match, of path type PathPrefix; split the rule, or use ReplaceFullPath'
  for (const field of prefixReplacers) {
    const [place, ...more] = replacing(filters, field)
    if (place !== undefined && more.length === 0) {
      report(['filters', place, field, 'path', 'replacePrefixMatch'], wanted)
    }
    const backends = backendRefs.flatMap((backend, index) => {
      const found = replacing(backend.filters ?? [], field)
      return found.length === 1 ? [{ index, place: found[0] ?? 0 }] : []
    })
    if (backends.length !== 1) continue
    for (const { index, place } of backends) {
      report(['backendRefs', index, 'filters', place, field, 'path', 'replacePrefixMatch'], wanted)
    }
  }
}

const httpRule = z
  .object({
    name: sectionName.exactOptional(),
    matches: httpMatches,
    filters: httpFilters.exactOptional(),
    backendRefs: list(httpBackendReference, 16).exactOptional(),
    timeouts: timeouts.exactOptional(),
    retry: retry.exactOptional(),
    sessionPersistence: sessionPersistence.exactOptional(),
  })
  .check(
    rule((self, report) => {
      prefixIsKnown(self, report)
      const redirect = self.filters?.findIndex(({ requestRedirect }) => requestRedirect !== undefined) ?? -1
      if (redirect !== -1 && self.backendRefs !== undefined && self.backendRefs.length > 0) {
        report(
          ['backendRefs'],
          `filters[${redirect}] redirects every request, so none reaches a backend; remove one of the two`,
        )
      }
    }),
  )
export type HTTPRouteRule = z.output<typeof httpRule>

export const httpRoute = z.object({
  apiVersion: versions('v1', 'v1beta1'),
  kind: z.literal('HTTPRoute'),
  metadata: objectMeta,
  spec: z.object({
    ...routeSpec,
    hostnames: list(hostname, 16).exactOptional(),
    rules: list(httpRule, 16, 1).check(uniqueRuleNames).check(totalMatches).prefault([{}]),
  }),
})
export type HTTPRoute = z.output<typeof httpRoute>
