// What a node does for one address on one interface: a function. Frames and clocks are its callers. Times are milliseconds of
// any one clock.

/** `probing`: it asks whether anybody has the address. `conflict`: somebody has. */
export type HoldingState = 'probing' | 'answering' | 'conflict'

export interface Holding {
  readonly state: HoldingState
  /** Probes or announcements since it has come into the state. */
  readonly sent: number
  /** When there is something to be done. */
  readonly due: number
  /** When another host has first claimed an address that is answered for; undefined: nobody has lately. */
  readonly disputedAt: number | undefined
}

export type Event =
  | { readonly type: 'due' }
  /** Another host says that the address is its own. */
  | { readonly type: 'claimed' }
  /** Another host asks whether it may have the address. */
  | { readonly type: 'rivalled'; readonly isBefore: boolean }
  /** The address comes from a live peer that gives it up. */
  | { readonly type: 'takenOver' }

export type Action =
  | { readonly type: 'probe' }
  | { readonly type: 'announce' }
  | { readonly type: 'changed'; readonly state: HoldingState }
  /** Another host claims what is answered for; there will be a defence, and no surrender yet. */
  | { readonly type: 'disputed' }

export interface HoldingTiming {
  /** How often it is asked whether anybody has the address, and how long each time for an answer. */
  readonly probes: number
  readonly probeInterval: number
  /** The longest wait before the first, drawn by lot: RFC 5227 section 2.1.1, PROBE_WAIT. */
  readonly probeDelay: number
  /** Waits between the announcements of an address that is taken: frames are lost, and switches learn late. */
  readonly burst: readonly number[]
  /** Between announcements from then on: less than switches remember a MAC for, which is 300 s as a rule. */
  readonly refresh: number
}

/** RFC 5227 section 1.1 waits for seconds, in which switches that have just come up may forward nothing; here the interface has
 *  its carrier for long, as a rule, and clients wait. */
export const defaultTiming: HoldingTiming = {
  probes: 3,
  probeInterval: 300,
  probeDelay: 100,
  burst: [100, 400, 500, 1_000, 2_000],
  refresh: 60_000,
}

/** Until a claim on an address is answered by an announcement: two nodes that both hold it for a moment, because one has not
 *  heard yet of the other, settle it by their heartbeats before. */
const DEFENCE = 1_000
/** A claim that is repeated after so long is no matter of moments. */
const SURRENDER = 2_000
/** A claim after so long is a new one. RFC 5227 section 1.1, DEFEND_INTERVAL. */
const DISPUTE = 10_000
/** Until an address that another host had is asked for again. RFC 5227 section 1.1, RATE_LIMIT_INTERVAL. */
const RETRY = 60_000

type Step = readonly [Holding, readonly Action[]]

/** What is needed of the world for a step: when it is, and a number in [0, 1). */
export interface Moment {
  readonly now: number
  readonly random: number
}

export function newHolding(isTakenOver: boolean, moment: Moment, timing: HoldingTiming): Step {
  return isTakenOver ? taken(moment) : asking(moment, timing)
}

/** One transition. */
export function step(holding: Holding, event: Event, moment: Moment, timing: HoldingTiming): Step {
  switch (event.type) {
    case 'due':
      return due(holding, moment, timing)
    case 'claimed':
      return claimed(holding, moment)
    case 'rivalled':
      // Of two that ask for the same, one goes on: RFC 5227 section 2.1.1 would have neither.
      return holding.state === 'probing' && event.isBefore ? lost(moment) : [holding, []]
    case 'takenOver':
      // Whoever has learned of the peer since is told again.
      return holding.state === 'answering' ? [{ ...holding, sent: 0, due: moment.now }, []] : taken(moment)
  }
}

function due(holding: Holding, moment: Moment, timing: HoldingTiming): Step {
  switch (holding.state) {
    case 'probing':
      if (holding.sent === timing.probes) return taken(moment)
      return [{ ...holding, sent: holding.sent + 1, due: moment.now + timing.probeInterval }, [{ type: 'probe' }]]
    case 'answering':
      return announced(holding, moment, timing)
    case 'conflict':
      return asking(moment, timing)
  }
}

function asking({ now, random }: Moment, { probeDelay }: HoldingTiming): Step {
  const holding = { sent: 0, due: now + random * probeDelay, disputedAt: undefined }
  return [{ ...holding, state: 'probing' }, [{ type: 'changed', state: 'probing' }]]
}

/** It is answered for at once, and told as soon as it is its turn among many. */
const taken = ({ now }: Moment): Step => [
  { state: 'answering', sent: 0, due: now, disputedAt: undefined },
  [{ type: 'changed', state: 'answering' }],
]

function announced(holding: Holding, { now, random }: Moment, { burst, refresh }: HoldingTiming): Step {
  // A tenth more or less, so that nodes and addresses do not come all at once.
  const wait = burst[holding.sent] ?? refresh * (0.9 + 0.2 * random)
  return [{ ...holding, sent: holding.sent + 1, due: now + wait }, [{ type: 'announce' }]]
}

/** RFC 5227 section 2.4 (b): an address is defended once. */
function claimed(holding: Holding, moment: Moment): Step {
  if (holding.state === 'conflict') return [{ ...holding, due: retryAt(moment) }, []]
  if (holding.state === 'probing') return lost(moment)
  const since = holding.disputedAt === undefined ? Number.POSITIVE_INFINITY : moment.now - holding.disputedAt
  if (since < SURRENDER) return [holding, []]
  if (since < DISPUTE) return lost(moment)
  const due = Math.min(holding.due, moment.now + DEFENCE)
  return [{ ...holding, due, disputedAt: moment.now }, [{ type: 'disputed' }]]
}

const lost = (moment: Moment): Step => [
  { state: 'conflict', sent: 0, due: retryAt(moment), disputedAt: undefined },
  [{ type: 'changed', state: 'conflict' }],
]

/** By lot, so that of two that have lost it to each other one comes first. */
const retryAt = ({ now, random }: Moment): number => now + RETRY * (1 + random / 2)
