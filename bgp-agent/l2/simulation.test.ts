import { describe, expect, test } from 'vitest'
import { macOf, offersOf, seeded, VirtualNetwork } from './network-fixture.ts'
import { type Timing, timings } from './timing.ts'

const seeds = Array.from({ length: 20 }, (_, i) => i + 1)
const addresses = offersOf(30)
const all = [...addresses.keys()]

/** Nodes "a", "b", …, which have settled. */
function network(seed: number, nodes: number, timing: Timing, loss = 0): VirtualNetwork {
  const made = new VirtualNetwork(seed)
  made.loss = loss
  for (let i = 0; i < nodes; i++) made.start(String.fromCharCode(97 + i), addresses, timing)
  made.run(8_000)
  return made
}

/** Runs, and gives the longest time in which an address was answered for by more than one. */
function longestDouble(of: VirtualNetwork, milliseconds: number): number {
  const since = new Map<string, number>()
  let longest = 0
  of.run(milliseconds, () => {
    for (const address of all) {
      const began = since.get(address)
      if (of.holders(address).length < 2) since.delete(address)
      else if (began === undefined) since.set(address, of.now)
      else longest = Math.max(longest, of.now - began)
    }
  })
  return longest
}

/** Runs until each address is answered for by one node, and gives how long that took. */
function untilWhole(of: VirtualNetwork, most: number): number {
  const began = of.now
  let whole: number | undefined
  of.run(most, () => {
    const isWhole = all.every((address) => of.holders(address).length === 1)
    if (isWhole) whole ??= of.now - began
    else whole = undefined
  })
  return whole ?? Number.POSITIVE_INFINITY
}

const isEach = (of: VirtualNetwork): boolean => all.every((address) => of.holders(address).length === 1)

const wholeOf = (of: VirtualNetwork): ReadonlyMap<string, string> =>
  new Map(all.map((address) => [address, of.holders(address).join()]))

describe.for<[string, Timing, number]>([
  ['default', timings.default, 1_000],
  ['fast', timings.fast, 300],
])('with timers %s', ([, timing, most]) => {
  test('a dead holder is replaced in time, whenever it dies', () => {
    const took = seeds.map((seed) => {
      const nodes = network(seed, 3, timing)
      const random = seeded(seed)
      nodes.run(random() * 1_000)
      const [dead = ''] = nodes.holders(all[Math.floor(random() * all.length)] ?? '')
      expect(isEach(nodes)).toBe(true)
      nodes.kill(dead)
      return untilWhole(nodes, 3_000)
    })
    expect(Math.max(...took)).toBeLessThan(most)
    // A node that is only late must not lose its addresses.
    expect(Math.min(...took)).toBeGreaterThan(timing.detection - timing.interval - 10)
  })

  test('a holder that leaves is replaced at once', () => {
    const nodes = network(1, 3, timing)
    const [leaver = ''] = nodes.holders('10.0.0.1')
    nodes.leave(leaver)
    expect(untilWhole(nodes, 1_000)).toBeLessThan(20)
  })

  test('a network that was cut has one holder of each address soon after it heals', () => {
    for (const seed of seeds.slice(0, 5)) {
      const nodes = network(seed, 4, timing)
      nodes.cut('a', 'b')
      nodes.run(5_000)
      expect(all.every((address) => nodes.holders(address).length === 2)).toBe(true)
      nodes.heal()
      expect(untilWhole(nodes, 3_000)).toBeLessThan(most)
      expect(longestDouble(nodes, 2_000)).toBe(0)
    }
  })

  test('where nothing happens, nothing moves and no two answer', () => {
    const nodes = network(3, 5, timing)
    const before = wholeOf(nodes)
    expect(longestDouble(nodes, 20_000)).toBe(0)
    expect(wholeOf(nodes)).toEqual(before)
  })

  test('who has stood still for long gives up what others have, as soon as it hears them', () => {
    for (const seed of seeds.slice(0, 5)) {
      const nodes = network(seed, 3, timing)
      const before = wholeOf(nodes)
      const [sleeper = ''] = nodes.holders('10.0.0.1')
      nodes.participant(sleeper).takeNews()
      nodes.sleep(sleeper, 6_000)
      nodes.run(6_000)
      expect(untilWhole(nodes, 2_000)).toBeLessThan(timing.interval + 20)
      expect(wholeOf(nodes)).toEqual(before)
      // Neighbours of the network believe whoever took over.
      expect(nodes.participant(sleeper).takeNews().again.length).toBeGreaterThan(0)
    }
  })
})

test('of ten datagrams one is lost, and no two answer for one address for longer than a second', () => {
  for (const seed of seeds.slice(0, 5)) {
    const nodes = network(seed, 4, timings.default, 0.1)
    expect(longestDouble(nodes, 60_000)).toBeLessThan(1_000)
  }
})

test('of three datagrams one is lost, nodes come and go, and no two answer for one address for longer than a second', () => {
  for (const seed of seeds.slice(0, 5)) {
    const nodes = network(seed, 4, timings.default, 0.33)
    const random = seeded(seed)
    for (let round = 0; round < 10; round++) {
      const name = 'abcd'[Math.floor(random() * 4)] ?? ''
      nodes.kill(name)
      expect(longestDouble(nodes, 2_000 * random())).toBeLessThan(1_000)
      nodes.start(name, addresses, timings.default)
      expect(longestDouble(nodes, 4_000 * random())).toBeLessThan(1_000)
    }
    nodes.loss = 0
    nodes.run(6_000)
    expect(isEach(nodes)).toBe(true)
  }
})

test('a node that has just started answers for nothing before it has listened, and then leaves nothing unanswered', () => {
  const nodes = network(1, 2, timings.default)
  nodes.start('z', addresses, timings.default)
  nodes.run(timings.default.detection - 1)
  expect(nodes.participant('z').held.size).toBe(0)
  const gaps = new Set<string>()
  nodes.run(2_000, () => {
    for (const address of all) if (nodes.holders(address).length === 0) gaps.add(address)
  })
  expect([...gaps]).toEqual([])
  expect(nodes.participant('z').held.size).toBeGreaterThan(0)
  expect(isEach(nodes)).toBe(true)
})

test('a node that is alone answers for everything once it has listened', () => {
  const nodes = new VirtualNetwork(1)
  nodes.start('a', addresses, timings.default)
  nodes.run(timings.default.detection + 20)
  expect(nodes.shares()).toEqual({ a: all.length })
  expect([...nodes.participant('a').held.values()]).not.toContain(true)
})

test('what comes from a peer that has long had it is taken over without a doubt, and nothing else', () => {
  const nodes = network(1, 1, timings.default)
  nodes.start('b', addresses, timings.default)
  nodes.run(2_000)
  const ofB = nodes.participant('b').held
  expect([...ofB.values()]).not.toContain(false)
  nodes.offer('b', new Map([...addresses, ['10.9.9.9', 0]]))
  nodes.run(1_000)
  expect(nodes.participant('b').held.get('10.9.9.9')).toBe(false)
})

test('when a node comes or goes, only its own addresses move', () => {
  for (const seed of seeds.slice(0, 5)) {
    const nodes = network(seed, 4, timings.default)
    const before = wholeOf(nodes)
    nodes.start('e', addresses, timings.default)
    nodes.run(3_000)
    const between = wholeOf(nodes)
    for (const [address, holder] of between) if (holder !== before.get(address)) expect(holder).toBe('e')
    nodes.kill('e')
    nodes.run(3_000)
    expect(wholeOf(nodes)).toEqual(before)
  }
})

test('a preferred node has the address while it is there, and another only then', () => {
  const nodes = network(1, 3, timings.default)
  nodes.offer('b', offersOf(30, 10))
  nodes.run(1_000)
  expect(nodes.shares()).toEqual({ a: 0, b: 30, c: 0 })
  nodes.kill('b')
  nodes.run(1_000)
  expect(isEach(nodes)).toBe(true)
})

test('who may not answer any more stops, and another begins', () => {
  const nodes = network(1, 3, timings.default)
  const [holder = ''] = nodes.holders('10.0.0.1')
  nodes.offer(holder, new Map([...addresses].filter(([address]) => address !== '10.0.0.1')))
  nodes.run(50)
  expect(nodes.holders('10.0.0.1')).toHaveLength(1)
  expect(nodes.holders('10.0.0.1')).not.toContain(holder)
})

test('an address that another host has is left alone for a minute, node after node', () => {
  const nodes = network(1, 2, timings.default)
  const [first = ''] = nodes.holders('10.0.0.1')
  nodes.participant(first).leaveAlone('10.0.0.1', '02:00:00:00:ff:ff', nodes.now)
  nodes.run(50)
  const [second = ''] = nodes.holders('10.0.0.1')
  expect(second).not.toBe(first)
  nodes.participant(second).leaveAlone('10.0.0.1', '02:00:00:00:ff:ff', nodes.now)
  nodes.run(59_000)
  expect(nodes.holders('10.0.0.1')).toEqual([])
  nodes.run(2_000)
  expect(nodes.holders('10.0.0.1')).toEqual([first])
})

test('an address that a peer is seen to have is left alone for moments only', () => {
  const nodes = network(1, 2, timings.default)
  const [holder = '', other = ''] = nodes.holders('10.0.0.1').includes('a') ? ['a', 'b'] : ['b', 'a']
  nodes.participant(holder).leaveAlone('10.0.0.1', macOf(other), nodes.now)
  nodes.run(50)
  expect(nodes.holders('10.0.0.1')).toEqual([other])
  nodes.run(timings.default.detection)
  expect(nodes.holders('10.0.0.1')).toEqual([holder])
})

test('nobody brings a dead node back by saying again what it has said', () => {
  const nodes = network(1, 3, timings.default)
  const [dead = ''] = nodes.holders('10.0.0.1')
  const words = nodes.sent.filter(({ from }) => from === dead)
  nodes.kill(dead)
  for (let i = 0; i < 300; i++) {
    nodes.replay(words[Math.floor((i / 300) * words.length)]?.datagram ?? new Uint8Array())
    nodes.run(100)
  }
  expect(isEach(nodes)).toBe(true)
  // Nor before somebody who has never heard it.
  nodes.start('z', addresses, timings.default)
  for (const { datagram } of words.slice(-100)) {
    nodes.replay(datagram)
    nodes.run(50)
  }
  expect(isEach(nodes)).toBe(true)
})

test('of two agents that say that they are the same node, the later one has its addresses', () => {
  const nodes = network(1, 2, timings.default)
  const held = nodes.participant('a').held.size
  const elder = nodes.participant('a')
  // Under another name in the fixture alone.
  nodes.startAs('a again', 'a', addresses, timings.default)
  nodes.run(3_000)
  expect(nodes.participant('a again').held.size).toBe(held)
  expect(elder.held.size).toBe(0)
})

test('two thousand addresses, which take many pages, have one holder each in spite of losses', () => {
  const many = offersOf(2_000)
  const nodes = new VirtualNetwork(7)
  nodes.loss = 0.05
  for (const name of ['a', 'b', 'c']) nodes.start(name, many, timings.default)
  nodes.run(12_000)
  expect([...many.keys()].filter((address) => nodes.holders(address).length !== 1)).toEqual([])
  nodes.kill('b')
  nodes.run(1_000)
  expect([...many.keys()].filter((address) => nodes.holders(address).length !== 1)).toEqual([])
})

test('a change of many pages is known everywhere in less than a second', () => {
  const many = offersOf(2_000)
  const nodes = new VirtualNetwork(1)
  for (const name of ['a', 'b']) nodes.start(name, many, timings.default)
  nodes.run(5_000)
  nodes.offer('a', offersOf(2_000, 10))
  nodes.run(500)
  expect(nodes.shares()).toEqual({ a: 2_000, b: 0 })
})

test('who comes to many pages, of which some are lost, takes nothing for what nobody has had', () => {
  const many = offersOf(12_000)
  const nodes = new VirtualNetwork(1)
  nodes.start('a', many, timings.default)
  nodes.run(5_000)
  nodes.loss = 0.2
  nodes.start('z', many, timings.default)
  while (!nodes.participant('z').isReady) nodes.run(50)
  nodes.run(100)
  const held = [...nodes.participant('z').held.values()]
  expect(held.length).toBeGreaterThan(5_000)
  expect(held).not.toContain(false)
})

test('a node that is suspected says at once that it lives', () => {
  const nodes = network(1, 2, timings.default)
  const a = nodes.participant('a')
  nodes.cut('b')
  nodes.run(300)
  nodes.heal()
  const next = a.due
  const [beat] = nodes.participant('b').advance(nodes.now + 130, 1n)
  expect(beat?.asked).toEqual([expect.any(BigInt)])
  if (beat !== undefined) a.hear(beat, nodes.now)
  expect(a.due).toBeLessThan(next)
  expect(a.due).toBeLessThanOrEqual(nodes.now + 10)
})
