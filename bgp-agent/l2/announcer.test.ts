import { expect, test } from 'vitest'
import { formatAddress, parseAddress } from '../address.ts'
import { Announcer, type Door } from './announcer.ts'
import type { AnnouncerPlan } from './messages.ts'
import type { AnsweredAddress } from './responder.ts'
import { timings } from './timing.ts'

const key = new TextEncoder().encode('0123456789abcdef')
const settle = 900

/** Networks that agents share, by a clock of their own. */
class World {
  now = 0
  /** What is said on a network reaches all others there. */
  readonly #doors = new Map<string, Set<(datagram: Uint8Array) => void>>()
  readonly #agents = new Set<Agent>()
  #challenges = 0n
  isBroken = false

  agent(node: string, on: AnnouncerPlan): Agent {
    const agent = new Agent(node, this)
    this.#agents.add(agent)
    agent.announcer.set(on)
    return agent
  }

  kill(agent: Agent): void {
    this.#agents.delete(agent)
  }

  wakeUp(agent: Agent): void {
    this.#agents.add(agent)
  }

  run(milliseconds: number): void {
    for (const until = this.now + milliseconds; this.now < until; this.now++)
      for (const { announcer } of this.#agents) if (announcer.due <= this.now) announcer.run()
  }

  challenge(): bigint {
    return ++this.#challenges
  }

  open(network: string, received: (datagram: Uint8Array) => void): Door {
    if (this.isBroken) throw new Error('it has no address to send from')
    const doors = this.#doors.get(network) ?? new Set()
    this.#doors.set(network, doors.add(received))
    return {
      mac: '02:00:00:00:00:01',
      send: (datagram) => {
        for (const other of doors) if (other !== received) other(datagram)
      },
      isSound: () => !this.isBroken,
      close: () => doors.delete(received),
    }
  }
}

/** An announcer with a responder that only writes down what it is told. */
class Agent {
  readonly announcer: Announcer
  readonly sets: (readonly string[])[] = []
  readonly log: string[] = []

  constructor(node: string, world: World) {
    this.announcer = new Announcer(node, {
      responder: { set: (whole) => void this.sets.push(whole.map(shown).sort()) },
      now: () => world.now,
      epoch: () => 1_700_000_000_000 + world.now,
      random: () => world.challenge(),
      open: (network, received) => world.open(network, received),
      log: (message) => void this.log.push(message),
      wake: () => {},
    })
  }

  get last(): readonly string[] {
    return this.sets.at(-1) ?? []
  }
}

const shown = ({ octets, interfaces, isTakenOver }: AnsweredAddress): string =>
  `${formatAddress(octets)} on ${interfaces.join(' ')}${isTakenOver ? ', taken over' : ''}`

const planOf = (interfaces: readonly string[], addresses: readonly string[], preference = 0): AnnouncerPlan => ({
  addresses: addresses.map((address) => ({ address, interfaces, preference })),
  interfaces: new Map(interfaces.map((name) => [name, timings.default])),
  keys: [key],
})

test('a node that is alone answers on all its interfaces once it has listened, and asks first who else may', () => {
  const world = new World()
  const agent = world.agent('a', planOf(['eth0', 'eth1'], ['10.0.0.1']))
  world.run(600)
  expect(agent.last).toEqual([])
  world.run(200)
  expect(agent.last).toEqual(['10.0.0.1 on eth0 eth1'])
})

test('what comes from another is taken over, once', () => {
  const world = new World()
  const first = world.agent('a', planOf(['eth0'], ['10.0.0.1', '10.0.0.2']))
  world.run(9_000)
  const second = world.agent('b', planOf(['eth0'], ['10.0.0.1', '10.0.0.2'], 10))
  world.run(settle)
  expect(second.last).toEqual(['10.0.0.1 on eth0, taken over', '10.0.0.2 on eth0, taken over'])
  expect(first.last).toEqual([])
  second.announcer.set(planOf(['eth0'], ['10.0.0.1', '10.0.0.2', '10.0.0.3'], 10))
  expect(second.last).toEqual(['10.0.0.1 on eth0', '10.0.0.2 on eth0', '10.0.0.3 on eth0'])
  expect(second.announcer.status()[0]?.takeovers).toBe(2)
})

test('each network has an election of its own', () => {
  const world = new World()
  const a = world.agent('a', planOf(['eth0', 'eth1'], ['10.0.0.1']))
  world.run(settle)
  world.agent('b', planOf(['eth1'], ['10.0.0.1'], 10))
  world.run(settle)
  expect(a.last).toEqual(['10.0.0.1 on eth0'])
  expect(a.announcer.status().map(({ owners }) => owners)).toEqual([
    [{ address: '10.0.0.1', node: 'a', isHere: true }],
    [{ address: '10.0.0.1', node: 'b', isHere: false }],
  ])
})

test('an agent that ends hands over at once', () => {
  const world = new World()
  const a = world.agent('a', planOf(['eth0'], ['10.0.0.1'], 10))
  const b = world.agent('b', planOf(['eth0'], ['10.0.0.1']))
  world.run(9_000)
  expect([a.last.length, b.last.length]).toEqual([1, 0])
  a.announcer.leave()
  world.kill(a)
  world.run(5)
  expect(b.last).toEqual(['10.0.0.1 on eth0, taken over'])
})

test('an interface that comes back is met as if it were new, by those who have heard of it before, too', () => {
  const world = new World()
  const a = world.agent('a', planOf(['eth0'], ['10.0.0.1'], 10))
  const b = world.agent('b', planOf(['eth0'], ['10.0.0.1']))
  world.run(9_000)
  a.announcer.set(planOf([], []))
  world.run(10)
  expect([a.last, b.last]).toEqual([[], ['10.0.0.1 on eth0, taken over']])
  a.announcer.set(planOf(['eth0'], ['10.0.0.1'], 10))
  world.run(settle)
  expect([a.last, b.last]).toEqual([['10.0.0.1 on eth0, taken over'], []])
})

test('who cannot hear of others does not answer, and tries again', () => {
  const world = new World()
  world.isBroken = true
  const agent = world.agent('a', planOf(['eth0'], ['10.0.0.1']))
  world.run(3_000)
  expect(agent.last).toEqual([])
  expect(agent.log).toEqual(['no peers are met on eth0: it has no address to send from'])
  expect(agent.announcer.status()[0]?.fault).toBe('it has no address to send from')
  world.isBroken = false
  world.run(1_000 + settle)
  expect(agent.last).toEqual(['10.0.0.1 on eth0'])
})

test('who cannot hear of others any more is replaced, and meets them again', () => {
  const world = new World()
  const a = world.agent('a', planOf(['eth0'], ['10.0.0.1'], 10))
  const b = world.agent('b', planOf(['eth0'], ['10.0.0.1']))
  world.run(9_000)
  world.isBroken = true
  world.run(5_000)
  expect(a.announcer.status()[0]?.fault).toBe('it has no address to send from')
  world.isBroken = false
  world.run(3_000)
  expect([a.last.length, b.last.length]).toEqual([1, 0])
  expect(a.announcer.status()[0]?.peers).toMatchObject([{ node: 'b', state: 'alive' }])
})

test('with many addresses a node may be silent for longer than fast timers say', () => {
  const world = new World()
  const agent = world.agent('a', planOf([], []))
  const timingOf = (count: number) => {
    const addresses = Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}`)
    agent.announcer.set({ ...planOf(['eth0'], addresses), interfaces: new Map([['eth0', timings.fast]]) })
    return agent.announcer.status()[0]?.timing
  }
  expect(timingOf(2_000)).toEqual(timings.fast)
  expect(timingOf(2_001)).toEqual(timings.default)
})

test('without a key nobody is met, and nothing is answered for', () => {
  const world = new World()
  const agent = world.agent('a', { ...planOf(['eth0'], ['10.0.0.1']), keys: [] })
  world.run(3_000)
  expect(agent.last).toEqual([])
  expect(agent.announcer.due).toBe(Number.POSITIVE_INFINITY)
})

test('nodes with different keys do not meet, and that is said and counted', () => {
  const world = new World()
  const a = world.agent('a', planOf(['eth0'], ['10.0.0.1']))
  world.agent('b', { ...planOf(['eth0'], ['10.0.0.1']), keys: [new Uint8Array(16)] })
  world.run(2_000)
  expect(a.log).toEqual(['somebody on eth0 has another key: nodes need the same Secret to meet'])
  expect(a.announcer.status()[0]?.dropped.signature).toBeGreaterThan(5)
})

test('an address that another host has is left to it', () => {
  const world = new World()
  const agent = world.agent('a', planOf(['eth0'], ['10.0.0.1', '10.0.0.2']))
  world.run(settle)
  agent.announcer.conflict(parseAddress('10.0.0.1') ?? new Uint8Array(), 'eth0', '02:00:00:00:ff:ff')
  world.run(1)
  expect(agent.last).toEqual(['10.0.0.2 on eth0'])
  world.run(61_000)
  expect(agent.last).toEqual(['10.0.0.1 on eth0', '10.0.0.2 on eth0'])
})

test('after a time apart the one who keeps an address announces it again', () => {
  const world = new World()
  const a = world.agent('a', planOf(['eth0'], ['10.0.0.1'], 10))
  const b = world.agent('b', planOf(['eth0'], ['10.0.0.1']))
  world.run(9_000)
  world.kill(a)
  world.run(3_000)
  expect(b.last).toEqual(['10.0.0.1 on eth0, taken over'])
  const before = a.sets.length
  // It has stood still, and has not heard that it was replaced.
  world.wakeUp(a)
  world.run(500)
  expect(a.sets.slice(before)).toEqual([['10.0.0.1 on eth0, taken over']])
  expect(b.last).toEqual([])
})
