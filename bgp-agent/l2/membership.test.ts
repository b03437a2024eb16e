import { expect, test } from 'vitest'
import type { Heartbeat } from './heartbeat.ts'
import { type Change, echoesOf, type Membership, maxPeers, newMembership, step } from './membership.ts'
import { timings } from './timing.ts'

const timing = timings.default

/** A node "a" that is told what happens, and by its own clock. */
class Told {
  membership: Membership = newMembership('a', 1000, timing, 0)

  constructor() {
    this.at(0)
  }

  at(time: number): readonly Change['type'][] {
    return this.#apply(step(this.membership, { type: 'time', at: time, challenge: BigInt(time) + 1n }))
  }

  /** `from` has heard this node, unless it says otherwise. */
  hear(time: number, beat: Partial<Heartbeat>): readonly Change['type'][] {
    const echoes = this.membership.challenges.slice(0, 1).map(({ value }) => value)
    const whole = { ...usual, sequence: time, echoes, ...beat }
    return this.#apply(step(this.membership, { type: 'heard', beat: whole, at: time }))
  }

  get states(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.membership.peers.values()].map(({ node, state }) => [node, state]))
  }

  #apply([membership, changes]: ReturnType<typeof step>): readonly Change['type'][] {
    this.membership = membership
    return changes.map(({ type }) => type)
  }
}

const usual: Heartbeat = {
  node: 'b',
  state: 'ready',
  incarnation: 1000,
  sequence: 1,
  readyFor: 9000,
  timing,
  mac: '02:00:00:00:00:62',
  challenge: 77n,
  echoes: [],
  asked: [],
  claims: { version: 1, page: 0, pages: 1, claims: [] },
}

test('a peer lives once it has sent a challenge back', () => {
  const told = new Told()
  expect(told.hear(10, { echoes: [] })).toEqual(['met'])
  expect(told.states).toEqual({ b: 'unproven' })
  expect(told.hear(20, {})).toEqual(['up', 'reunited'])
  expect(told.states).toEqual({ b: 'alive' })
})

test('a silent peer is asked for a sign of life, and dead when its detection time is over', () => {
  const told = new Told()
  told.hear(0, { sequence: 1 })
  const changes = [200, 400, 500, 600, 699].map((time) => told.at(time))
  expect(changes.flat()).toEqual(['suspected'])
  expect(told.at(700)).toEqual(['down'])
  expect(told.states).toEqual({ b: 'dead' })
})

test('a sign of life ends the suspicion', () => {
  const told = new Told()
  told.hear(0, { sequence: 1 })
  told.at(200)
  told.at(500)
  expect(told.hear(510, {})).toEqual([])
  expect(told.states).toEqual({ b: 'alive' })
})

test('the detection time is that which the peer has said', () => {
  const told = new Told()
  told.hear(0, { sequence: 1, timing: timings.fast })
  told.at(179)
  expect(told.states).toEqual({ b: 'suspect' })
  told.at(180)
  expect(told.states).toEqual({ b: 'dead' })
})

test('who says that it leaves is dead at once', () => {
  const told = new Told()
  told.hear(0, { sequence: 1 })
  expect(told.hear(10, { state: 'leaving' })).toEqual(['down'])
})

test('what was heard before is not heard again', () => {
  const told = new Told()
  told.hear(10, {})
  const before = told.membership.peers
  expect(told.hear(20, { sequence: 10 })).toEqual([])
  expect(told.hear(20, { sequence: 9, state: 'leaving' })).toEqual([])
  expect(told.membership.peers).toBe(before)
})

test('a later life counts, an earlier one does not', () => {
  const told = new Told()
  told.hear(10, { incarnation: 2000 })
  told.hear(20, { incarnation: 1999, state: 'leaving' })
  expect(told.states).toEqual({ b: 'alive' })
  told.hear(30, { incarnation: 2001, state: 'leaving', sequence: 1 })
  expect(told.states).toEqual({ b: 'dead' })
})

test('a life that seems to be earlier counts when nothing was heard of the other for long: clocks are set', () => {
  const told = new Told()
  told.hear(10, { incarnation: 2000 })
  for (let time = 200; time <= 5_200; time += 200) told.at(time)
  told.hear(5_300, { incarnation: 1000 })
  expect(told.states).toEqual({ b: 'alive' })
})

test('what is proven is not proven for ever: who does not hear this node any more does not count', () => {
  const told = new Told()
  told.hear(0, { sequence: 1 })
  for (let time = 200; time <= 6_000; time += 200) {
    told.at(time)
    told.hear(time, { echoes: [] })
  }
  expect(told.states).toEqual({ b: 'unproven' })
})

test('a challenge is good for some seconds', () => {
  const told = new Told()
  const old = told.membership.challenges.map(({ value }) => value)
  for (let time = 200; time <= 4_800; time += 200) told.at(time)
  told.hear(4_850, { node: 'b', echoes: old })
  for (let time = 5_000; time <= 6_000; time += 200) told.at(time)
  told.hear(6_050, { node: 'c', echoes: old })
  expect(told.states).toMatchObject({ c: 'unproven' })
  expect(told.membership.peers.get('b')?.provenAt).toBe(4_850)
})

test('time in which this node stood still is nobody elses silence', () => {
  const told = new Told()
  told.hear(0, { sequence: 1 })
  told.at(200)
  expect(told.at(9_000)).toEqual([])
  expect(told.states).toEqual({ b: 'alive' })
  told.at(9_200)
  told.at(9_400)
  expect(told.at(9_550)).toEqual(['down'])
})

test('a peer that hears this node after a time in which it cannot have is one to be told everything again', () => {
  const told = new Told()
  told.hear(0, { sequence: 1 })
  for (let time = 200; time <= 1_000; time += 200) {
    told.at(time)
    told.hear(time, { echoes: [] })
  }
  expect(told.hear(1_050, {})).toEqual(['reunited'])
})

test('who waits for a sign of life of this node is heard', () => {
  const told = new Told()
  const [own = 0n] = told.membership.challenges.map(({ value }) => value)
  told.hear(10, {})
  expect(told.hear(20, { asked: [5n] })).toEqual([])
  expect(told.hear(30, { asked: [own] })).toEqual(['asked'])
})

test('what comes back by another interface is no peer', () => {
  const told = new Told()
  expect(told.hear(10, { node: 'a', incarnation: 1000 })).toEqual(['own'])
  expect(told.states).toEqual({})
})

test('no more peers are heard than a network may have, and the dead are forgotten', () => {
  const told = new Told()
  for (let i = 0; i < maxPeers + 10; i++) told.hear(10 + i, { node: `n${i}` })
  expect(told.membership.peers.size).toBe(maxPeers)
  for (let time = 200; time <= 12_000; time += 200) told.at(time)
  expect(told.membership.peers.size).toBe(0)
})

test('where more challenges are to be sent back than fit, each has its turn', () => {
  const told = new Told()
  for (let i = 0; i < 100; i++) told.hear(10, { node: `n${i}`, challenge: BigInt(1000 + i) })
  const sent = new Set([0, 1, 2].flatMap((turn) => echoesOf(told.membership, turn)))
  expect(sent.size).toBe(100)
})
