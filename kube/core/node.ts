import * as z from 'zod'
import { list } from '../fields.ts'
import { clusterObjectMeta } from '../metadata.ts'

const address = z.object({ type: z.string(), address: z.string() })

/** A machine of the cluster. */
export const node = z.object({
  apiVersion: z.literal('v1'),
  kind: z.literal('Node'),
  metadata: clusterObjectMeta,
  spec: z
    .object({ podCIDR: z.string().exactOptional(), podCIDRs: list(z.string(), 2).prefault([]) })
    .meta({ unread: ['configSource', 'externalID', 'providerID', 'taints', 'unschedulable'] })
    .prefault({}),
  status: z
    .object({ addresses: list(address, 1000).prefault([]) })
    .meta({
      unread: [
        'allocatable',
        'capacity',
        'conditions',
        'config',
        'daemonEndpoints',
        'declaredFeatures',
        'features',
        'images',
        'nodeInfo',
        'phase',
        'runtimeHandlers',
        'volumesAttached',
        'volumesInUse',
      ],
    })
    .prefault({}),
})
export type Node = z.output<typeof node>
