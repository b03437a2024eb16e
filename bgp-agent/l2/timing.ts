/** How often a node is heard of, and how soon its silence is its death. Milliseconds. */
export interface Timing {
  readonly interval: number
  readonly detection: number
}

/** With `default` a dead node is replaced within a second, with `fast` within 300 milliseconds: what is left of that is for a
 *  heartbeat that was just sent, and for those who are told. */
export const timings = {
  default: { interval: 200, detection: 700 },
  fast: { interval: 40, detection: 180 },
} as const satisfies Readonly<Record<string, Timing>>

/** Addresses on one interface above which a node needs longer for an election than it may be silent with fast timers. */
const MANY = 2000

/** What is in force for so many addresses. */
export const timingFor = (timing: Timing, addresses: number): Timing =>
  addresses <= MANY
    ? timing
    : {
        interval: Math.max(timing.interval, timings.default.interval),
        detection: Math.max(timing.detection, timings.default.detection),
      }

export const faster = (a: Timing, b: Timing): Timing => ({
  interval: Math.min(a.interval, b.interval),
  detection: Math.min(a.detection, b.detection),
})
