import { expect, test } from 'vitest'
import type { Heartbeat } from './heartbeat.ts'
import { Participant } from './participant.ts'
import { timings } from './timing.ts'

const challenge = 7n
const offers = new Map([['10.0.0.1', 0]])

const beatOf = (sequence: number, parts: Partial<Heartbeat>): Heartbeat => ({
  node: 'a',
  state: 'ready',
  incarnation: 1,
  sequence,
  readyFor: 60_000,
  timing: timings.default,
  mac: '02:00:00:00:00:0a',
  challenge: 1n,
  echoes: [challenge],
  asked: [],
  claims: { version: 1, page: 0, pages: 1, claims: [] },
  ...parts,
})

/** A node that hears a peer every 50 milliseconds, until it is ready: after how many milliseconds. */
function readyAfter(parts: Partial<Heartbeat>): number {
  const node = new Participant('z', 2, '02:00:00:00:00:0f', timings.default, 0)
  node.offer(offers, timings.default)
  let at = 0
  for (; !node.isReady; at += 50) {
    node.hear(beatOf(at + 1, parts), at)
    node.advance(at, challenge)
  }
  return at - 50
}

test('a node that starts listens for its detection time', () => {
  expect(readyAfter({})).toBe(700)
})

test('it listens for longer while a peer has not said all that it may answer for, and not for ever', () => {
  expect(readyAfter({ claims: { version: 1, page: 0, pages: 2, claims: [] } })).toBe(2_800)
})

test('it listens for longer while a peer does not seem to hear it, and not for ever', () => {
  expect(readyAfter({ echoes: [] })).toBe(2_800)
})

test('a peer that is not ready either is not waited for', () => {
  expect(readyAfter({ state: 'listening', claims: { version: 1, page: 0, pages: 2, claims: [] } })).toBe(700)
})

test('who lacks pages of a peer asks for them, and who is asked sends all', () => {
  const node = new Participant('z', 2, '02:00:00:00:00:0f', timings.default, 0)
  node.advance(0, challenge)
  node.hear(beatOf(1, { claims: { version: 1, page: 0, pages: 2, claims: [] } }), 1)
  expect(node.advance(20, challenge)[0]?.asked).toEqual([1n])
  node.hear(beatOf(2, { claims: { version: 1, page: 1, pages: 2, claims: [] } }), 21)
  expect(node.advance(200, challenge)[0]?.asked).toEqual([])
  const many = Array.from({ length: 500 }, (_, i): [string, number] => [`10.0.${i >> 8}.${i & 255}`, 0])
  node.offer(new Map(many), timings.default)
  const pagesIn = (from: number): number => {
    let sent = 0
    for (let at = from; at < from + 30; at += 10) sent += node.advance(at, challenge).length
    return sent
  }
  expect(pagesIn(300)).toBe(4)
  expect(pagesIn(340)).toBe(0)
  node.hear(beatOf(3, { asked: [challenge] }), 371)
  expect(pagesIn(380)).toBe(4)
})
