import * as z from 'zod'
import { group, kind, list, namespace, objectName } from '../fields.ts'
import { objectMeta } from '../metadata.ts'
import { versions } from './versions.ts'

export const referenceGrant = z.object({
  apiVersion: versions('v1', 'v1beta1'),
  kind: z.literal('ReferenceGrant'),
  metadata: objectMeta,
  spec: z.object({
    from: list(z.object({ group, kind, namespace }), 16, 1),
    to: list(z.object({ group, kind, name: objectName.exactOptional() }), 16, 1),
  }),
})
export type ReferenceGrant = z.output<typeof referenceGrant>
