import {
  ArpOperation,
  type ArpPacket,
  arpAnnouncements,
  arpProbe,
  arpReply,
  decodeArp,
  encodeArp,
  isArpProbe,
} from './arp.ts'
import { Deadlines } from './deadlines.ts'
import { broadcast, decodeEthernet, EtherType, encodeEthernet, groupMac, isUnicastMac } from './ethernet.ts'
import {
  type Action,
  type Event,
  type Holding,
  type HoldingState,
  type HoldingTiming,
  newHolding,
  step,
} from './holding.ts'
import {
  decodeNeighbor,
  encodeNeighbor,
  isUnspecified,
  type NeighborMessage,
  neighborAnnouncement,
  neighborAnswer,
  neighborProbe,
  solicitedNodeGroup,
} from './ndp.ts'

/** What one interface is to its addresses. */
export interface SegmentWorld {
  /** Milliseconds of a clock that is never set. */
  readonly now: () => number
  /** In [0, 1). */
  readonly random: () => number
  readonly send: (frame: Uint8Array) => void
  /** From here on the interface hears a group of IPv6, or does not any more. */
  readonly join: (group: Uint8Array) => void
  readonly leave: (group: Uint8Array) => void
  /** Whether a MAC is one of this host's. */
  readonly isOwn: (mac: Uint8Array) => boolean
  /** `mac`: of the host that has the address, in a conflict. */
  readonly changed: (octets: Uint8Array, state: HoldingState, mac: Uint8Array) => void
  /** Another host claims an address that is answered for. */
  readonly disputed: (octets: Uint8Array, mac: Uint8Array) => void
}

export interface SegmentEntry {
  readonly octets: Uint8Array
  readonly state: HoldingState
  /** Frames: who has asked for the address, who has been answered, and what was told unasked. */
  readonly requests: number
  readonly answers: number
  readonly gratuitous: number
}

interface Held {
  readonly key: string
  readonly octets: Uint8Array
  holding: Holding
  requests: number
  answers: number
  gratuitous: number
}

/** Deadlines that are met at once; frames that come meanwhile are not kept waiting for the others. */
const MAX_DUE = 8

/** The addresses that are answered for on one interface. */
export class Segment {
  readonly #mac: Uint8Array
  readonly #timing: HoldingTiming
  readonly #world: SegmentWorld
  readonly #held = new Map<string, Held>()
  readonly #deadlines = new Deadlines()
  /** Addresses by solicited-node group, which several may share. */
  readonly #groups = new Map<string, number>()

  constructor(mac: Uint8Array, timing: HoldingTiming, world: SegmentWorld) {
    this.#mac = mac
    this.#timing = timing
    this.#world = world
  }

  /** When there is something to be done; Infinity: never. */
  get due(): number {
    return this.#deadlines.next
  }

  /** From here on the address is sought, and answered for when nobody has it. `isTakenOver`: a live peer has had it, and there is
   *  no doubt. */
  take(octets: Uint8Array, isTakenOver: boolean): void {
    const key = keyOf(octets)
    const known = this.#held.get(key)
    if (known !== undefined) {
      if (isTakenOver) this.#apply(known, { type: 'takenOver' }, this.#mac)
      return
    }
    // RFC 4862 section 5.4.2: before it is asked whether anybody has the address.
    if (octets.length === 16) this.#enter(solicitedNodeGroup(octets))
    const [holding, actions] = newHolding(isTakenOver, this.#moment(), this.#timing)
    const held = { key, octets, holding, requests: 0, answers: 0, gratuitous: 0 }
    this.#held.set(key, held)
    this.#settle(held, actions, this.#mac)
  }

  letGo(octets: Uint8Array): void {
    const key = keyOf(octets)
    if (!this.#held.delete(key)) return
    this.#deadlines.delete(key)
    if (octets.length === 16) this.#exit(solicitedNodeGroup(octets))
  }

  /** A frame that the interface has received. */
  receive(bytes: Uint8Array): void {
    const frame = decodeEthernet(bytes)
    if (frame === undefined || this.#world.isOwn(frame.source)) return
    if (frame.etherType === EtherType.arp) {
      const packet = decodeArp(frame.payload)
      if (typeof packet !== 'string') this.#hearArp(packet)
    } else if (frame.etherType === EtherType.ipv6) {
      const message = decodeNeighbor(frame.payload)
      if (typeof message !== 'string') this.#hearNeighbor(message, message.mac ?? frame.source)
    }
  }

  /** Does what is due; there may be more. */
  run(): void {
    const now = this.#world.now()
    for (let done = 0; done < MAX_DUE; done++) {
      const key = this.#deadlines.take(now)
      if (key === undefined) return
      const held = this.#held.get(key)
      if (held !== undefined) this.#apply(held, { type: 'due' }, this.#mac)
    }
  }

  entries(): readonly SegmentEntry[] {
    return [...this.#held.values()].map(({ octets, holding, requests, answers, gratuitous }) => ({
      octets,
      state: holding.state,
      requests,
      answers,
      gratuitous,
    }))
  }

  #hearArp(packet: ArpPacket): void {
    const { operation, senderMac, senderAddress, targetAddress } = packet
    if (!isUnicastMac(senderMac) || this.#world.isOwn(senderMac)) return
    const claimed = this.#held.get(keyOf(senderAddress))
    if (claimed !== undefined) {
      this.#apply(claimed, { type: 'claimed' }, senderMac)
      return
    }
    const asked = operation === ArpOperation.request ? this.#held.get(keyOf(targetAddress)) : undefined
    if (asked === undefined) return
    asked.requests++
    if (asked.holding.state !== 'answering') {
      if (isArpProbe(packet)) this.#rival(asked, senderMac)
      return
    }
    asked.answers++
    this.#sendArp(arpReply(this.#mac, packet), senderMac)
  }

  /** `mac`: of the source of a solicitation, or of an advertisement's target. */
  #hearNeighbor(message: NeighborMessage, mac: Uint8Array): void {
    if (!isUnicastMac(mac) || this.#world.isOwn(mac)) return
    const { kind, source, target } = message
    const claimed = this.#held.get(keyOf(kind === 'advertisement' ? target : source))
    if (claimed !== undefined) {
      this.#apply(claimed, { type: 'claimed' }, mac)
      return
    }
    const asked = kind === 'solicitation' ? this.#held.get(keyOf(target)) : undefined
    if (asked === undefined) return
    asked.requests++
    const isProbe = isUnspecified(source)
    if (asked.holding.state !== 'answering') {
      if (isProbe) this.#rival(asked, mac)
      return
    }
    asked.answers++
    this.#sendNeighbor(neighborAnswer(this.#mac, message), isProbe ? undefined : mac)
  }

  #rival(held: Held, mac: Uint8Array): void {
    this.#apply(held, { type: 'rivalled', isBefore: Buffer.compare(mac, this.#mac) < 0 }, mac)
  }

  /** `mac`: whose doing it is. */
  #apply(held: Held, event: Event, mac: Uint8Array): void {
    const [holding, actions] = step(held.holding, event, this.#moment(), this.#timing)
    held.holding = holding
    this.#settle(held, actions, mac)
  }

  #settle(held: Held, actions: readonly Action[], mac: Uint8Array): void {
    this.#deadlines.set(held.key, held.holding.due)
    for (const action of actions)
      switch (action.type) {
        case 'probe':
          this.#probe(held.octets)
          break
        case 'announce':
          this.#announce(held)
          break
        case 'changed':
          this.#world.changed(held.octets, action.state, mac)
          break
        case 'disputed':
          this.#world.disputed(held.octets, mac)
          break
      }
  }

  #probe(octets: Uint8Array): void {
    if (octets.length === 4) this.#sendArp(arpProbe(this.#mac, octets), broadcast)
    else this.#sendNeighbor(neighborProbe(octets), undefined)
  }

  #announce(held: Held): void {
    if (held.octets.length === 16) {
      held.gratuitous++
      this.#sendNeighbor(neighborAnnouncement(this.#mac, held.octets), undefined)
      return
    }
    for (const packet of arpAnnouncements(this.#mac, held.octets)) {
      held.gratuitous++
      this.#sendArp(packet, broadcast)
    }
  }

  #sendArp(packet: ArpPacket, destination: Uint8Array): void {
    const payload = encodeArp(packet)
    this.#world.send(encodeEthernet({ destination, source: this.#mac, etherType: EtherType.arp, payload }))
  }

  /** `mac`: undefined for a group. */
  #sendNeighbor(message: NeighborMessage, mac: Uint8Array | undefined): void {
    const destination = mac ?? groupMac(message.destination)
    const payload = encodeNeighbor(message)
    this.#world.send(encodeEthernet({ destination, source: this.#mac, etherType: EtherType.ipv6, payload }))
  }

  #enter(group: Uint8Array): void {
    const key = keyOf(group)
    const addresses = this.#groups.get(key) ?? 0
    this.#groups.set(key, addresses + 1)
    if (addresses === 0) this.#world.join(group)
  }

  #exit(group: Uint8Array): void {
    const key = keyOf(group)
    const addresses = (this.#groups.get(key) ?? 1) - 1
    if (addresses > 0) this.#groups.set(key, addresses)
    else {
      this.#groups.delete(key)
      this.#world.leave(group)
    }
  }

  #moment(): { readonly now: number; readonly random: number } {
    return { now: this.#world.now(), random: this.#world.random() }
  }
}

/** Of the same length for addresses of the same family, and quickly made: there is one for each frame. */
const keyOf = (octets: Uint8Array): string => String.fromCharCode(...octets)
