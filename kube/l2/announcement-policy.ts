import * as z from 'zod'
import { landfallVersions } from '../bgp/versions.ts'
import { integer, labelSelector, list, text } from '../fields.ts'
import { clusterObjectMeta } from '../metadata.ts'
import { rule } from '../rule.ts'

const policyFields = {
  /** Of labels of Nodes; unset: all. */
  nodeSelector: labelSelector.exactOptional(),
  /** Of labels of Services, and of Gateways as if each were one; unset: all. */
  serviceSelector: labelSelector.exactOptional(),
  /** Patterns in RE2's syntax, one of which is found in the interface's name; unset: where the address belongs. */
  interfaces: list(text('a pattern such as ^eth[0-9]+', 128), 100).exactOptional(),
}

export const ciliumL2AnnouncementPolicy = z.object({
  apiVersion: z.literal('cilium.io/v2alpha1'),
  kind: z.literal('CiliumL2AnnouncementPolicy'),
  metadata: clusterObjectMeta,
  spec: z
    .object({
      ...policyFields,
      loadBalancerIPs: z.boolean().default(false),
      externalIPs: z.boolean().default(false),
    })
    .prefault({}),
})
export type CiliumL2AnnouncementPolicy = z.output<typeof ciliumL2AnnouncementPolicy>

const intervals = z
  .object({
    /** Between two heartbeats. */
    heartbeatMilliseconds: integer('milliseconds, from 20 to 1000', 20, 1000),
    /** Without a heartbeat, after which a node is taken for dead. */
    detectionMilliseconds: integer('milliseconds, from 60 to 10000', 60, 10_000),
  })
  .check(
    rule(({ heartbeatMilliseconds, detectionMilliseconds }, report) => {
      if (detectionMilliseconds < 3 * heartbeatMilliseconds)
        report(['detectionMilliseconds'], `is less than three heartbeats of ${heartbeatMilliseconds} ms`)
    }),
  )

const preferredNode = z.object({
  /** What a node has of all that select it is added up; the most has the address. */
  weight: integer('a weight from 1 to 100', 1, 100),
  nodeSelector: labelSelector,
})

export const l2AnnouncementPolicy = z.object({
  apiVersion: landfallVersions,
  kind: z.literal('L2AnnouncementPolicy'),
  metadata: clusterObjectMeta,
  spec: z
    .object({
      ...policyFields,
      loadBalancerIPs: z.boolean().default(true),
      externalIPs: z.boolean().default(false),
      preferredNodes: list(preferredNode, 100).prefault([]),
      /** How fast the death of a node is found out: within a second, or within 300 milliseconds. */
      timers: z.enum(['default', 'fast']).default('default'),
      /** In place of those. */
      intervals: intervals.exactOptional(),
    })
    .prefault({}),
})
export type L2AnnouncementPolicy = z.output<typeof l2AnnouncementPolicy>
