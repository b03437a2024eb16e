import * as z from 'zod'
import { domainPrefixed, text } from '../fields.ts'
import { clusterObjectMeta } from '../metadata.ts'
import { objectReference } from './references.ts'
import { versions } from './versions.ts'

export const gatewayClass = z.object({
  apiVersion: versions('v1', 'v1beta1'),
  kind: z.literal('GatewayClass'),
  metadata: clusterObjectMeta,
  spec: z.object({
    controllerName: text(
      'a controller as domain and path, such as landfall.dev/gateway-controller',
      253,
      new RegExp(`^${domainPrefixed}$`),
    ),
    parametersRef: objectReference.exactOptional(),
    description: text('a description', 64, undefined, 0).exactOptional(),
  }),
})
export type GatewayClass = z.output<typeof gatewayClass>
