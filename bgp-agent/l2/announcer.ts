import { formatAddress, parseAddress } from '../address.ts'
import { type Discard, decodeHeartbeat, encodeHeartbeat, type Heartbeat } from './heartbeat.ts'
import type { Change, Peer } from './membership.ts'
import type { AnnouncerPlan, NetworkStatus, PeerStatus } from './messages.ts'
import { Participant } from './participant.ts'
import type { Responder } from './responder.ts'
import { type Timing, timingFor } from './timing.ts'

/** The way to the other nodes on one network. */
export interface Door {
  /** Of the interface: "02:00:00:00:00:01". */
  readonly mac: string
  send(datagram: Uint8Array): void
  /** Whether the interface still is as it was when the door was opened. */
  isSound(): boolean
  close(): void
}

export interface AnnouncerWorld {
  readonly responder: Pick<Responder, 'set'>
  /** Milliseconds of a clock that is never set. */
  readonly now: () => number
  /** Milliseconds since the epoch. */
  readonly epoch: () => number
  /** 64 bits that are not to be guessed. */
  readonly random: () => bigint
  /** Throws an Error that says why there is none. */
  readonly open: (interfaceName: string, received: (datagram: Uint8Array) => void) => Door
  readonly log: (message: string) => void
  /** There may be something to be done before the time that was said. */
  readonly wake: () => void
}

/** Milliseconds from one look at a door to the next, and until one that could not be opened is tried again. */
const RETRY = 1000
/** Milliseconds between two lines of a log about datagrams that are dropped for the same reason. */
const LOG_INTERVAL = 60_000

/** What a node is on one interface. */
interface Network {
  readonly name: string
  /** Preferences by address. */
  offers: ReadonlyMap<string, number>
  timing: Timing
  /** undefined until there has been a door: who cannot hear of others must not answer. */
  participant: Participant | undefined
  door: Door | undefined
  /** Why there is no door. */
  fault: string | undefined
  triedAt: number
  /** Addresses that the responder has been told. */
  told: ReadonlySet<string>
  /** Addresses that are to be announced once more. */
  again: ReadonlySet<string>
  readonly dropped: Map<Discard, number>
  /** Addresses that came from a peer, so far. */
  takeovers: number
  isDoubled: boolean
}

/** Brings the responder to what the elections on all networks say. Sockets, clocks and timers are its world. */
export class Announcer {
  readonly #node: string
  readonly #world: AnnouncerWorld
  readonly #networks = new Map<string, Network>()
  readonly #loggedAt = new Map<string, number>()
  #keys: readonly Uint8Array[] = []

  constructor(node: string, world: AnnouncerWorld) {
    this.#node = node
    this.#world = world
  }

  /** When `run` is to be called at the latest. */
  get due(): number {
    return Math.min(
      ...[...this.#networks.values()].map(({ door, participant, triedAt }) =>
        door === undefined ? triedAt + RETRY : (participant?.due ?? Number.POSITIVE_INFINITY),
      ),
    )
  }

  set({ addresses, interfaces, keys }: AnnouncerPlan): void {
    const wanted = keys.length === 0 ? new Map<string, Timing>() : interfaces
    const left = [...this.#networks.values()].filter(({ name }) => !wanted.has(name))
    for (const network of left) {
      this.#leave(network)
      this.#networks.delete(network.name)
    }
    this.#keys = keys
    for (const [name, timing] of wanted) {
      const network = this.#networks.get(name) ?? this.#enter(name, timing)
      const offers = addresses.filter((each) => each.interfaces.includes(name))
      network.offers = new Map(offers.map(({ address, preference }) => [address, preference]))
      network.timing = timingFor(timing, network.offers.size)
      network.participant?.offer(network.offers, network.timing)
    }
    if (left.length > 0) this.#tell()
    this.run()
  }

  /** Another host has the address there. `run` is due: where there are many, one will do. */
  conflict(octets: Uint8Array, interfaceName: string, mac: string): void {
    const address = formatAddress(octets)
    const { participant } = this.#networks.get(interfaceName) ?? {}
    if (participant?.leaveAlone(address, mac, this.#world.now()))
      this.#logOnce(
        `${mac} has ${address} on ${interfaceName}; this node leaves it alone for a minute`,
        `conflicts on ${interfaceName}`,
      )
  }

  /** Does what is due. */
  run(): void {
    const at = this.#world.now()
    let isMoved = false
    for (const network of this.#networks.values()) {
      const participant = this.#opened(network, at)
      if (participant === undefined) continue
      for (const beat of participant.advance(at, this.#world.random())) this.#send(network, beat)
      const { changes, again, ...news } = participant.takeNews()
      for (const change of changes) this.#remark(network, change)
      network.again = new Set(again.filter((address) => network.told.has(address)))
      isMoved ||= news.isMoved || network.again.size > 0
    }
    if (isMoved) this.#tell()
  }

  status(): readonly NetworkStatus[] {
    const at = this.#world.now()
    return [...this.#networks.values()].map(({ name, participant, timing, fault, dropped, takeovers }) => ({
      interface: name,
      fault,
      isReady: participant?.isReady ?? false,
      timing,
      peers: (participant?.peers ?? []).map((peer) => peerStatus(peer, at)),
      owners: [...(participant?.owners ?? [])].map(([address, { node }]) => ({
        address,
        node,
        isHere: participant?.held.has(address) ?? false,
      })),
      dropped: Object.fromEntries(dropped),
      takeovers,
    }))
  }

  /** Peers take over at once. The responder is for its owner to close. */
  leave(): void {
    for (const network of this.#networks.values()) this.#leave(network)
    this.#networks.clear()
  }

  #enter(name: string, timing: Timing): Network {
    const network: Network = {
      name,
      offers: new Map(),
      timing,
      participant: undefined,
      door: undefined,
      fault: undefined,
      triedAt: Number.NEGATIVE_INFINITY,
      told: new Set(),
      again: new Set(),
      dropped: new Map(),
      takeovers: 0,
      isDoubled: false,
    }
    this.#networks.set(name, network)
    return network
  }

  #leave(network: Network): void {
    if (network.participant !== undefined) this.#send(network, network.participant.leave(this.#world.now()))
    this.#shut(network)
  }

  /** undefined: there is no door to it. */
  #opened(network: Network, at: number): Participant | undefined {
    if (at - network.triedAt < RETRY) return network.door && network.participant
    network.triedAt = at
    if (network.door?.isSound()) return network.participant
    this.#shut(network)
    try {
      const door = this.#world.open(network.name, (datagram) => this.#receive(network, datagram))
      network.door = door
      network.fault = undefined
      if (network.participant === undefined) {
        network.participant = new Participant(this.#node, this.#world.epoch(), door.mac, network.timing, at)
        network.participant.offer(network.offers, network.timing)
      } else network.participant.mac = door.mac
      return network.participant
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error)
      if (fault !== network.fault) this.#world.log(`no peers are met on ${network.name}: ${fault}`)
      network.fault = fault
      return undefined
    }
  }

  #shut(network: Network): void {
    network.door?.close()
    network.door = undefined
  }

  #send({ door }: Network, beat: Heartbeat): void {
    const [key] = this.#keys
    if (key !== undefined) door?.send(encodeHeartbeat(beat, key))
  }

  #receive(network: Network, datagram: Uint8Array): void {
    const beat = decodeHeartbeat(datagram, this.#keys)
    if (typeof beat === 'string') this.#drop(network, beat)
    else {
      network.participant?.hear(beat, this.#world.now())
      this.#world.wake()
    }
  }

  #drop({ name, dropped }: Network, why: Discard): void {
    dropped.set(why, (dropped.get(why) ?? 0) + 1)
    if (why === 'signature') this.#logOnce(`somebody on ${name} has another key: nodes need the same Secret to meet`)
    if (why === 'version') this.#logOnce(`somebody on ${name} speaks another version of the heartbeat`)
  }

  #remark(network: Network, change: Change): void {
    const { name } = network
    switch (change.type) {
      case 'up':
        this.#world.log(`node ${change.node} is there on ${name}`)
        if (change.node === this.#node)
          this.#logOnce(
            `another agent on ${name} says that it is node ${this.#node}; the one that began last has its addresses`,
          )
        break
      case 'down':
        this.#world.log(`node ${change.node} is gone from ${name}`)
        break
      case 'own':
        if (!network.isDoubled) this.#world.log(`${name} and another interface of this node are on one network`)
        network.isDoubled = true
        break
    }
  }

  /** `about`: of all that is said about the same, the first is logged. */
  #logOnce(message: string, about = message): void {
    const at = this.#world.now()
    if (at - (this.#loggedAt.get(about) ?? Number.NEGATIVE_INFINITY) < LOG_INTERVAL) return
    this.#loggedAt.set(about, at)
    this.#world.log(message)
  }

  /** What the responder hears to be taken over it announces, also what it answers for already. */
  #tell(): void {
    const answered = new Map<string, { octets: Uint8Array; interfaces: string[]; isTakenOver: boolean }>()
    for (const network of this.#networks.values()) {
      const held = network.participant?.held ?? new Map<string, boolean>()
      for (const [address, wasAPeers] of held) {
        const isNew = wasAPeers && !network.told.has(address)
        if (isNew) network.takeovers++
        const isTakenOver = isNew || network.again.has(address)
        const key = `${address} ${isTakenOver}`
        const octets = parseAddress(address)
        const known = answered.get(key)
        if (known !== undefined) known.interfaces.push(network.name)
        else if (octets !== undefined) answered.set(key, { octets, interfaces: [network.name], isTakenOver })
      }
      network.told = new Set(held.keys())
      network.again = new Set()
    }
    this.#world.responder.set([...answered.values()])
  }
}

const peerStatus = ({ node, state, says, heardAt, timing }: Peer, at: number): PeerStatus => ({
  node,
  state,
  says,
  silence: Math.round(at - heardAt),
  timing,
})
