import type { Why } from './decision.ts'

/** On a response that Landfall itself made: its Why. Gateway parameters can leave it out (Settings.hide_reason). */
export const reasonHeader = 'landfall-reason'

/** What a client is told when the way to the origin fails: HTTPRouteTimeouts want 504, most of the rest is a bad gateway. */
export function statusOf(why: Why): number {
  if (why === 'request-timeout' || why === 'backend-timeout') return 504
  return why === 'overloaded' ? 503 : 502
}
