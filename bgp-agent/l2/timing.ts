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

export const faster = (a: Timing, b: Timing): Timing => ({
  interval: Math.min(a.interval, b.interval),
  detection: Math.min(a.detection, b.detection),
})
