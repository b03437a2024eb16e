import type { RetryPolicy } from './decision.ts'

/** The longest that is drawn about, in milliseconds. */
const LONGEST = 10_000

/** Milliseconds between a request's first `tries` tries and the next: twice as long each time, and drawn from a quarter less to
 *  a quarter more, so that what failed at once is not tried again at once. `random` as in Router.decide.
 *  HTTPRouteRetry.backoff. */
export const retryWait = ({ backoff }: RetryPolicy, tries: number, random: () => number): number =>
  Math.min(backoff * 2 ** (tries - 1), LONGEST) * (0.75 + random() / 2)
