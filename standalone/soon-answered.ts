import type { Exchange } from './exchange.ts'

/** An exchange that is answered by `answer` without the request's body, once the caller has it. */
export function soonAnswered(answer: () => void): Exchange {
  const soon = setImmediate(answer)
  return { write: () => true, end: () => {}, resume: () => {}, abort: () => clearImmediate(soon) }
}
