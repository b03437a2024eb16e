import { type HeaderEdit, noEdit } from '../../engine/decision.ts'
import type { Arrival, Gateways, StreamPlace } from './gateways.ts'
import {
  type Decided,
  nobodyListens,
  noListener,
  type Outcome,
  requestOutcome,
  requestsFollow,
  type StreamDecided,
  streamOutcome,
} from './outcome.ts'
import { seeded } from './random.ts'
import type { StreamSubject } from './subject.ts'
import type { RouteTest } from './test-reader.ts'

/** An outcome, and how many of the draws had it. */
export interface Drawn {
  readonly outcome: Outcome
  readonly times: number
}

/** All that a test met. */
export interface Draws {
  /** Different ones, at least one. */
  readonly drawn: readonly Drawn[]
  /** 1 where nothing is left to chance. */
  readonly total: number
  /** Who takes it, as "namespace/name"; undefined where no Gateway does. */
  readonly gateway: string | undefined
  /** Of a request that a Gateway takes. */
  readonly arrival: Arrival | undefined
}

/** Lets the engine decide: once, or as often as the test says when the decision is drawn. `now` is in milliseconds since
 *  the epoch. */
export function draw({ subject, gateway, draws, seed }: RouteTest, gateways: Gateways, now: number): Draws {
  const random = new Counted(seeded(seed))
  if (subject.type !== 'request') {
    const place = gateways.place(gateway, subject)
    const met = place === undefined ? certainly(noListener) : connection(subject, place, random, draws)
    return { ...met, gateway: place?.streams.gateway, arrival: undefined }
  }
  const arrival = gateways.arrival(gateway, subject.facts)
  const met = arrival === undefined ? certainly(nobodyListens) : request(arrival, random, draws, now)
  return { ...met, gateway: arrival?.router.gateway, arrival }
}

/** Tells whether anybody asked for a number. */
class Counted {
  calls = 0
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  readonly next = (): number => {
    this.calls++
    return this.#random()
  }
}

type Met = Pick<Draws, 'drawn' | 'total'>

const certainly = (outcome: Outcome): Met => ({ drawn: [{ outcome, times: 1 }], total: 1 })

function request({ router, listener, facts }: Arrival, random: Counted, draws: number, now: number): Met {
  const decide = (): Decided => {
    const decision = router.decide(facts, random.next, now)
    if (decision.type === 'missing') throw new Error('a router with its whole table misses something')
    return decision
  }
  return repeated(decide, requestKey, (decision) => requestOutcome(decision, listener), random, draws)
}

function connection({ serverName }: StreamSubject, place: StreamPlace, random: Counted, draws: number): Met {
  const { streams, listener } = place
  const ended = requestsFollow(listener)
  if (ended !== undefined) return certainly(ended)
  const decide = (): StreamDecided => {
    const decision = streams.decide(listener, serverName, random.next)
    if (decision.type === 'missing') throw new Error('streams with their whole table miss something')
    return decision
  }
  return repeated(decide, streamKey, (decision) => streamOutcome(decision, listener), random, draws)
}

function repeated<D>(
  decide: () => D,
  keyOf: (decision: D) => string,
  outcomeOf: (decision: D) => Outcome,
  random: Counted,
  draws: number,
): Met {
  const first = decide()
  if (random.calls === 0) return certainly(outcomeOf(first))
  const tally = new Map([[keyOf(first), { outcome: outcomeOf(first), times: 1 }]])
  for (let i = 1; i < draws; i++) {
    const decision = decide()
    const key = keyOf(decision)
    const seen = tally.get(key)
    if (seen === undefined) tally.set(key, { outcome: outcomeOf(decision), times: 1 })
    else seen.times++
  }
  return { drawn: [...tally.values()], total: draws }
}

/** Of decisions on one request: equal for those whose outcomes are. */
function requestKey(decision: Decided): string {
  const edit = editKey(decision.responseHeaders)
  switch (decision.type) {
    case 'forward': {
      const { backend, authority, path, requestHeaders, mirrors } = decision
      const copies = mirrors.map(({ key }) => key).join(' ')
      return `${backend.key} ${authority} ${path} ${copies} ${editKey(requestHeaders)} ${edit}`
    }
    case 'redirect':
      return `${decision.status} ${decision.location} ${edit}`
    case 'respond':
      return `${decision.status} ${decision.why} ${edit}`
  }
}

const editKey = (edit: HeaderEdit): string => (edit === noEdit ? '' : JSON.stringify(edit))

const streamKey = (decision: StreamDecided): string =>
  decision.type === 'forward' ? decision.backend.key : decision.why
