import { type HeaderEdit, noEdit } from '../../engine/decision.ts'
import type { Arrival, Gateways, StreamPlace } from './gateways.ts'
import { nobodyListens, noListener, type Outcome, requestOutcome, requestsFollow, streamOutcome } from './outcome.ts'
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
    const met = repeated(() => connection(subject, place, random.next), random, draws)
    return { ...met, gateway: place?.streams.gateway, arrival: undefined }
  }
  const arrival = gateways.arrival(gateway, subject.facts)
  const met = repeated(() => request(arrival, random.next, now), random, draws)
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

function repeated(decide: () => Outcome, random: Counted, draws: number): Pick<Draws, 'drawn' | 'total'> {
  const first = decide()
  if (random.calls === 0) return { drawn: [{ outcome: first, times: 1 }], total: 1 }
  const tally = new Map([[keyOf(first), { outcome: first, times: 1 }]])
  for (let i = 1; i < draws; i++) {
    const outcome = decide()
    const key = keyOf(outcome)
    const seen = tally.get(key)
    if (seen === undefined) tally.set(key, { outcome, times: 1 })
    else seen.times++
  }
  return { drawn: [...tally.values()], total: draws }
}

/** Of outcomes of one request: equal for equal ones. */
function keyOf({ words, upstream, requestHeaders, responseHeaders, mirrors }: Outcome): string {
  const sent = upstream === undefined ? '' : `${upstream.host} ${upstream.path}`
  return `${words} ${sent} ${mirrors.join(' ')} ${editKey(requestHeaders)} ${editKey(responseHeaders)}`
}

const editKey = (edit: HeaderEdit): string => (edit === noEdit ? '' : JSON.stringify(edit))

function request(arrival: Arrival | undefined, random: () => number, now: number): Outcome {
  if (arrival === undefined) return nobodyListens
  const { router, listener, facts } = arrival
  const decision = router.decide(facts, random, now)
  if (decision.type === 'missing') throw new Error('a router with its whole table misses something')
  return requestOutcome(decision, listener)
}

function connection({ serverName }: StreamSubject, place: StreamPlace | undefined, random: () => number): Outcome {
  if (place === undefined) return noListener
  const { streams, listener } = place
  const ended = requestsFollow(listener)
  if (ended !== undefined) return ended
  const decision = streams.decide(listener, serverName, random)
  if (decision.type === 'missing') throw new Error('streams with their whole table miss something')
  return streamOutcome(decision, listener)
}
