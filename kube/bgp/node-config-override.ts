import * as z from 'zod'
import { ipAddress, list, port } from '../fields.ts'
import { clusterObjectMeta } from '../metadata.ts'
import { unique } from '../rule.ts'
import { asn, instanceName, routerId } from './bgp-fields.ts'
import { ciliumVersions, landfallVersions } from './versions.ts'

const peer = z
  .object({ name: instanceName, localAddress: ipAddress.exactOptional() })
  // Cilium has it, too, and it does nothing there.
  .meta({ unread: ['localPort'] })

const instance = z
  .object({
    name: instanceName,
    routerID: routerId.exactOptional(),
    localPort: port.exactOptional(),
    localASN: asn.exactOptional(),
    peers: list(peer, 1000)
      .check(unique(({ name }) => name, ['name']))
      .prefault([]),
  })
  .meta({ unread: ['srv6Responder'] })

const spec = z.object({ bgpInstances: list(instance, 16, 1).check(unique(({ name }) => name, ['name'])) })

/** Its name is that of the Node. */
export const ciliumBgpNodeConfigOverride = z.object({
  apiVersion: ciliumVersions,
  kind: z.literal('CiliumBGPNodeConfigOverride'),
  metadata: clusterObjectMeta,
  spec,
})
export type CiliumBGPNodeConfigOverride = z.output<typeof ciliumBgpNodeConfigOverride>

export const bgpNodeConfigOverride = ciliumBgpNodeConfigOverride.extend({
  apiVersion: landfallVersions,
  kind: z.literal('BGPNodeConfigOverride'),
})
export type BGPNodeConfigOverride = z.output<typeof bgpNodeConfigOverride>
