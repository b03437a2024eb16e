import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ControlPacket, Diagnostic, SessionState } from './packet.ts'
import { type Action, type Event, newSession, type Session, step, type Timers } from './session.ts'

const { adminDown, down, init, up } = SessionState
const ms = 1000

const fast: Timers = { desiredMinTx: 50 * ms, requiredMinRx: 50 * ms, detectMultiplier: 3 }

const said: ControlPacket = {
  state: down,
  diagnostic: 0,
  isPoll: false,
  isFinal: false,
  isDemand: false,
  detectMultiplier: 4,
  myDiscriminator: 2,
  yourDiscriminator: 1,
  desiredMinTx: 80 * ms,
  requiredMinRx: 60 * ms,
}

const hears = (packet: Partial<ControlPacket>): Event => ({ type: 'packet', packet: { ...said, ...packet } })

interface Walk {
  readonly session: Session
  /** Of the last event. */
  readonly actions: readonly Action[]
  readonly sent: readonly ControlPacket[]
  readonly transmitAfter: number | undefined
  readonly detectAfter: number | undefined
}

function walk(events: readonly Event[], timers = fast, random = 1): Walk {
  let session = newSession(1, timers)
  let actions: readonly Action[] = []
  for (const event of events) [session, actions] = step(session, event, random)
  return {
    session,
    actions,
    sent: actions.flatMap((action) => (action.type === 'send' ? [action.packet] : [])),
    transmitAfter: actions.findLast((action) => action.type === 'transmitTimer')?.after,
    detectAfter: actions.findLast((action) => action.type === 'detectionTimer')?.after,
  }
}

const toInit: readonly Event[] = [{ type: 'start' }, hears({})]
const toUp: readonly Event[] = [...toInit, hears({ state: init })]

/** RFC 5880 section 6.8.6: by state and what the peer says; undefined: unchanged. */
test.for<[string, readonly Event[], SessionState, SessionState, number]>([
  ['down that hears down is init', [], down, init, 0],
  ['down that hears init is up', [], init, up, 0],
  ['down that hears up stays', [], up, down, 0],
  ['down that hears admin down stays', [], adminDown, down, 0],
  ['init that hears down stays', toInit, down, init, 0],
  ['init that hears init is up', toInit, init, up, 0],
  ['init that hears up is up', toInit, up, up, 0],
  ['init that hears admin down is down', toInit, adminDown, down, Diagnostic.neighborSignaledDown],
  ['up that hears init stays', toUp, init, up, 0],
  ['up that hears up stays', toUp, up, up, 0],
  ['up that hears down is down', toUp, down, down, Diagnostic.neighborSignaledDown],
  ['up that hears admin down is down', toUp, adminDown, down, Diagnostic.neighborSignaledDown],
])('%s', ([, before, heard, state, diagnostic]) => {
  const { session } = walk([...before, hears({ state: heard })])
  expect([session.state, session.diagnostic]).toEqual([state, diagnostic])
})

test('a session that is switched off says so at once, and hears nothing any more', () => {
  const off = walk([...toUp, { type: 'disable' }])
  expect(off.sent).toMatchObject([{ state: adminDown, diagnostic: Diagnostic.administrativelyDown }])
  const after = walk([...toUp, { type: 'disable' }, hears({ state: down, isPoll: true })])
  expect([after.session.state, after.actions]).toEqual([adminDown, []])
})

test('while a session is not up a packet is sent each second at most', () => {
  expect(walk([{ type: 'start' }]).transmitAfter).toBe(1_000_000)
  expect(walk([{ type: 'transmitTimer' }]).sent).toMatchObject([{ desiredMinTx: 1_000_000, yourDiscriminator: 0 }])
  expect(walk([{ type: 'start' }], { ...fast, desiredMinTx: 2_000_000 }).transmitAfter).toBe(2_000_000)
})

test('a new state is told at once, and in the interval of that state from there on', () => {
  const { sent, transmitAfter } = walk(toUp)
  expect(sent).toMatchObject([{ state: up, desiredMinTx: 50 * ms, requiredMinRx: 50 * ms, yourDiscriminator: 2 }])
  // The peer takes no more than one each 60 ms.
  expect(transmitAfter).toBe(60 * ms)
})

test.for<[number, number, number]>([
  [3, 0, 45 * ms],
  [3, 1, 60 * ms],
  [1, 0, 45 * ms],
  [1, 1, 54 * ms],
])(
  'with a detect multiplier of %d and a random number of %d the next packet is sent after %d µs',
  ([detectMultiplier, random, after]) => {
    const { transmitAfter } = walk([...toUp, { type: 'transmitTimer' }], { ...fast, detectMultiplier }, random)
    expect(transmitAfter).toBeCloseTo(after)
  },
)

test("the detection time is the peer's multiplier times the slower of what it sends and what is taken", () => {
  expect(walk(toUp).detectAfter).toBe(4 * 80 * ms)
  expect(walk(toUp, { ...fast, requiredMinRx: 100 * ms }).detectAfter).toBe(4 * 100 * ms)
})

test('a detection time without a packet is the end of what was up, and of the discriminator of the peer', () => {
  const { session, sent, actions } = walk([...toUp, { type: 'detectionTimer' }])
  const diagnostic = Diagnostic.detectionTimeExpired
  expect(session.remote.discriminator).toBe(0)
  expect(sent).toMatchObject([
    { state: down, diagnostic, yourDiscriminator: 0, isPoll: false, desiredMinTx: 1_000_000 },
  ])
  expect(actions).toContainEqual({ type: 'changed', state: down, diagnostic })
})

test('a poll is answered at once, out of turn and without a poll', () => {
  const { sent, transmitAfter } = walk([...toUp, hears({ state: up, isPoll: true })])
  expect(sent).toMatchObject([{ isPoll: false, isFinal: true, state: up }])
  expect(transmitAfter).toBeUndefined()
})

test('what has come up asks for an answer until it has one', () => {
  expect(walk(toUp).sent).toMatchObject([{ isPoll: true, isFinal: false }])
  expect(walk([...toUp, hears({ state: up }), { type: 'transmitTimer' }]).sent).toMatchObject([{ isPoll: true }])
  const answered = walk([...toUp, hears({ state: up, isFinal: true }), { type: 'transmitTimer' }])
  expect(answered.sent).toMatchObject([{ isPoll: false }])
})

const settled: readonly Event[] = [...toUp, hears({ state: up, isFinal: true })]
const slower: Event = { type: 'timers', timers: { ...fast, desiredMinTx: 500 * ms, requiredMinRx: 10 * ms } }

test('packets become fewer, and waiting shorter, only when the peer knows', () => {
  const asked = walk([...settled, slower])
  expect(asked.sent).toMatchObject([{ isPoll: true, desiredMinTx: 500 * ms, requiredMinRx: 10 * ms }])
  expect(asked.transmitAfter).toBe(60 * ms)
  const quick = { state: up, desiredMinTx: 10 * ms } as const
  expect(walk([...settled, slower, hears(quick)]).detectAfter).toBe(4 * 50 * ms)
  expect(walk([...settled, slower, hears({ ...quick, isFinal: true })]).detectAfter).toBe(4 * 10 * ms)
  const known = walk([...settled, slower, hears({ state: up, isFinal: true }), { type: 'transmitTimer' }])
  expect(known.transmitAfter).toBe(500 * ms)
})

test('waiting becomes longer at once, also for the next packet', () => {
  const patient: Event = { type: 'timers', timers: { ...fast, requiredMinRx: 900 * ms } }
  expect(walk([...settled, patient]).detectAfter).toBe(4 * 900 * ms)
})

test('nobody who has gone is asked for an answer', () => {
  const timers = { ...fast, desiredMinTx: 2_000_000 }
  const asks = [...toUp, { type: 'timers', timers: { ...timers, requiredMinRx: 1 } } as const]
  expect(walk(asks, timers).sent).toMatchObject([{ isPoll: true }])
  expect(walk([...asks, { type: 'detectionTimer' }], timers).sent).toMatchObject([{ isPoll: false }])
})

test('an answer to what has changed since is not taken for one', () => {
  const twice = [...settled, slower, { type: 'timers', timers: { ...fast, desiredMinTx: 900 * ms } } as const]
  const answer = hears({ state: up, isFinal: true })
  expect(walk([...twice, answer, { type: 'transmitTimer' }])).toMatchObject({
    transmitAfter: 60 * ms,
    sent: [{ isPoll: true }],
  })
  expect(walk([...twice, answer, answer, { type: 'transmitTimer' }])).toMatchObject({
    transmitAfter: 900 * ms,
    sent: [{ isPoll: false }],
  })
})

test('a peer that takes nothing, or asks for nothing, is sent nothing but news', () => {
  for (const quiet of [{ requiredMinRx: 0 }, { isDemand: true, isFinal: true }]) {
    const { actions } = walk([...toUp, hears({ state: up, ...quiet })])
    expect(actions).toContainEqual({ type: 'transmitTimer', after: undefined })
  }
  expect(walk([...settled, hears({ state: up, requiredMinRx: 0 }), { type: 'disable' }]).sent).toHaveLength(1)
})

test('a peer that takes more from here on has the next packet sooner', () => {
  const slow = [...settled, hears({ state: up, requiredMinRx: 900 * ms })]
  expect(walk([...slow, hears({ state: up })]).transmitAfter).toBe(60 * ms)
})

// Two sessions on a wire with a clock of its own.

interface End {
  session: Session
  transmitAt: number
  detectAt: number
  sentAt: number[]
  readonly changes: { readonly at: number; readonly state: SessionState; readonly diagnostic: number }[]
}

interface WireOptions {
  readonly timers: readonly [Timers, Timers]
  readonly delay: number
  readonly random: () => number
}

class Wire {
  now = 0
  /** Whether a packet that `from` sends now is lost. */
  loses: (from: number) => boolean = () => false
  readonly ends: readonly [End, End]
  readonly #options: WireOptions
  #flying: { readonly at: number; readonly to: number; readonly packet: ControlPacket }[] = []

  constructor(options: WireOptions) {
    this.#options = options
    const end = (index: 0 | 1): End => ({
      session: newSession(index + 1, options.timers[index]),
      transmitAt: Number.POSITIVE_INFINITY,
      detectAt: Number.POSITIVE_INFINITY,
      sentAt: [],
      changes: [],
    })
    this.ends = [end(0), end(1)]
    this.happens(0, { type: 'start' })
    this.happens(1, { type: 'start' })
  }

  happens(index: number, event: Event): void {
    const end = this.ends[index]
    if (end === undefined) return
    const [session, actions] = step(end.session, event, this.#options.random())
    end.session = session
    for (const action of actions) {
      if (action.type === 'transmitTimer') end.transmitAt = this.now + (action.after ?? Number.POSITIVE_INFINITY)
      else if (action.type === 'detectionTimer') end.detectAt = this.now + action.after
      else if (action.type === 'changed') end.changes.push({ at: this.now, ...action })
      else {
        end.sentAt.push(this.now)
        if (!this.loses(index))
          this.#flying.push({ at: this.now + this.#options.delay, to: 1 - index, packet: action.packet })
      }
    }
  }

  runFor(time: number): void {
    const end = this.now + time
    for (;;) {
      const [landing] = this.#flying
      const timers = this.ends.flatMap(({ transmitAt, detectAt }) => [transmitAt, detectAt])
      const next = Math.min(landing?.at ?? Number.POSITIVE_INFINITY, ...timers)
      if (next > end) break
      this.now = next
      if (landing?.at === next) {
        this.#flying = this.#flying.slice(1)
        const { yourDiscriminator } = landing.packet
        if (yourDiscriminator === 0 || yourDiscriminator === landing.to + 1)
          this.happens(landing.to, { type: 'packet', packet: landing.packet })
      } else this.#fire(next)
    }
    this.now = end
  }

  get states(): readonly SessionState[] {
    return this.ends.map(({ session }) => session.state)
  }

  #fire(at: number): void {
    for (const [index, end] of this.ends.entries()) {
      if (end.detectAt === at) {
        end.detectAt = Number.POSITIVE_INFINITY
        this.happens(index, { type: 'detectionTimer' })
      } else if (end.transmitAt === at) {
        end.transmitAt = Number.POSITIVE_INFINITY
        this.happens(index, { type: 'transmitTimer' })
      }
    }
  }
}

const second = 1000 * ms
const interval = fc.integer({ min: 10, max: 2000 }).map((time) => time * ms)
const timers = fc.record<Timers>({
  desiredMinTx: interval,
  requiredMinRx: interval,
  detectMultiplier: fc.integer({ min: 1, max: 5 }),
})

/** The delay is below what jitter leaves of the shortest interval. */
const wires = fc.record({ timers: fc.tuple(timers, timers), delay: fc.integer({ min: 0, max: ms }), seed: fc.nat() })

const wireOf = ({ seed, ...options }: typeof wires extends fc.Arbitrary<infer T> ? T : never): Wire =>
  new Wire({ ...options, random: chances(seed) })

/** Numbers in [0, 1), the same for the same seed. Numerical Recipes, section 7.1. */
function chances(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

test('two sessions come up whatever their timers are, and stay up on a wire that loses nothing', () => {
  fc.assert(
    fc.property(wires, fc.array(fc.tuple(fc.nat(1), timers, fc.nat(3000)), { maxLength: 6 }), (options, changes) => {
      const wire = wireOf(options)
      wire.runFor(10 * second)
      expect(wire.states).toEqual([up, up])
      for (const [index, next, wait] of changes) {
        wire.happens(index, { type: 'timers', timers: next })
        wire.runFor(wait * ms)
      }
      wire.runFor(30 * second)
      expect(wire.states).toEqual([up, up])
      expect(wire.ends.flatMap(({ changes: all }) => all.filter(({ state }) => state === down))).toEqual([])
      for (const { session } of wire.ends) expect(session.poll).toBe('none')
    }),
    { numRuns: 300 },
  )
})

test('two sessions come up after any loss', () => {
  fc.assert(
    fc.property(wires, fc.double({ min: 0, max: 1, noNaN: true }), (options, loss) => {
      const wire = wireOf(options)
      const chance = chances(~options.seed)
      wire.loses = () => chance() < loss
      wire.runFor(60 * second)
      wire.loses = () => false
      // As long as the longest detection time, and a few packets each second.
      wire.runFor(20 * second)
      expect(wire.states).toEqual([up, up])
    }),
    { numRuns: 150 },
  )
})

test('a wire that is cut, in one direction or both, is noticed at both ends within the detection time', () => {
  fc.assert(
    fc.property(wires, fc.constantFrom<number[]>([0], [1], [0, 1]), (options, cut) => {
      const wire = wireOf(options)
      wire.runFor(20 * second)
      const [a, b] = options.timers
      const sends = [Math.max(a.desiredMinTx, b.requiredMinRx), Math.max(b.desiredMinTx, a.requiredMinRx)] as const
      const detection = [b.detectMultiplier * sends[1], a.detectMultiplier * sends[0]] as const
      wire.loses = (from) => cut.includes(from)
      const at = wire.now
      wire.runFor(40 * second)
      // A last packet arrives; who hears nothing after it says so, and the other hears that.
      const within = Math.max(...cut.map((from) => detection[from === 0 ? 1 : 0])) + 2 * options.delay + 1
      for (const { changes } of wire.ends) {
        const downAt =
          changes.find((change) => change.at >= at && change.state === down)?.at ?? Number.POSITIVE_INFINITY
        expect(downAt - at).toBeLessThanOrEqual(within)
      }
      for (const state of wire.states) expect([down, init]).toContain(state)
    }),
    { numRuns: 150 },
  )
})

test('no more is sent than the peer takes, but for news and answers', () => {
  fc.assert(
    fc.property(wires, (options) => {
      const wire = wireOf(options)
      wire.runFor(20 * second)
      for (const end of wire.ends) end.sentAt = []
      wire.runFor(20 * second)
      for (const [index, { sentAt, session }] of wire.ends.entries()) {
        const takes = wire.ends[1 - index]?.session.timers.requiredMinRx ?? 0
        const least = 0.75 * Math.max(session.timers.desiredMinTx, takes)
        expect(sentAt.length).toBeGreaterThan(5)
        for (const [i, time] of sentAt.entries())
          if (i > 0) expect(time - (sentAt[i - 1] ?? 0)).toBeGreaterThanOrEqual(least - 1)
      }
    }),
    { numRuns: 150 },
  )
})
