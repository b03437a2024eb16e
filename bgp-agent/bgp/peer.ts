import type { Socket } from 'node:net'
import { type FamilyName, parseAddress } from '../address.ts'
import type { ScopedAddress } from '../sys/socket-address.ts'
import { Cease } from './error.ts'
import {
  type Action,
  type ConnectionEvent,
  type ConnectionId,
  type Event,
  nameOf,
  outgoing,
  type PeerOptions,
  type State,
  step,
  stopped,
} from './fsm.ts'
import { keepalive } from './message.ts'
import type { Negotiated } from './negotiation.ts'
import { type Interfaces, nextHopsOf } from './next-hops.ts'
import { ceaseWith, encodeNotification } from './notification.ts'
import { encodeOpen } from './open.ts'
import { type ConnectionEnds, PeerConnection } from './peer-connection.ts'
import { RibOut, type RouteChanges, type Routes } from './rib-out.ts'
import { RefreshKind, type RouteRefresh } from './route-refresh.ts'
import { RouteTally } from './route-tally.ts'
import type { Update } from './update-decode.ts'

/** Connections that the peer has opened and that have not come to anything yet; one more is closed. */
const MAX_ACCEPTED = 2

/** What a peer needs of the world. */
export interface PeerWorld {
  /** A socket that is about to connect. May throw. */
  readonly dial: () => Socket
  /** In [0, 1). */
  readonly random: () => number
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly interfaces: () => Interfaces
  readonly log: (message: string) => void
}

export interface PeerStatus {
  /** As RFC 4271 names it. */
  readonly state: string
  /** Milliseconds since the epoch. */
  readonly establishedAt: number | undefined
  readonly session: Negotiated | undefined
  /** Routes. */
  readonly received: Readonly<Record<FamilyName, number>>
  readonly advertised: Readonly<Record<FamilyName, number>>
}

export const noSession: PeerStatus = {
  state: nameOf(stopped),
  establishedAt: undefined,
  session: undefined,
  received: { ipv4: 0, ipv6: 0 },
  advertised: { ipv4: 0, ipv6: 0 },
}

interface Established {
  readonly id: ConnectionId
  readonly session: Negotiated
  readonly rib: RibOut
  readonly tally: RouteTally
  readonly since: number
}

/** The session with one peer: the state machine with its sockets and clocks, and the routes that the peer is told. */
export class Peer implements ConnectionEnds {
  readonly #settings: PeerOptions
  readonly #world: PeerWorld
  readonly #connections = new Map<ConnectionId, PeerConnection>()
  #state: State = stopped
  readonly #routes: Routes
  #established: Established | undefined
  /** Whether there has been a session since this program started. */
  #hasBeenUp = false
  #retry: NodeJS.Timeout | undefined
  #accepted = 0

  /** `routes`: what the peer is to be told; before whoever has them changes them, change() says so. */
  constructor(settings: PeerOptions, routes: Routes, world: PeerWorld) {
    this.#settings = settings
    this.#routes = routes
    this.#world = world
  }

  start(): void {
    this.#apply({ type: 'start' })
  }

  /** A connection that the peer has opened. */
  accept(socket: Socket): void {
    const pending = [...this.#connections.keys()].filter((id) => id !== outgoing && id !== this.#established?.id)
    if (!this.#state.isStarted || pending.length >= MAX_ACCEPTED) {
      socket.destroy()
      return
    }
    const id = ++this.#accepted
    this.#connect(id, socket)
    this.#apply({ type: 'connected', id })
  }

  change(changes: RouteChanges): void {
    if (this.#established === undefined) return
    this.#send(this.#established.id, this.#established.rib.change(changes))
  }

  /** Goes on with another key of TCP MD5; the peer has to have it, too, before its hold timer expires. */
  setKey(address: ScopedAddress, key: Uint8Array): void {
    if (this.#connections.size > 0) this.#world.log('the session goes on with another key')
    for (const connection of this.#connections.values()) {
      try {
        connection.setKey(address, key)
      } catch (error) {
        this.#world.log(`the new key cannot be set: ${String(error)}`)
      }
    }
  }

  /** Ends the session. `text` is for the peer's operator; without one the peer is told nothing, and keeps the routes for as
   *  long as graceful restart gives. */
  stop(text: string | undefined): void {
    if (text === undefined) {
      for (const connection of this.#connections.values()) connection.close()
      this.#connections.clear()
    }
    this.#apply({ type: 'stop', notification: ceaseWith(Cease.shutdown, text ?? '') })
  }

  /** BFD was up, and says that the peer cannot be reached. */
  bfdDown(): void {
    this.#apply({ type: 'bfdDown' })
  }

  status(): PeerStatus {
    const { session, since, tally, rib } = this.#established ?? {}
    return {
      state: nameOf(this.#state),
      establishedAt: since,
      session,
      received: { ipv4: tally?.count('ipv4') ?? 0, ipv6: tally?.count('ipv6') ?? 0 },
      advertised: { ipv4: rib?.count('ipv4') ?? 0, ipv6: rib?.count('ipv6') ?? 0 },
    }
  }

  /** What the peer has been told. */
  get told(): Routes {
    return this.#established?.rib.sent ?? new Map()
  }

  happened(event: ConnectionEvent): void {
    if (event.type === 'lost') this.#connections.get(event.id)?.close()
    this.#apply(event)
  }

  updated({ announced, withdrawn, faults }: Update): void {
    const tally = this.#established?.tally
    for (const prefixes of withdrawn) tally?.remove(prefixes)
    for (const prefixes of announced) tally?.add(prefixes)
    if (faults.length > 0) this.#world.log(`malformed UPDATE, its routes are taken for withdrawn: ${faults.join('; ')}`)
  }

  refreshed({ family, kind }: RouteRefresh): void {
    if (family === undefined || kind !== RefreshKind.request || this.#established === undefined) return
    this.#send(this.#established.id, this.#established.rib.refresh(family))
  }

  #apply(event: Event): void {
    const [state, actions] = step(this.#state, event, this.#options())
    this.#state = state
    for (const action of actions) this.#do(action)
  }

  #do(action: Action): void {
    switch (action.type) {
      case 'connect':
        this.#dial()
        break
      case 'retryTimer':
        this.#retryIn(action.seconds)
        break
      case 'up':
        this.#up(action.id, action.session)
        break
      case 'down':
        this.#established = undefined
        this.#world.log(`session down: ${action.reason}`)
        break
      case 'failed':
        this.#world.log(`no session: ${action.reason}`)
        break
      case 'close':
        this.#connections.get(action.id)?.close()
        this.#connections.delete(action.id)
        break
      case 'sendOpen':
        this.#send(action.id, [this.#open()])
        break
      case 'sendKeepalive':
        this.#send(action.id, [keepalive()])
        break
      case 'sendNotification':
        this.#send(action.id, [encodeNotification(action.notification)])
        break
      case 'holdTimer':
        this.#connections.get(action.id)?.hold(action.seconds)
        break
      case 'keepaliveTimer':
        this.#connections.get(action.id)?.keepAlive(action.seconds, keepalive())
        break
    }
  }

  #dial(): void {
    try {
      this.#connect(outgoing, this.#world.dial())
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      // The machine is in the middle of a step.
      queueMicrotask(() => this.#apply({ type: 'lost', id: outgoing, reason }))
    }
  }

  #connect(id: ConnectionId, socket: Socket): void {
    this.#connections.set(id, new PeerConnection(id, socket, () => this.#jitter(), this))
  }

  #up(id: ConnectionId, session: Negotiated): void {
    const connection = this.#connections.get(id)
    connection?.agree(session)
    const nextHops = nextHopsOf(connection?.localAddress ?? '', session, this.#world.interfaces())
    const rib = new RibOut(session, this.#audience(session), nextHops, this.#routes)
    this.#established = { id, session, rib, tally: new RouteTally(), since: this.#world.now() }
    this.#hasBeenUp = true
    this.#world.log(`session up with AS ${session.peerAsn}, ${session.families.join(' and ')}`)
    for (const family of session.families)
      if (!rib.carries(family))
        this.#world.log(
          `no ${family} route is sent: the interface of ${connection?.localAddress} has no ${family} address`,
        )
    this.#send(id, rib.begin())
  }

  #send(id: ConnectionId, messages: Iterable<Uint8Array>): void {
    const connection = this.#connections.get(id)
    for (const message of messages) connection?.send(message)
  }

  #open(): Uint8Array {
    const { asn, holdTime, identifier, capabilities } = this.#options()
    return encodeOpen(asn, holdTime, parseAddress(identifier) ?? new Uint8Array(4), capabilities)
  }

  /** A program that has just started says that it has restarted: it cannot know better, and to say so harms nobody. */
  #options(): PeerOptions {
    const { gracefulRestart } = this.#settings.capabilities
    if (gracefulRestart === undefined) return this.#settings
    const restart = { ...gracefulRestart, isRestarting: !this.#hasBeenUp }
    return { ...this.#settings, capabilities: { ...this.#settings.capabilities, gracefulRestart: restart } }
  }

  #audience({ isInternal, fourOctetAs }: Negotiated) {
    const { asn, capabilities } = this.#settings
    // To a customer, a peer, or a route server's client. RFC 9234 section 5.
    const onlyToCustomer = [0, 1, 4].includes(capabilities.role ?? -1)
    return { isInternal, fourOctetAs, localAsn: asn, onlyToCustomer }
  }

  #retryIn(seconds: number): void {
    clearTimeout(this.#retry)
    if (seconds > 0)
      this.#retry = setTimeout(() => this.#apply({ type: 'retryTimer' }), seconds * 1000 * this.#jitter())
  }

  #jitter(): number {
    return 0.75 + this.#world.random() / 4
  }
}
