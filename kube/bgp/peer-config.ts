import * as z from 'zod'
import { integer, labelSelector, list, port, text } from '../fields.ts'
import { clusterObjectMeta } from '../metadata.ts'
import { rule, unique } from '../rule.ts'
import { ciliumVersions, landfallVersions } from './versions.ts'

const seconds = (least: number, most: number) => integer(`seconds, from ${least} to ${most}`, least, most)

const timers = z
  .object({
    connectRetryTimeSeconds: seconds(1, 2_147_483_647).default(120),
    holdTimeSeconds: seconds(3, 65_535).default(90),
    keepAliveTimeSeconds: seconds(1, 65_535).default(30),
  })
  .check(
    rule(({ holdTimeSeconds, keepAliveTimeSeconds }, report) => {
      if (keepAliveTimeSeconds > holdTimeSeconds)
        report(['keepAliveTimeSeconds'], `is more than the hold time of ${holdTimeSeconds} seconds`)
    }),
  )

const afi = z.enum(['ipv4', 'ipv6', 'l2vpn', 'ls', 'opaque'])
const safi = z.enum([
  'unicast',
  'multicast',
  'mpls_label',
  'encapsulation',
  'vpls',
  'evpn',
  'ls',
  'sr_policy',
  'mup',
  'mpls_vpn',
  'mpls_vpn_multicast',
  'route_target_constraints',
  'flowspec_unicast',
  'flowspec_vpn',
  'key_value',
])

const family = z.object({
  afi,
  safi,
  /** Of labels of advertisements; unset: nothing is announced. */
  advertisements: labelSelector.exactOptional(),
})
export type BgpFamily = z.output<typeof family>

const ciliumSpec = z.object({
  transport: z
    .object({
      peerPort: port.default(179),
      sourceInterface: text('the name of an interface', 255).exactOptional(),
    })
    .meta({ unread: ['localPort'] })
    .prefault({}),
  timers: timers.prefault({}),
  /** A Secret with the key `password`. */
  authSecretRef: text('the name of a Secret', 253).exactOptional(),
  gracefulRestart: z
    .object({ enabled: z.boolean(), restartTimeSeconds: seconds(1, 4095).default(120) })
    .prefault({ enabled: false }),
  /** How many hops away a peer of another AS may be. */
  ebgpMultihop: integer('hops, from 1 to 255', 1, 255).default(1),
  /** Without it, both are spoken and nothing is announced. */
  families: list(family, 64)
    .check(unique(({ afi, safi }) => `${afi}/${safi}`))
    .prefault([
      { afi: 'ipv6', safi: 'unicast' },
      { afi: 'ipv4', safi: 'unicast' },
    ]),
})

export const ciliumBgpPeerConfig = z.object({
  apiVersion: ciliumVersions,
  kind: z.literal('CiliumBGPPeerConfig'),
  metadata: clusterObjectMeta,
  spec: ciliumSpec.prefault({}),
})
export type CiliumBGPPeerConfig = z.output<typeof ciliumBgpPeerConfig>

const milliseconds = integer('milliseconds, from 10 to 60000', 10, 60_000)

const bfd = z.object({
  transmitIntervalMilliseconds: milliseconds.default(300),
  receiveIntervalMilliseconds: milliseconds.default(300),
  detectMultiplier: integer('a multiplier from 1 to 255', 1, 255).default(3),
})

const landfallSpec = ciliumSpec.extend({
  /** RFC 5082: packets from further away than `ebgpMultihop` are dropped. */
  ttlSecurity: z.boolean().default(false),
  /** Waits for the peer to connect. */
  passive: z.boolean().default(false),
  /** RFC 5880. */
  bfd: bfd.exactOptional(),
  /** What this side is to the peer. RFC 9234. */
  role: z.enum(['provider', 'routeServer', 'routeServerClient', 'customer', 'peer']).exactOptional(),
})

export const bgpPeerConfig = z.object({
  apiVersion: landfallVersions,
  kind: z.literal('BGPPeerConfig'),
  metadata: clusterObjectMeta,
  spec: landfallSpec.prefault({}),
})
export type BGPPeerConfig = z.output<typeof bgpPeerConfig>
