import * as z from 'zod'
import { headerName, hostname, list, sectionName, text } from '../fields.ts'
import { objectMeta } from '../metadata.ts'
import { rule, unique } from '../rule.ts'
import { filterUnion, headerFilter, onceEach, requestMirror } from './filters.ts'
import { filteredBackendReference, localObjectReference } from './references.ts'
import { routeSpec, totalMatches, uniqueRuleNames } from './route.ts'
import { sessionPersistence } from './session-persistence.ts'
import { versions } from './versions.ts'

const matchType = z.enum(['Exact', 'RegularExpression']).default('Exact')
const servicePattern = /^\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$/i
const methodPattern = /^[A-Za-z_][A-Za-z_0-9]*$/

/** GRPCMethodMatch. */
const methodMatch = z
  .object({
    type: matchType,
    service: text('a service', 1024, undefined, 0).exactOptional(),
    method: text('a method', 1024, undefined, 0).exactOptional(),
  })
  .check(
    rule(({ type, service, method }, report) => {
      if (service === undefined && method === undefined) report([], 'names no service and no method; give one or both')
      if (type !== 'Exact') return
      if (service !== undefined && !servicePattern.test(service)) {
        report(
          ['service'],
          `${JSON.stringify(service)} is no gRPC service; write names joined by ".", such as shop.v1.Cart`,
        )
      }
      if (method !== undefined && !methodPattern.test(method)) {
        report(
          ['method'],
          `${JSON.stringify(method)} is no gRPC method; write letters, digits and "_", such as GetItem`,
        )
      }
    }),
  )

/** GRPCHeaderMatch. */
const headerMatch = z.object({ type: matchType, name: headerName, value: text('a value', 4096) })

/** GRPCRouteMatch. */
const grpcMatch = z.object({
  method: methodMatch.exactOptional(),
  headers: list(headerMatch, 16)
    .check(unique(({ name }) => name, ['name']))
    .exactOptional(),
})
export type GRPCRouteMatch = z.output<typeof grpcMatch>

/** GRPCRouteFilter. */
const grpcFilter = z
  .object({
    type: z.enum(['RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestMirror', 'ExtensionRef']),
    requestHeaderModifier: headerFilter.exactOptional(),
    responseHeaderModifier: headerFilter.exactOptional(),
    requestMirror: requestMirror.exactOptional(),
    extensionRef: localObjectReference.exactOptional(),
  })
  .check(rule(filterUnion))
export type GRPCRouteFilter = z.output<typeof grpcFilter>

const grpcFilters = list(grpcFilter, 16).check(onceEach('RequestHeaderModifier', 'ResponseHeaderModifier'))

const grpcBackendReference = filteredBackendReference(grpcFilters)
export type GRPCBackendReference = z.output<typeof grpcBackendReference>

const grpcRule = z.object({
  name: sectionName.exactOptional(),
  matches: list(grpcMatch, 64).exactOptional(),
  filters: grpcFilters.exactOptional(),
  backendRefs: list(grpcBackendReference, 16).exactOptional(),
  sessionPersistence: sessionPersistence.exactOptional(),
})
export type GRPCRouteRule = z.output<typeof grpcRule>

export const grpcRoute = z.object({
  apiVersion: versions('v1'),
  kind: z.literal('GRPCRoute'),
  metadata: objectMeta,
  spec: z.object({
    ...routeSpec,
    hostnames: list(hostname, 16).exactOptional(),
    rules: list(grpcRule, 16).check(uniqueRuleNames).check(totalMatches).exactOptional(),
  }),
})
export type GRPCRoute = z.output<typeof grpcRoute>
