import * as z from 'zod'
import { headerName, integer, list, port, preciseHostname, set, text } from '../fields.ts'
import { rule } from '../rule.ts'
import { filterUnion, headerFilter, onceEach, requestMirror } from './filters.ts'
import { pathPattern } from './http-matches.ts'
import { backendObjectReference, localObjectReference } from './references.ts'

/** HTTPPathModifier. */
const pathModifier = z
  .object({
    type: z.enum(['ReplaceFullPath', 'ReplacePrefixMatch']),
    replaceFullPath: text('a path', 1024, undefined, 0).exactOptional(),
    replacePrefixMatch: text('a path', 1024, undefined, 0).exactOptional(),
  })
  .check(
    rule((modifier, report) => {
      const { type, replaceFullPath, replacePrefixMatch } = modifier
      const [own, other] =
        type === 'ReplaceFullPath'
          ? (['replaceFullPath', 'replacePrefixMatch'] as const)
          : (['replacePrefixMatch', 'replaceFullPath'] as const)
      if (modifier[own] === undefined) report([own], `is missing; type ${type} needs the path to put in`)
      if (replaceFullPath !== undefined && replacePrefixMatch !== undefined)
        report([other], `does not go with type ${type}; remove it`)
      else if (modifier[other] !== undefined) report([other], `does not go with type ${type}; change one of the two`)
    }),
  )
export type PathModifier = z.output<typeof pathModifier>

/** HTTPRequestRedirectFilter. */
export const requestRedirect = z.object({
  scheme: z.enum(['http', 'https']).exactOptional(),
  hostname: preciseHostname.exactOptional(),
  path: pathModifier.exactOptional(),
  port: port.exactOptional(),
  statusCode: z.literal([301, 302, 303, 307, 308]).default(302),
})
export type RequestRedirect = z.output<typeof requestRedirect>

/** HTTPURLRewriteFilter. */
export const urlRewrite = z.object({
  hostname: preciseHostname.exactOptional(),
  path: pathModifier.exactOptional(),
})
export type UrlRewrite = z.output<typeof urlRewrite>

const starAlone = (what: string) =>
  rule<string[]>((values, report) => {
    const star = values.indexOf('*')
    if (star !== -1 && values.length > 1)
      report([star], `"*" means every ${what} and stands alone; remove it or the others`)
  })

const origin = text(
  'an origin such as https://example.com, https://*.example.com or http://localhost:8080, or "*"',
  253,
  /(^\*$)|(^https?:\/\/((\*\.)?([a-zA-Z0-9-]+\.)*[a-zA-Z0-9-]+|\*)(:[0-9]{1,5})?$)/,
)

/** HTTPCORSFilter. */
export const cors = z.object({
  allowOrigins: set(origin, 64).check(starAlone('origin')).exactOptional(),
  allowCredentials: z.boolean().exactOptional(),
  allowMethods: set(z.enum(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', '*']), 9)
    .check(starAlone('method'))
    .exactOptional(),
  allowHeaders: set(headerName, 64).check(starAlone('header')).exactOptional(),
  exposeHeaders: set(headerName, 64).exactOptional(),
  maxAge: integer('a number of seconds from 1', 1).default(5),
})
export type Cors = z.output<typeof cors>

const names = set(z.string(), 64)

/** HTTPExternalAuthFilter. */
const externalAuth = z
  .object({
    protocol: z.enum(['HTTP', 'GRPC']),
    backendRef: backendObjectReference,
    grpc: z.object({ allowedHeaders: names.exactOptional() }).exactOptional(),
    http: z
      .object({
        path: text('a path', 1024, pathPattern, 0).exactOptional(),
        allowedHeaders: names.exactOptional(),
        allowedResponseHeaders: names.exactOptional(),
      })
      .exactOptional(),
    forwardBody: z.object({ maxSize: z.number().int().exactOptional() }).exactOptional(),
  })
  .check(
    rule((auth, report) => {
      const [own, other] = auth.protocol === 'GRPC' ? (['grpc', 'http'] as const) : (['http', 'grpc'] as const)
      if (auth[own] === undefined) report([own], `is missing; protocol ${auth.protocol} is configured there`)
      if (auth[other] !== undefined)
        report([other], `does not go with protocol ${auth.protocol}; change one of the two`)
    }),
  )

/** HTTPRouteFilter. */
const httpFilter = z
  .object({
    type: z.enum([
      'RequestHeaderModifier',
      'ResponseHeaderModifier',
      'RequestMirror',
      'RequestRedirect',
      'URLRewrite',
      'ExtensionRef',
      'CORS',
      'ExternalAuth',
    ]),
    requestHeaderModifier: headerFilter.exactOptional(),
    responseHeaderModifier: headerFilter.exactOptional(),
    requestMirror: requestMirror.exactOptional(),
    requestRedirect: requestRedirect.exactOptional(),
    urlRewrite: urlRewrite.exactOptional(),
    cors: cors.exactOptional(),
    externalAuth: externalAuth.exactOptional(),
    extensionRef: localObjectReference.exactOptional(),
  })
  .check(rule(filterUnion))
export type HTTPRouteFilter = z.output<typeof httpFilter>

/** HTTPRouteRule.filters and HTTPBackendRef.filters. */
export const httpFilters = list(httpFilter, 16)
  .check(onceEach('RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestRedirect', 'URLRewrite', 'CORS'))
  .check(
    rule((filters, report) => {
      const rewrite = filters.findIndex(({ type }) => type === 'URLRewrite')
      const redirect = filters.findIndex(({ type }) => type === 'RequestRedirect')
      if (rewrite !== -1 && redirect !== -1) {
        report(
          [rewrite],
          `URLRewrite does not go with the RequestRedirect at filters[${redirect}]; remove one of the two`,
        )
      }
    }),
  )
