import * as z from 'zod'
import { integer, labelSelector, list, objectName, port, text } from '../fields.ts'
import { clusterObjectMeta } from '../metadata.ts'
import { rule, unique } from '../rule.ts'
import { asn, instanceName, peerAddress } from './bgp-fields.ts'
import { ciliumVersions, landfallVersions } from './versions.ts'

const autoDiscovery = z
  .object({
    mode: z.enum(['DefaultGateway', 'Unnumbered']),
    defaultGateway: z.object({ addressFamily: z.enum(['ipv4', 'ipv6']) }).exactOptional(),
    unnumbered: z.object({ interface: text('the name of an interface', 255) }).exactOptional(),
  })
  .check(
    rule(({ mode, defaultGateway, unnumbered }, report) => {
      if (mode === 'DefaultGateway' && defaultGateway === undefined)
        report(['defaultGateway'], 'is missing; mode DefaultGateway needs it')
      if (mode === 'Unnumbered' && unnumbered === undefined)
        report(['unnumbered'], 'is missing; mode Unnumbered needs it')
    }),
  )

const peer = z.object({
  name: instanceName,
  peerAddress: peerAddress.exactOptional(),
  /** 0: whatever the peer says. */
  peerASN: integer('an AS number, or 0 for whatever the peer says', 0, 4_294_967_295).default(0),
  autoDiscovery: autoDiscovery.exactOptional(),
  peerConfigRef: z
    .object({ name: objectName })
    .meta({ unread: ['group', 'kind'] })
    .exactOptional(),
})
export type BgpPeer = z.output<typeof peer>

const instance = z
  .object({
    name: instanceName,
    localASN: asn.exactOptional(),
    /** Where connections are taken; without it none are. */
    localPort: port.exactOptional(),
    peers: list(peer, 1000)
      .check(unique(({ name }) => name, ['name']))
      .prefault([]),
  })
  .meta({ unread: ['bmpServers'] })
export type BgpInstance = z.output<typeof instance>

const spec = z.object({
  /** All nodes when unset. */
  nodeSelector: labelSelector.exactOptional(),
  bgpInstances: list(instance, 16, 1).check(unique(({ name }) => name, ['name'])),
})

export const ciliumBgpClusterConfig = z.object({
  apiVersion: ciliumVersions,
  kind: z.literal('CiliumBGPClusterConfig'),
  metadata: clusterObjectMeta,
  spec,
})
export type CiliumBGPClusterConfig = z.output<typeof ciliumBgpClusterConfig>

export const bgpClusterConfig = ciliumBgpClusterConfig.extend({
  apiVersion: landfallVersions,
  kind: z.literal('BGPClusterConfig'),
})
export type BGPClusterConfig = z.output<typeof bgpClusterConfig>
