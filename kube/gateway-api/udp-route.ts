import * as z from 'zod'
import { list } from '../fields.ts'
import { objectMeta } from '../metadata.ts'
import { l4Rule } from './l4-rule.ts'
import { routeSpec, uniqueRuleNames } from './route.ts'
import { versions } from './versions.ts'

const udpRouteV1 = z.object({
  apiVersion: versions('v1'),
  kind: z.literal('UDPRoute'),
  metadata: objectMeta,
  spec: z.object({ ...routeSpec, rules: list(l4Rule, 1, 1) }),
})

const udpRouteV1Alpha2 = z.object({
  apiVersion: versions('v1alpha2'),
  kind: z.literal('UDPRoute'),
  metadata: objectMeta,
  spec: z.object({ ...routeSpec, rules: list(l4Rule, 16, 1).check(uniqueRuleNames) }),
})

export const udpRoute = z.discriminatedUnion('apiVersion', [udpRouteV1, udpRouteV1Alpha2])
export type UDPRoute = z.output<typeof udpRoute>
