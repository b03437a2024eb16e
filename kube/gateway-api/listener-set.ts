import * as z from 'zod'
import { group, kind, namespace, objectName } from '../fields.ts'
import { objectMeta } from '../metadata.ts'
import { listeners } from './listener.ts'
import { gatewayGroup, versions } from './versions.ts'

export const listenerSet = z.object({
  apiVersion: versions('v1'),
  kind: z.literal('ListenerSet'),
  metadata: objectMeta,
  spec: z.object({
    parentRef: z.object({
      group: group.default(gatewayGroup),
      kind: kind.default('Gateway'),
      name: objectName,
      namespace: namespace.exactOptional(),
    }),
    listeners,
  }),
})
export type ListenerSet = z.output<typeof listenerSet>
