import * as z from 'zod'
import { headerName, headerValue, list, text } from '../fields.ts'
import { type Report, rule, unique } from '../rule.ts'

/** The characters of RFC 3986's pchar and "/". */
export const pathPattern = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/

/** What an Exact or PathPrefix value must not hold, since it does not mean itself in a path. */
const refused: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/\/\//, 'holds "//"; write one "/"'],
  [/\/\.\//, 'holds "/./"; leave it out'],
  [/\/\.\.\//, 'holds "/../"; write the path that it leads to'],
  [/%2f/i, 'holds an encoded "/"; write "/", or match by RegularExpression'],
  [/#/, 'holds "#", which no request path has; leave out the fragment'],
  [/\/\.\.$/, 'ends with "/.."; write the path that it leads to'],
  [/\/\.$/, 'ends with "/."; leave it out'],
]

function pathFault({ type, value }: { readonly type: string; readonly value: string }, report: Report): void {
  if (type === 'RegularExpression') return
  if (!value.startsWith('/')) {
    report(['value'], `${JSON.stringify(value)} does not begin with "/"; write ${JSON.stringify(`/${value}`)}`)
    return
  }
  const found = refused.find(([pattern]) => pattern.test(value))
  if (found !== undefined) report(['value'], `${JSON.stringify(value)} ${found[1]}`)
  else if (!pathPattern.test(value)) {
    report(
      ['value'],
      `${JSON.stringify(value)} holds a character that no path has; percent-encode it, such as %20 for a space`,
    )
  }
}

/** HTTPPathMatch. */
const pathMatch = z
  .object({
    type: z.enum(['Exact', 'PathPrefix', 'RegularExpression']).default('PathPrefix'),
    value: text('a path', 1024, undefined, 0).default('/'),
  })
  .check(rule(pathFault))
export type HTTPPathMatch = z.output<typeof pathMatch>

const matchType = z.enum(['Exact', 'RegularExpression']).default('Exact')

/** HTTPHeaderMatch. */
const headerMatch = z.object({ type: matchType, name: headerName, value: headerValue })
export type HTTPHeaderMatch = z.output<typeof headerMatch>

/** HTTPQueryParamMatch. */
const queryParamMatch = z.object({ type: matchType, name: headerName, value: text('a value', 1024) })
export type HTTPQueryParamMatch = z.output<typeof queryParamMatch>

/** HTTPRouteMatch. */
const httpMatch = z.object({
  path: pathMatch.prefault({}),
  headers: list(headerMatch, 16)
    .check(unique(({ name }) => name, ['name']))
    .exactOptional(),
  queryParams: list(queryParamMatch, 16)
    .check(unique(({ name }) => name, ['name']))
    .exactOptional(),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']).exactOptional(),
})
export type HTTPRouteMatch = z.output<typeof httpMatch>

/** HTTPRouteRule.matches; without any, every request matches. */
export const httpMatches = list(httpMatch, 64).prefault([{}])
