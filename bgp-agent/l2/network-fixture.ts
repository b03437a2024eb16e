import { decodeHeartbeat, encodeHeartbeat, type Heartbeat } from './heartbeat.ts'
import { Participant } from './participant.ts'
import type { Timing } from './timing.ts'

/** Numbers in [0, 1), the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}

const key = new TextEncoder().encode('of all nodes of the fixture')

interface VirtualNode {
  readonly participant: Participant
  /** Nodes of the same side hear each other. */
  side: number
  /** It stands still until then; what it would have heard waits. */
  sleepsUntil: number
  waiting: Uint8Array[]
}

interface Delivery {
  readonly at: number
  readonly to: string
  readonly datagram: Uint8Array
}

/** Nodes on a network that loses datagrams, delays them and can be cut in two, by a clock of its own, in milliseconds. */
export class VirtualNetwork {
  now = 0
  /** The part of datagrams that is lost on the way to each. */
  loss = 0
  /** Milliseconds that a datagram is on its way at most. */
  delay = 2
  /** Of all that has been sent, newest last, for those who would send it again. */
  readonly sent: { readonly from: string; readonly datagram: Uint8Array }[] = []
  readonly #random: () => number
  readonly #nodes = new Map<string, VirtualNode>()
  #deliveries: Delivery[] = []
  #lives = 0

  constructor(seed: number) {
    this.#random = seeded(seed)
  }

  /** `offers`: preferences by address. */
  start(name: string, offers: ReadonlyMap<string, number>, timing: Timing): void {
    this.startAs(name, name, offers, timing)
  }

  /** A node that calls itself something else. */
  startAs(name: string, calledItself: string, offers: ReadonlyMap<string, number>, timing: Timing): void {
    const participant = new Participant(calledItself, 1_700_000_000_000 + ++this.#lives, macOf(name), timing, this.now)
    participant.offer(offers, timing)
    this.#nodes.set(name, { participant, side: 0, sleepsUntil: 0, waiting: [] })
  }

  offer(name: string, offers: ReadonlyMap<string, number>): void {
    const { participant } = this.#node(name)
    participant.offer(offers, participant.timing)
  }

  kill(name: string): void {
    this.#nodes.delete(name)
  }

  /** As an agent ends that is told to. */
  leave(name: string): void {
    this.#send(name, this.#node(name).participant.leave(this.now))
    this.#nodes.delete(name)
  }

  sleep(name: string, milliseconds: number): void {
    this.#node(name).sleepsUntil = this.now + milliseconds
  }

  cut(...names: readonly string[]): void {
    for (const name of names) this.#node(name).side = 1
  }

  heal(): void {
    for (const node of this.#nodes.values()) node.side = 0
  }

  /** Everybody hears what somebody has said before. */
  replay(datagram: Uint8Array): void {
    for (const to of this.#nodes.keys()) this.#deliveries.push({ at: this.now, to, datagram })
  }

  participant(name: string): Participant {
    return this.#node(name).participant
  }

  /** Who answers for an address. */
  holders(address: string): readonly string[] {
    return [...this.#nodes].flatMap(([name, { participant }]) => (participant.held.has(address) ? [name] : []))
  }

  /** How many addresses each node has. */
  shares(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#nodes].map(([name, { participant }]) => [name, participant.held.size]))
  }

  /** Lets time pass; `seen` is called whenever something may have changed. */
  run(milliseconds: number, seen: () => void = () => {}): void {
    const until = this.now + milliseconds
    for (;;) {
      const next = Math.min(
        ...this.#deliveries.map(({ at }) => at),
        ...[...this.#nodes.values()].map(({ participant, sleepsUntil }) => Math.max(participant.due, sleepsUntil)),
      )
      if (next > until) break
      this.now = Math.max(next, this.now + 0.01)
      this.#deliver()
      for (const [name, node] of this.#nodes) this.#wake(name, node)
      seen()
    }
    this.now = until
  }

  #deliver(): void {
    const due = this.#deliveries.filter(({ at }) => at <= this.now)
    this.#deliveries = this.#deliveries.filter(({ at }) => at > this.now)
    for (const { to, datagram } of due) {
      const node = this.#nodes.get(to)
      if (node !== undefined && node.sleepsUntil > this.now) node.waiting.push(datagram)
      else if (node !== undefined) this.#hear(node, datagram)
    }
  }

  #wake(name: string, node: VirtualNode): void {
    if (node.sleepsUntil > this.now) return
    // As in an event loop: timers first, then what has waited in the socket.
    this.#advance(name, node)
    const { waiting } = node
    if (waiting.length === 0) return
    node.waiting = []
    for (const datagram of waiting) this.#hear(node, datagram)
    this.#advance(name, node)
  }

  #advance(name: string, { participant }: VirtualNode): void {
    const challenge = BigInt(Math.floor(this.#random() * 2 ** 32)) << 20n
    for (const beat of participant.advance(this.now, challenge)) this.#send(name, beat)
  }

  #hear({ participant }: VirtualNode, datagram: Uint8Array): void {
    const beat = decodeHeartbeat(datagram, [key])
    if (typeof beat === 'string') throw new Error(`a node has sent what nobody reads: ${beat}`)
    participant.hear(beat, this.now)
  }

  #send(from: string, beat: Heartbeat): void {
    const datagram = encodeHeartbeat(beat, key)
    this.sent.push({ from, datagram })
    const { side } = this.#node(from)
    for (const [to, node] of this.#nodes)
      if (to !== from && node.side === side && this.#random() >= this.loss)
        this.#deliveries.push({ at: this.now + 0.1 + this.#random() * this.delay, to, datagram })
  }

  #node(name: string): VirtualNode {
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`there is no node ${name}`)
    return node
  }
}

/** A MAC of a node of one letter. */
export const macOf = (name: string): string => `02:00:00:00:00:${name.charCodeAt(0).toString(16)}`

/** "10.0.0.1" and so on, with one preference. */
export const offersOf = (count: number, preference = 0): ReadonlyMap<string, number> =>
  new Map(Array.from({ length: count }, (_, i) => [`10.0.${Math.floor(i / 250)}.${1 + (i % 250)}`, preference]))
