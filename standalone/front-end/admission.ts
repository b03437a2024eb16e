import { readTarget, type Target } from '../target.ts'
import { isAuthority } from './authority.ts'
import type { RefusedRequest } from './front-end.ts'

// What is the same for both versions of HTTP when a request is let in, or not.

export interface Refusal {
  readonly status: number
  /** For the log only. */
  readonly fault: string
}

export const refused = (fault: string): Refusal => ({ status: 400, fault })

/** What can be told of a request that was refused. */
export type Understood = Pick<RefusedRequest, 'method' | 'authority' | 'path'>

/** `authority` is undefined where it is not clear. `targetLength`: the longest. */
export const understoodOf = (
  method: string | undefined,
  authority: string | undefined,
  target: string,
  targetLength: number,
): Understood => ({
  method,
  authority: authority !== undefined && isAuthority(authority) ? authority : undefined,
  path: target.length > targetLength ? undefined : readTarget(target)?.path,
})

/** "*" is for the server as a whole; to the engine it is a request for its root. RFC 9112 section 3.2.4, RFC 9113 section
 *  8.3.1. */
export const asterisk: Target = { path: '/', query: '', text: '*' }

/** Of the value of Expect. RFC 9110 section 10.1.1. */
export const isContinue = (expect: string | undefined): boolean => expect?.toLowerCase() === '100-continue'
