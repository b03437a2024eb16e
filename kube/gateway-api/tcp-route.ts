import * as z from 'zod'
import { list } from '../fields.ts'
import { objectMeta } from '../metadata.ts'
import { l4Rule } from './l4-rule.ts'
import { routeSpec, uniqueRuleNames } from './route.ts'
import { versions } from './versions.ts'

const tcpRouteV1 = z.object({
  apiVersion: versions('v1'),
  kind: z.literal('TCPRoute'),
  metadata: objectMeta,
  spec: z.object({ ...routeSpec, rules: list(l4Rule, 1, 1) }),
})

const tcpRouteV1Alpha2 = z.object({
  apiVersion: versions('v1alpha2'),
  kind: z.literal('TCPRoute'),
  metadata: objectMeta,
  spec: z.object({ ...routeSpec, rules: list(l4Rule, 16, 1).check(uniqueRuleNames) }),
})

export const tcpRoute = z.discriminatedUnion('apiVersion', [tcpRouteV1, tcpRouteV1Alpha2])
export type TCPRoute = z.output<typeof tcpRoute>
