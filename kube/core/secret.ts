import { Buffer } from 'node:buffer'
import * as z from 'zod'
import { objectMeta } from '../metadata.ts'
import { rule } from '../rule.ts'
import { binaryData, textData } from './data.ts'

/** `stringData` is merged into `data`, as the API server does. */
export const secret = z
  .object({
    apiVersion: z.literal('v1'),
    kind: z.literal('Secret'),
    metadata: objectMeta,
    type: z.string().default('Opaque'),
    /** In base64. */
    data: binaryData.prefault({}),
    stringData: textData.prefault({}),
  })
  .meta({ unread: ['immutable'] })
  .transform(({ stringData, data, ...rest }) => {
    const merged = { ...data }
    for (const [key, value] of Object.entries(stringData)) merged[key] = Buffer.from(value).toString('base64')
    return { ...rest, data: merged }
  })
  .check(
    rule(({ type, data }, report) => {
      if (type !== 'kubernetes.io/tls') return
      const missing = ['tls.crt', 'tls.key'].filter((key) => data[key] === undefined)
      if (missing.length > 0) {
        report(
          ['data'],
          `has no ${missing.join(' and no ')}; a Secret of type kubernetes.io/tls needs tls.crt and tls.key`,
        )
      }
    }),
  )
export type Secret = z.output<typeof secret>
