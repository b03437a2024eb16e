import type { Socket } from 'node:net'
import { Bfd } from './bfd/bfd.ts'
import { bfdOf } from './bfd-peers.ts'
import type { RouteAttributes } from './bgp/attributes.ts'
import { dial, type Path } from './bgp/dial.ts'
import { Listener } from './bgp/listener.ts'
import type { Interfaces } from './bgp/next-hops.ts'
import { noSession, Peer, type PeerStatus } from './bgp/peer.ts'
import type { Prefix } from './bgp/prefix.ts'
import type { RouteChanges, Routes } from './bgp/rib-out.ts'
import { identityOf, keyOf, pathTo, settingsOf } from './peer-settings.ts'
import { type PeerKey, peerKey, type SpeakerInstance, type SpeakerPeer } from './speaker-plan.ts'

export interface PeerReport extends PeerStatus {
  readonly instance: string
  readonly localAsn: number
  readonly name: string
  readonly address: string
  readonly port: number
  /** As configured; 0: whatever the peer says. */
  readonly asn: number
  /** Whether BFD sees the peer; undefined: it is not asked. */
  readonly isSeen: boolean | undefined
  /** Why no session is tried for, as a clause. */
  readonly fault: string | undefined
}

/** What a speaker needs of the world. */
export interface SpeakerWorld {
  readonly random: () => number
  readonly now: () => number
  readonly interfaces: () => Interfaces
  readonly log: (message: string) => void
}

interface Running {
  readonly instance: SpeakerInstance
  readonly plan: SpeakerPeer
  /** Equal ones need no new session. */
  readonly identity: string
  readonly path: Path
  readonly peer: Peer
}

/** A peer that there is no way to. */
interface Stuck {
  readonly instance: SpeakerInstance
  readonly plan: SpeakerPeer
  readonly fault: string
}

/** All sessions of a node, brought to each new plan: those that it does not change go on. */
export class Speaker {
  readonly #world: SpeakerWorld
  /** By instance and peer. */
  readonly #running = new Map<PeerKey, Running>()
  readonly #stuck = new Map<PeerKey, Stuck>()
  /** What each peer is to be told, also one that there is no way to now. */
  readonly #routes = new Map<PeerKey, Map<Prefix, RouteAttributes>>()
  readonly #listeners = new Map<number, Listener>()
  readonly #bfd: Bfd

  constructor(world: SpeakerWorld) {
    this.#world = world
    this.#bfd = new Bfd(world.log)
  }

  /** `instances`: the whole of what there is to be; `changes`: of what peers are told, by PeerKey. */
  set(instances: readonly SpeakerInstance[], changes: ReadonlyMap<PeerKey, RouteChanges>): void {
    const wanted = new Map<PeerKey, Pick<Running, 'instance' | 'plan'>>()
    for (const instance of instances)
      for (const plan of instance.peers) wanted.set(peerKey(instance, plan), { instance, plan })
    for (const [key, { peer, identity }] of this.#running) {
      const next = wanted.get(key)
      if (next !== undefined && identityOf(next.instance, next.plan) === identity) continue
      peer.stop(next === undefined ? 'this peer is not configured any more' : 'the configuration has changed')
      this.#running.delete(key)
    }
    this.#stuck.clear()
    for (const key of this.#routes.keys()) if (!wanted.has(key)) this.#routes.delete(key)
    for (const [key, { instance, plan }] of wanted) {
      const routes = this.#routes.get(key) ?? new Map<Prefix, RouteAttributes>()
      this.#routes.set(key, routes)
      const ofPeer = changes.get(key) ?? { gone: [], set: new Map() }
      this.#running.get(key)?.peer.change(ofPeer)
      for (const prefix of ofPeer.gone) routes.delete(prefix)
      for (const [prefix, attributes] of ofPeer.set) routes.set(prefix, attributes)
      const running = this.#running.get(key) ?? this.#start(key, instance, plan, routes)
      if ('fault' in running) {
        this.#stuck.set(key, running)
        continue
      }
      const path = { ...running.path, key: keyOf(plan) }
      this.#running.set(key, { ...running, instance, plan, path })
      if (path.key !== undefined && running.plan.password !== plan.password) running.peer.setKey(path.peer, path.key)
    }
    this.#listen(instances)
    this.#watch()
  }

  status(): readonly PeerReport[] {
    const running = [...this.#running.values()].map(({ instance, plan, path, peer }) => {
      const watched = bfdOf(instance, plan, path)
      const isSeen = watched && this.#bfd.isUp(watched.path)
      return { ...whoOf(instance, plan), ...peer.status(), isSeen, fault: undefined }
    })
    const stuck = [...this.#stuck.values()].map(({ instance, plan, fault }) => ({
      ...whoOf(instance, plan),
      ...noSession,
      isSeen: undefined,
      fault,
    }))
    return [...running, ...stuck]
  }

  /** What peers have been told. */
  told(): ReadonlyMap<PeerKey, Routes> {
    return new Map([...this.#running].map(([key, { peer }]) => [key, peer.told]))
  }

  /** Peers with graceful restart are left without a word, so that they keep the routes; the others are told `text`. */
  stop(text: string): void {
    for (const { peer, plan } of this.#running.values())
      peer.stop(plan.settings.gracefulRestart.enabled ? undefined : text)
    this.#running.clear()
    this.#bfd.close()
    for (const listener of this.#listeners.values()) listener.close()
    this.#listeners.clear()
  }

  #start(key: PeerKey, instance: SpeakerInstance, plan: SpeakerPeer, routes: Routes): Running | Stuck {
    const log = (message: string): void => this.#world.log(`peer ${key} (${plan.address}): ${message}`)
    const path = pathTo(instance, plan)
    if (typeof path === 'string') {
      log(path)
      return { instance, plan, fault: path }
    }
    const { random, now, interfaces } = this.#world
    const peer = new Peer(settingsOf(instance, plan), routes, {
      dial: () => dial(this.#running.get(key)?.path ?? path),
      random,
      now,
      interfaces,
      log,
    })
    peer.start()
    return { instance, plan, identity: identityOf(instance, plan), path, peer }
  }

  /** A peer that BFD loses has no session any more. */
  #watch(): void {
    this.#bfd.set(
      [...this.#running.values()].flatMap(({ instance, plan, path, peer }) => {
        const watched = bfdOf(instance, plan, path)
        if (watched === undefined) return []
        return [{ ...watched, onChange: ({ isFailure }) => isFailure && peer.bfdDown() }]
      }),
    )
  }

  /** Ports where instances take connections. */
  #listen(instances: readonly SpeakerInstance[]): void {
    const ports = new Map(
      instances.flatMap(({ name, localPort }) => (localPort === undefined ? [] : [[localPort, name]])),
    )
    for (const [port, listener] of this.#listeners) {
      if (ports.has(port)) continue
      listener.close()
      this.#listeners.delete(port)
    }
    for (const [port, name] of ports) {
      const listener = this.#listeners.get(port) ?? new Listener(port, this.#world.log)
      this.#listeners.set(port, listener)
      const callers = [...this.#running.values()].filter(({ instance }) => instance.name === name)
      listener.set(
        callers.map(({ path, peer }) => ({
          address: path.peer,
          key: path.key,
          hops: path.hops,
          accept: (socket: Socket) => peer.accept(socket),
        })),
      )
    }
  }
}

const whoOf = (instance: SpeakerInstance, plan: SpeakerPeer) => ({
  instance: instance.name,
  localAsn: instance.asn,
  name: plan.name,
  address: plan.address,
  port: plan.settings.transport.peerPort,
  asn: plan.asn,
})
