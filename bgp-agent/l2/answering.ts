import { formatAddress } from '../address.ts'
import { type InterfaceInfo, interfaceInfos, RTMGRP_LINK } from '../sys/interface-info.ts'
import { SystemError } from '../sys/libc.ts'
import { Netlink } from '../sys/netlink.ts'
import { Poll } from '../sys/poll.ts'
import { formatMac } from './ethernet.ts'
import { OwnedAddresses } from './owned-addresses.ts'
import type { AnsweredAddress, ResponderEntry, ResponderSettings } from './responder.ts'
import type { FromResponder } from './responder-messages.ts'
import { Segment } from './segment.ts'
import { Wire } from './wire.ts'

/** Milliseconds that are waited at the longest: a thread that waits cannot be ended from outside. */
const MAX_WAIT = 500
/** Addresses that are taken at once. */
const MAX_TAKEN = 16
/** Milliseconds from a change of an interface until all are looked at: they change many at a time. */
const SETTLING = 20
/** Milliseconds between two lines of a log about frames that are not sent. */
const LOG_INTERVAL = 10_000

/** Milliseconds of rest after so many frames as are read at once: what comes meanwhile waits, or is lost. */
const STORM_PAUSE = 1

/** An address on one interface, as it is wished for. */
interface Wish {
  readonly octets: Uint8Array
  readonly isTakenOver: boolean
}

/** An interface that addresses are answered for on. */
interface Place {
  readonly name: string
  wishes: ReadonlyMap<string, Wish>
  /** Whether it has been up: whoever has the addresses by now is asked when it comes up again. */
  hasBeen: boolean
  live: Live | undefined
}

/** An interface that is up. */
interface Live {
  readonly info: InterfaceInfo
  readonly wire: Wire
  readonly segment: Segment
  /** By address: what the segment has not been told yet, since who asks meanwhile is to be answered. */
  readonly pending: Map<string, Wish>
}

/** All that is answered for, with sockets and clocks, for a thread that calls `wait` again and again. */
export class Answering {
  readonly #tell: (message: FromResponder) => void
  readonly #settings: ResponderSettings
  readonly #clock: { now(): number }
  readonly #random: () => number
  readonly #wake: number
  readonly #netlink = new Netlink()
  readonly #changes = new Netlink(RTMGRP_LINK)
  readonly #places = new Map<string, Place>()
  readonly #owned: OwnedAddresses | undefined
  #ownMacs: ReadonlySet<string> = new Set()
  #infos: ReadonlyMap<string, InterfaceInfo> = new Map()
  /** When interfaces are to be looked at. */
  #look = Number.POSITIVE_INFINITY
  #poll: Poll | undefined
  readonly #pause = new Int32Array(new SharedArrayBuffer(4))
  #loggedAt = Number.NEGATIVE_INFINITY

  /** `wake` is a descriptor that can be read when something else is to be done. Throws SystemError. */
  constructor(
    settings: ResponderSettings,
    wake: number,
    tell: (message: FromResponder) => void,
    clock: { now(): number },
    random: () => number,
  ) {
    this.#settings = settings
    this.#wake = wake
    this.#tell = tell
    this.#clock = clock
    this.#random = random
    this.#lookAtInterfaces()
    this.#owned = this.#ownership(settings.ownedOn)
  }

  /** Waits until something happens, and does what it takes. Gives whether `wake` can be read. Throws SystemError. */
  wait(): boolean {
    let next = this.#owned?.isPending ? 0 : this.#look
    for (const { live } of this.#places.values())
      if (live !== undefined) next = Math.min(next, live.pending.size > 0 ? 0 : live.segment.due)
    const wait = Math.min(MAX_WAIT, Math.max(0, Math.ceil(next - this.#clock.now())))
    this.#poll ??= new Poll(this.#fds())
    const ready = this.#poll.wait(wait)
    let isStorm = false
    for (const place of this.#places.values()) if (this.#read(place, ready)) isStorm = true
    // A network that goes round in circles is not to take a core, from a thread that goes before all others.
    if (isStorm) Atomics.wait(this.#pause, 0, 0, STORM_PAUSE)
    if (ready.includes(this.#changes.fd)) {
      this.#changes.discard()
      this.#lookSoon()
    }
    if (this.#clock.now() >= this.#look) this.#lookAtInterfaces()
    for (const { live } of this.#places.values()) if (live !== undefined) takePending(live)
    this.#owned?.run()
    for (const { live } of this.#places.values()) live?.segment.run()
    return ready.includes(this.#wake)
  }

  set(whole: readonly AnsweredAddress[]): void {
    const wishes = new Map<string, Map<string, Wish>>()
    for (const { octets, interfaces, isTakenOver } of whole)
      for (const name of interfaces) {
        const there = wishes.get(name) ?? new Map<string, Wish>()
        wishes.set(name, there.set(formatAddress(octets), { octets, isTakenOver }))
      }
    for (const name of wishes.keys())
      if (!this.#places.has(name)) this.#places.set(name, { name, wishes: new Map(), hasBeen: false, live: undefined })
    for (const place of this.#places.values()) this.#wish(place, wishes.get(place.name) ?? new Map())
    for (const place of this.#places.values()) this.#settle(place)
  }

  entries(): readonly ResponderEntry[] {
    return [...this.#places.values()].flatMap((place): readonly ResponderEntry[] => {
      const { name, wishes, live } = place
      if (live === undefined) return [...wishes.keys()].map((address) => waiting(address, name))
      const told = live.segment
        .entries()
        .map(({ octets, ...entry }) => ({ address: formatAddress(octets), interface: name, ...entry }))
      const known = new Set(told.map(({ address }) => address))
      const untold = [...live.pending.keys()].filter((address) => !known.has(address))
      return [...told, ...untold.map((address) => waiting(address, name))]
    })
  }

  close(): void {
    for (const place of this.#places.values()) this.#end(place)
    this.#owned?.close()
    this.#netlink.close()
    this.#changes.close()
  }

  #ownership(name: string | undefined): OwnedAddresses | undefined {
    if (name === undefined) return undefined
    const index = this.#infos.get(name)?.index
    if (index === undefined) throw new Error(`there is no interface ${name} to put addresses on`)
    return new OwnedAddresses(this.#netlink, index, (message) => this.#log(message))
  }

  /** Brings what is held there to `wishes`. */
  #wish(place: Place, wishes: ReadonlyMap<string, Wish>): void {
    const { live, name } = place
    for (const [address, { octets }] of place.wishes)
      if (!wishes.has(address)) {
        live?.pending.delete(address)
        live?.segment.letGo(octets)
        this.#owned?.release(octets, name)
      }
    for (const [address, { octets, isTakenOver }] of wishes) {
      const before = place.wishes.get(address)
      if (before === undefined || (isTakenOver && !before.isTakenOver))
        live?.pending.set(address, { octets, isTakenOver })
    }
    place.wishes = wishes
  }

  #fds(): readonly number[] {
    return [this.#wake, this.#changes.fd, ...[...this.#places.values()].flatMap(({ live }) => live?.wire.fds ?? [])]
  }

  /** Gives whether more has come than is read at once. */
  #read({ live }: Place, ready: readonly number[]): boolean {
    if (live === undefined) return false
    let isMore = false
    for (const fd of live.wire.fds)
      if (ready.includes(fd))
        try {
          if (live.wire.read(fd, (frame) => live.segment.receive(frame))) isMore = true
        } catch (error) {
          if (!(error instanceof SystemError)) throw error
          // It has gone down, or away.
          this.#lookSoon()
        }
    return isMore
  }

  #lookSoon(): void {
    this.#look = Math.min(this.#look, this.#clock.now() + SETTLING)
  }

  #lookAtInterfaces(): void {
    this.#look = Number.POSITIVE_INFINITY
    const infos = interfaceInfos(this.#netlink)
    this.#infos = new Map(infos.map((info) => [info.name, info]))
    this.#ownMacs = new Set(infos.filter(({ isEthernet }) => isEthernet).map(({ mac }) => mac.join()))
    for (const place of this.#places.values()) this.#settle(place)
  }

  /** Begins and ends with the interface. */
  #settle(place: Place): void {
    const found = this.#infos.get(place.name)
    const info = found?.isUp && found.isEthernet ? found : undefined
    const { live } = place
    if (live !== undefined && !(info !== undefined && isSame(live.info, info) && place.wishes.size > 0)) {
      this.#end(place)
      if (place.wishes.size > 0) this.#log(`${place.name} is not what it was, or down`)
    }
    if (place.wishes.size === 0) this.#places.delete(place.name)
    else if (place.live === undefined && info !== undefined) this.#begin(place, info)
  }

  #begin(place: Place, info: InterfaceInfo): void {
    const { name } = place
    let wire: Wire
    try {
      wire = new Wire(info.index, (error) => this.#logFailure(name, error))
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      // Without the capability, which does not come by itself; or the interface has gone, which is told.
      this.#log(`nothing can be answered on ${name}: ${error.message}`)
      return
    }
    const segment = new Segment(info.mac, this.#settings.timing, {
      now: () => this.#clock.now(),
      random: this.#random,
      send: (frame) => wire.send(frame),
      join: (group) => wire.join(group),
      leave: (group) => wire.leave(group),
      isOwn: (mac) => this.#ownMacs.has(mac.join()),
      changed: (octets, state, mac) => {
        if (state === 'answering') this.#owned?.hold(octets, name)
        else this.#owned?.release(octets, name)
        if (state === 'conflict') this.#tell({ type: 'conflict', octets, interfaceName: name, mac: formatMac(mac) })
      },
      disputed: (octets, mac) =>
        this.#log(`${formatMac(mac)} claims ${formatAddress(octets)}, which is answered for on ${name}`),
    })
    const { hasBeen } = place
    const pending = [...place.wishes].map(([address, { octets, isTakenOver }]): [string, Wish] => [
      address,
      { octets, isTakenOver: isTakenOver && !hasBeen },
    ])
    place.live = { info, wire, segment, pending: new Map(pending) }
    this.#poll = undefined
    place.hasBeen = true
  }

  #end(place: Place): void {
    if (place.live === undefined) return
    for (const { octets } of place.wishes.values()) this.#owned?.release(octets, place.name)
    place.live.wire.close()
    place.live = undefined
    this.#poll = undefined
  }

  #logFailure(name: string, error: unknown): void {
    const now = this.#clock.now()
    if (now - this.#loggedAt < LOG_INTERVAL) return
    this.#loggedAt = now
    this.#log(`${name}: ${error instanceof Error ? error.message : String(error)}`)
  }

  #log(message: string): void {
    this.#tell({ type: 'log', message })
  }
}

function takePending({ pending, segment }: Live): void {
  let taken = 0
  for (const [address, { octets, isTakenOver }] of pending) {
    if (taken++ === MAX_TAKEN) return
    pending.delete(address)
    segment.take(octets, isTakenOver)
  }
}

const waiting = (address: string, name: string): ResponderEntry => ({
  address,
  interface: name,
  state: 'waiting',
  requests: 0,
  answers: 0,
  gratuitous: 0,
})

const isSame = (a: InterfaceInfo, b: InterfaceInfo): boolean => a.index === b.index && a.mac.join() === b.mac.join()
