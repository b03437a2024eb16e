import { milliseconds } from '../../kube/fields.ts'
import type { HTTPRouteRetry, HTTPRouteTimeouts } from '../../kube/gateway-api/http-route.ts'
import type { Retry, Timeouts } from '../../proto/gen/route_table.ts'

/** What 32 bits hold, 49 days: GEP-2257 durations reach to 45 years. */
const longest = 0xffff_ffff

const bounded = (duration: string | undefined): number =>
  duration === undefined ? 0 : Math.min(milliseconds(duration), longest)

/** HTTPRouteTimeouts: "0s" and no timeout are the same. */
export const timeoutsOf = (timeouts: HTTPRouteTimeouts | undefined): Timeouts | undefined =>
  timeouts && { requestMs: bounded(timeouts.request), backendRequestMs: bounded(timeouts.backendRequest) }

/** Where HTTPRouteRetry leaves it to us: one retry, soon. */
const defaultAttempts = 1
const defaultBackoff = '25ms'

/** HTTPRouteRetry. Without codes only connections that fail are tried again. */
export const retryOf = (retry: HTTPRouteRetry | undefined): Retry | undefined =>
  retry && {
    codes: retry.codes ?? [],
    attempts: Math.min(retry.attempts ?? defaultAttempts, longest),
    backoffMs: bounded(retry.backoff ?? defaultBackoff),
  }
