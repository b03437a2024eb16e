import * as z from 'zod'
import { ciliumVersions, landfallVersions } from '../bgp/versions.ts'
import { integer, ipAddress, isIPAddress, labelSelector, list, text } from '../fields.ts'
import { clusterObjectMeta } from '../metadata.ts'
import { rule } from '../rule.ts'
import { rangeBetween, rangeOfCidr } from './ip-range.ts'

const cidr = text('a network such as 192.0.2.0/24 or 2001:db8::/64', 64).check(
  rule((value, report) => {
    if (rangeOfCidr(value) === undefined)
      report([], `${JSON.stringify(value)} is no network; write one such as 192.0.2.0/24 or 2001:db8::/64`)
  }),
)

/** A network, a range, or one address. */
const block = z
  .object({ cidr: cidr.exactOptional(), start: ipAddress.exactOptional(), stop: ipAddress.exactOptional() })
  .check(
    rule(({ cidr, start, stop }, report) => {
      if ((cidr === undefined) === (start === undefined))
        report([], cidr === undefined ? 'needs cidr, or start' : 'has cidr and start; write one of the two')
      else if (stop !== undefined && start === undefined) report(['stop'], 'is only for blocks with start')
      else if (start !== undefined && isIPAddress(start) && rangeBetween(start, stop) === undefined)
        report(['stop'], `${stop} is no address of the same family from ${start} on`)
    }),
  )
export type PoolBlock = z.output<typeof block>

const ciliumSpec = z.object({
  blocks: list(block, 1000).prefault([]),
  /** Of labels of Services and Gateways; unset: all. */
  serviceSelector: labelSelector.exactOptional(),
  /** Whether the first and the last address of a network are given. */
  allowFirstLastIPs: z.enum(['Yes', 'No']).default('Yes'),
  /** Gives no more addresses; those that have one keep it. */
  disabled: z.boolean().default(false),
})

export const ciliumLoadBalancerIPPool = z.object({
  apiVersion: ciliumVersions,
  kind: z.literal('CiliumLoadBalancerIPPool'),
  metadata: clusterObjectMeta,
  spec: ciliumSpec,
})
export type CiliumLoadBalancerIPPool = z.output<typeof ciliumLoadBalancerIPPool>

export const loadBalancerIPPool = z.object({
  apiVersion: landfallVersions,
  kind: z.literal('LoadBalancerIPPool'),
  metadata: clusterObjectMeta,
  spec: ciliumSpec.extend({
    /** Of two pools the one with the higher priority gives its addresses first. */
    priority: integer('a priority from -1000000 to 1000000', -1_000_000, 1_000_000).default(0),
  }),
})
export type LoadBalancerIPPool = z.output<typeof loadBalancerIPPool>

/** Of both kinds. */
export type IPPool = CiliumLoadBalancerIPPool | LoadBalancerIPPool
