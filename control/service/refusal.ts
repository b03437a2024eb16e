import type { FindingAnswer, OwnedAnswer } from './answers.ts'

/** A request is not done, for a reason that its sender can mend. Told as problem details, RFC 9457. Never holds a secret. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: RefusalStatus
  /** A word for programs: the last step of the problem's type. */
  readonly reason: string
  readonly more: RefusalDetails

  constructor(status: RefusalStatus, reason: string, detail: string, more: RefusalDetails = {}) {
    super(detail)
    this.status = status
    this.reason = reason
    this.more = more
  }
}

export type RefusalStatus = 400 | 401 | 403 | 404 | 409 | 412 | 413 | 415 | 422 | 429 | 502 | 503

export interface RefusalDetails {
  readonly problems?: readonly FindingAnswer[]
  readonly owned?: readonly OwnedAnswer[]
  /** The version that is in effect, or about to be. */
  readonly version?: number
  /** Seconds until another try makes sense; also sent as Retry-After. */
  readonly retryAfter?: number
}
