import { type HeardClaims, heardClaims, noClaims, pagesOf } from './claims.ts'
import { type Candidate, elect } from './election.ts'
import { type Claim, type Heartbeat, maxAsked, type NodeState } from './heartbeat.ts'
import {
  type Change,
  type Event,
  echoesOf,
  isAlive,
  type Membership,
  newMembership,
  nextChange,
  type Peer,
  step,
} from './membership.ts'
import type { Timing } from './timing.ts'

/** Who has an address. */
export interface Owner extends Candidate {
  /** Since when it may answer for it and is ready to, as far as that is known. */
  readonly since: number
}

/** What has come to pass since it was last asked for. */
export interface News {
  readonly changes: readonly Change[]
  /** Whether `held` is another. */
  readonly isMoved: boolean
  /** Addresses that are held, and that others may have been led to believe are elsewhere. */
  readonly again: readonly string[]
}

/** Milliseconds between heartbeats that do not wait for their time. */
const GAP = 10
/** Pages that are sent beyond those of heartbeats, so many at a time, and so many milliseconds apart. */
const PAGES_AT_ONCE = 8
const PAGES_APART = 20
/** Milliseconds after which who has an address answers for it, and has found nobody else who does. */
const SETTLED = 1200
/** Milliseconds that an address is left to a stranger that has been found to have it. RFC 5227 section 1.1, RATE_LIMIT_INTERVAL. */
const LEFT_ALONE = 60_000
/** Detection times that are waited at most for nodes which are there, and have not said yet what they may answer for. */
const PATIENCE = 4

/** One node's part on one network: what it hears and says, and which addresses it has. Without sockets and clocks; times are
 *  milliseconds of a clock that is never set. */
export class Participant {
  /** Of the interface. */
  mac: string
  readonly #startedAt: number
  #membership: Membership
  /** Of peers, by their names. */
  readonly #heard = new Map<string, { readonly incarnation: number; readonly claims: HeardClaims }>()
  /** Preferences by address. */
  #offers: ReadonlyMap<string, number> = new Map()
  /** Until when, by address. */
  readonly #leftAlone = new Map<string, number>()
  #claims: readonly Claim[] = []
  #pages: readonly (readonly Claim[])[] = [[]]
  #version = 1
  #page = 0
  #pagesToSend = 0
  #sequence = 0
  #readySince: number | undefined
  #isLeaving = false
  #sentAt = Number.NEGATIVE_INFINITY
  #isUrgent = true
  /** Whether what is claimed is not what is offered any more. Many changes are one new version. */
  #isOutdated = false
  /** Whether addresses may be another's by now. */
  #isOpen = true
  #owners: ReadonlyMap<string, Owner> = new Map()
  #held: ReadonlyMap<string, boolean> = new Map()
  #changes: Change[] = []
  #isMoved = false
  readonly #again = new Set<string>()

  /** `incarnation`: milliseconds since the epoch. */
  constructor(node: string, incarnation: number, mac: string, timing: Timing, at: number) {
    this.mac = mac
    this.#startedAt = at
    this.#membership = newMembership(node, incarnation, timing, at)
  }

  get isReady(): boolean {
    return this.#readySince !== undefined
  }

  get timing(): Timing {
    return this.#membership.timing
  }

  get peers(): readonly Peer[] {
    return [...this.#membership.peers.values()]
  }

  /** Of the addresses that this node may answer for: who has them. */
  get owners(): ReadonlyMap<string, Owner> {
    return this.#owners
  }

  /** The addresses that this node has, and whether a peer had each before. */
  get held(): ReadonlyMap<string, boolean> {
    return this.#held
  }

  /** When `advance` is to be called at the latest. */
  get due(): number {
    if (this.#isOpen || this.#isOutdated) return this.#membership.at
    let next = Math.min(
      this.#sentAt + (this.#isUrgent ? GAP : this.#pace),
      this.#pagesToSend > 0 ? this.#sentAt + PAGES_APART : Number.POSITIVE_INFINITY,
      nextChange(this.#membership),
      this.isReady ? Number.POSITIVE_INFINITY : Math.max(this.#listenUntil, this.#membership.at + GAP),
    )
    for (const until of this.#leftAlone.values()) next = Math.min(next, until)
    return next
  }

  /** The whole of what this node may answer for here: preferences by address. */
  offer(offers: ReadonlyMap<string, number>, timing: Timing): void {
    this.#offers = offers
    this.#apply({ type: 'timing', timing })
    this.#isOutdated = true
  }

  /** Another host has the address. Gives whether that is a stranger: with a peer it is a matter of moments. */
  leaveAlone(address: string, mac: string, at: number): boolean {
    const isStrange = !this.peers.some((peer) => peer.mac === mac)
    this.#leftAlone.set(address, at + (isStrange ? LEFT_ALONE : this.timing.detection))
    this.#isOutdated = true
    return isStrange
  }

  hear(beat: Heartbeat, at: number): void {
    const before = this.#membership.peers.get(beat.node)
    const changes = this.#apply({ type: 'heard', beat, at })
    const peer = this.#membership.peers.get(beat.node)
    // Also of a page that another has overtaken: whichever version it is of decides.
    if (peer === undefined || peer.incarnation !== beat.incarnation) return
    const known = this.#heard.get(peer.node)
    const claims = known?.incarnation === peer.incarnation ? known.claims : noClaims
    const heard = heardClaims(claims, beat.claims, at, at - beat.readyFor)
    this.#heard.set(peer.node, { incarnation: peer.incarnation, claims: heard })
    if (heard.version !== claims.version || before?.says !== peer.says || before.incarnation !== peer.incarnation)
      this.#isOpen = true
    for (const change of changes) if (change.type === 'reunited') this.#sayAgain(peer, heard)
  }

  /** Does what is due, and gives what is to be sent. `challenge`: 64 bits that are not to be guessed. */
  advance(at: number, challenge: bigint): readonly Heartbeat[] {
    this.#apply({ type: 'time', at, challenge })
    for (const node of this.#heard.keys()) if (!this.#membership.peers.has(node)) this.#heard.delete(node)
    const isOver = [...this.#leftAlone].filter(([, until]) => at >= until)
    for (const [address] of isOver) this.#leftAlone.delete(address)
    if (isOver.length > 0 || this.#isOutdated) this.#claim()
    if (!this.isReady && this.#hasListened(at)) {
      this.#readySince = at
      this.#isOpen = true
      this.#isUrgent = true
    }
    if (this.#isOpen) this.#elect(at)
    return this.#beats(at)
  }

  /** What is said last: others need not wait for the silence. */
  leave(at: number): Heartbeat {
    this.#isLeaving = true
    return this.#beat(at)
  }

  takeNews(): News {
    const news = { changes: this.#changes, isMoved: this.#isMoved, again: [...this.#again] }
    this.#changes = []
    this.#isMoved = false
    this.#again.clear()
    return news
  }

  /** While a node listens it speaks more often, so that whoever hears it is soon heard. */
  get #pace(): number {
    const { interval } = this.#membership.timing
    return this.isReady ? interval : interval / 2
  }

  get #listenUntil(): number {
    return this.#startedAt + this.#membership.timing.detection
  }

  #hasListened(at: number): boolean {
    const { detection } = this.#membership.timing
    if (at < this.#listenUntil) return false
    if (at >= this.#startedAt + PATIENCE * detection) return true
    return this.peers.every((peer) => peer.state === 'dead' || (isAlive(peer) && this.#hasClaimsOf(peer)))
  }

  #hasClaimsOf({ node, says }: Peer): boolean {
    return says !== 'ready' || this.#heard.get(node)?.claims.version !== undefined
  }

  #apply(event: Event): readonly Change[] {
    const [membership, changes] = step(this.#membership, event)
    this.#membership = membership
    for (const { type } of changes) {
      if (type === 'up' || type === 'down') this.#isOpen = true
      if (isUrgent[type]) this.#isUrgent = true
      if (type === 'met' || type === 'asked') this.#sendPages()
    }
    this.#changes.push(...changes)
    return changes
  }

  #claim(): void {
    this.#isOutdated = false
    const claims = [...this.#offers].flatMap(([address, preference]) =>
      this.#leftAlone.has(address) ? [] : [{ address, preference }],
    )
    this.#isOpen = true
    if (isSame(claims, this.#claims)) return
    this.#claims = claims
    this.#pages = pagesOf(claims)
    this.#version++
    this.#page = 0
    this.#isUrgent = true
    this.#sendPages()
  }

  /** Where there is one page, each heartbeat has it. */
  #sendPages(): void {
    if (this.#pages.length > 1) this.#pagesToSend = this.#pages.length
  }

  #elect(at: number): void {
    this.#isOpen = false
    const { node, incarnation } = this.#membership
    const rivals = this.peers.filter((peer) => isAlive(peer) && peer.says === 'ready')
    const owners = new Map<string, Owner>()
    const held = new Map<string, boolean>()
    for (const { address, preference } of this.#claims) {
      const rival = elect(address, this.#rivalsFor(address, rivals))
      const self = this.isReady ? { node, incarnation, preference, since: at } : undefined
      const owner = self !== undefined && rival !== undefined ? elect(address, [self, rival]) : (self ?? rival)
      if (owner === undefined) continue
      owners.set(address, owner)
      if (owner === self) held.set(address, this.#held.get(address) ?? this.#isSettled(address, rival, at))
    }
    this.#isMoved ||= held.size !== this.#held.size || [...held.keys()].some((address) => !this.#held.has(address))
    this.#owners = owners
    this.#held = held
  }

  #rivalsFor(address: string, peers: readonly Peer[]): readonly Owner[] {
    return peers.flatMap(({ node, incarnation, heardAt, readyFor }) => {
      const claim = this.#heard.get(node)?.claims.whole.get(address)
      if (claim === undefined) return []
      return [{ node, incarnation, preference: claim.preference, since: Math.max(claim.since, heardAt - readyFor) }]
    })
  }

  /** Whether a peer has answered for it until now, so that no other host can have it. */
  #isSettled(address: string, rival: Owner | undefined, at: number): boolean {
    const { node, incarnation } = this.#membership
    const last = rival ?? this.#owners.get(address)
    if (last === undefined || (last.node === node && last.incarnation === incarnation)) return false
    return at - last.since >= SETTLED
  }

  #sayAgain({ says }: Peer, { whole }: HeardClaims): void {
    if (says !== 'ready') return
    for (const address of this.#held.keys()) if (whole.has(address)) this.#again.add(address)
  }

  #beats(at: number): readonly Heartbeat[] {
    const isTime = at >= this.#sentAt + (this.#isUrgent ? GAP : this.#pace)
    const arePages = this.#pagesToSend > 0 && at >= this.#sentAt + PAGES_APART
    if (!isTime && !arePages) return []
    const count = Math.max(1, Math.min(PAGES_AT_ONCE, this.#pagesToSend))
    this.#pagesToSend = Math.max(0, this.#pagesToSend - count)
    this.#isUrgent = false
    this.#sentAt = at
    return Array.from({ length: count }, () => this.#beat(at))
  }

  #beat(at: number): Heartbeat {
    const { node, incarnation, timing, challenges } = this.#membership
    const page = this.#page
    this.#page = (page + 1) % this.#pages.length
    this.#sequence++
    return {
      node,
      incarnation,
      sequence: this.#sequence,
      state: this.#state,
      readyFor: this.#readySince === undefined ? 0 : at - this.#readySince,
      timing,
      mac: this.mac,
      challenge: challenges[0]?.value ?? 0n,
      echoes: echoesOf(this.#membership, this.#sequence),
      asked: this.#asked,
      claims: {
        version: this.#version,
        page,
        pages: this.#pages.length,
        claims: this.#pages[page] ?? [],
      },
    }
  }

  /** Challenges of those who are to be heard at once: they are silent, or pages of theirs have been lost. */
  get #asked(): readonly bigint[] {
    const isLacking = (peer: Peer): boolean => {
      const claims = this.#heard.get(peer.node)?.claims
      return isAlive(peer) && (claims?.version === undefined || claims.coming !== undefined)
    }
    return this.peers
      .filter((peer) => peer.state === 'suspect' || isLacking(peer))
      .map(({ challenge }) => challenge)
      .slice(0, maxAsked)
  }

  get #state(): NodeState {
    if (this.#isLeaving) return 'leaving'
    return this.isReady ? 'ready' : 'listening'
  }
}

/** Whether others are to hear of this node at once. */
const isUrgent: Readonly<Record<Change['type'], boolean>> = {
  met: true,
  asked: true,
  suspected: true,
  reunited: true,
  up: false,
  down: false,
  own: false,
}

const isSame = (a: readonly Claim[], b: readonly Claim[]): boolean =>
  a.length === b.length &&
  a.every(({ address, preference }, index) => b[index]?.address === address && b[index].preference === preference)
