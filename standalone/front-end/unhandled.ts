import type { Refusal, Understood } from './admission.ts'
import type { FrontEndHost } from './front-end.ts'
import type { Arrival } from './request.ts'

// Who hears of a request that the handler does not answer.

export function tellRefused(
  { counters, log, observe }: Pick<FrontEndHost<unknown>, 'counters' | 'log' | 'observe'>,
  arrival: Arrival,
  { status, fault }: Refusal,
  understood: Understood,
): void {
  counters.refused++
  log('request-refused', { peer: arrival.peer.address, fault })
  observe({ arrival, status, why: 'bad-request', ...understood })
}

/** `error` is what the handler has thrown: a bug of ours. */
export function tellFailed(
  { log, observe }: Pick<FrontEndHost<unknown>, 'log' | 'observe'>,
  arrival: Arrival,
  error: unknown,
  understood: Understood,
): void {
  log('handler-failed', { message: error instanceof Error ? `${error.stack}` : `${error}` })
  observe({ arrival, status: 500, why: 'internal-error', ...understood })
}
