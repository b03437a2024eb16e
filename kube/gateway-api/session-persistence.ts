import * as z from 'zod'
import { duration, text } from '../fields.ts'
import { rule } from '../rule.ts'

/** SessionPersistence of an HTTPRoute's or GRPCRoute's rule. */
export const sessionPersistence = z
  .object({
    type: z.enum(['Cookie', 'Header']).default('Cookie'),
    sessionName: text('a name', 128, undefined, 0).exactOptional(),
    absoluteTimeout: duration.exactOptional(),
    cookieConfig: z.object({ lifetimeType: z.enum(['Permanent', 'Session']).default('Session') }).exactOptional(),
  })
  .check(
    rule(({ type, absoluteTimeout, cookieConfig }, report) => {
      if (cookieConfig?.lifetimeType === 'Permanent' && absoluteTimeout === undefined) {
        report(['absoluteTimeout'], 'is missing; a cookie of lifetimeType Permanent needs one, such as 24h')
      }
      if (cookieConfig !== undefined && type !== 'Cookie') {
        report(['cookieConfig'], `is for type Cookie only, and type is ${type}; remove one`)
      }
    }),
  )
export type SessionPersistence = z.output<typeof sessionPersistence>
