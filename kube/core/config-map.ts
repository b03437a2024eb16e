import * as z from 'zod'
import { objectMeta } from '../metadata.ts'
import { rule } from '../rule.ts'
import { binaryData, textData } from './data.ts'

export const configMap = z
  .object({
    apiVersion: z.literal('v1'),
    kind: z.literal('ConfigMap'),
    metadata: objectMeta,
    data: textData.prefault({}),
    /** In base64. */
    binaryData: binaryData.prefault({}),
  })
  .meta({ unread: ['immutable'] })
  .check(
    rule(({ data, binaryData }, report) => {
      for (const key in binaryData) {
        if (data[key] !== undefined) report(['binaryData', key], 'is a key of data too; remove one of the two')
      }
    }),
  )
export type ConfigMap = z.output<typeof configMap>
