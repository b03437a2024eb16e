import { isIPv4 } from 'node:net'
import * as z from 'zod'
import { hostname, list } from '../fields.ts'
import { objectMeta } from '../metadata.ts'
import { rule } from '../rule.ts'
import { l4Rule } from './l4-rule.ts'
import { routeSpec, uniqueRuleNames } from './route.ts'
import { versions } from './versions.ts'

const noAddress = rule<string[]>((hostnames, report) => {
  hostnames.forEach((name, index) => {
    if (isIPv4(name))
      report([index], `${name} is an IP address, which TLS never sends as a server name; write a hostname`)
  })
})

const tlsRouteV1 = z.object({
  apiVersion: versions('v1', 'v1alpha3'),
  kind: z.literal('TLSRoute'),
  metadata: objectMeta,
  spec: z.object({
    ...routeSpec,
    hostnames: list(hostname, 1024, 1).check(noAddress),
    rules: list(l4Rule, 1, 1),
  }),
})

const tlsRouteV1Alpha2 = z.object({
  apiVersion: versions('v1alpha2'),
  kind: z.literal('TLSRoute'),
  metadata: objectMeta,
  spec: z.object({
    ...routeSpec,
    hostnames: list(hostname, 1024).exactOptional(),
    rules: list(l4Rule, 16, 1).check(uniqueRuleNames),
  }),
})

export const tlsRoute = z.discriminatedUnion('apiVersion', [tlsRouteV1, tlsRouteV1Alpha2])
export type TLSRoute = z.output<typeof tlsRoute>
