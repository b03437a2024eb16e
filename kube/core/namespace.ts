import * as z from 'zod'
import { clusterLabelObjectMeta } from '../metadata.ts'

/** Has the label `kubernetes.io/metadata.name`, which the API server adds. */
export const namespace = z
  .object({
    apiVersion: z.literal('v1'),
    kind: z.literal('Namespace'),
    metadata: clusterLabelObjectMeta,
  })
  .meta({ unread: ['spec'] })
  .transform((self) => ({
    ...self,
    metadata: {
      ...self.metadata,
      labels: { ...self.metadata.labels, 'kubernetes.io/metadata.name': self.metadata.name },
    },
  }))
export type Namespace = z.output<typeof namespace>
