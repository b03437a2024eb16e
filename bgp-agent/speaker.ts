import type { Socket } from 'node:net'
import { parseAddress } from './address.ts'
import { Bfd } from './bfd/bfd.ts'
import { bfdOf } from './bfd-peers.ts'
import type { Capabilities } from './bgp/capabilities.ts'
import { dial, hopLimits, type Path } from './bgp/dial.ts'
import type { PeerOptions } from './bgp/fsm.ts'
import { Listener } from './bgp/listener.ts'
import type { Interfaces } from './bgp/next-hops.ts'
import { Peer, type PeerStatus } from './bgp/peer.ts'
import type { InstancePlan, NodePlan, PeerPlan } from './plan/node-plan.ts'
import { interfaceIndex, type ScopedAddress } from './sys/socket-address.ts'

export interface PeerReport extends PeerStatus {
  readonly instance: string
  readonly localAsn: number
  readonly name: string
  readonly address: string
  readonly port: number
  /** As configured, or as the peer has said. */
  readonly asn: number
}

/** What a speaker needs of the world. */
export interface SpeakerWorld {
  readonly random: () => number
  readonly now: () => number
  readonly interfaces: () => Interfaces
  readonly log: (message: string) => void
}

interface Running {
  readonly instance: InstancePlan
  readonly plan: PeerPlan
  /** Equal ones need no new session. */
  readonly identity: string
  readonly path: Path
  readonly peer: Peer
}

/** All sessions of a node, brought to each new plan: those that it does not change go on. */
export class Speaker {
  readonly #world: SpeakerWorld
  /** By instance and peer. */
  readonly #running = new Map<string, Running>()
  readonly #listeners = new Map<number, Listener>()
  readonly #bfd: Bfd

  constructor(world: SpeakerWorld) {
    this.#world = world
    this.#bfd = new Bfd(world.log)
  }

  set({ instances }: NodePlan): void {
    const wanted = new Map<string, Pick<Running, 'instance' | 'plan'>>()
    for (const instance of instances)
      for (const plan of instance.peers) wanted.set(`${instance.name}/${plan.name}`, { instance, plan })
    for (const [key, { peer, identity }] of this.#running) {
      const next = wanted.get(key)
      if (next !== undefined && identityOf(next.instance, next.plan) === identity) continue
      peer.stop(next === undefined ? 'this peer is not configured any more' : 'the configuration has changed')
      this.#running.delete(key)
    }
    for (const [key, { instance, plan }] of wanted) {
      const running = this.#running.get(key) ?? this.#start(key, instance, plan)
      if (running === undefined) continue
      const path = { ...running.path, key: keyOf(plan) }
      this.#running.set(key, { ...running, instance, plan, path })
      if (path.key !== undefined && running.plan.password !== plan.password) running.peer.setKey(path.peer, path.key)
      running.peer.set(plan.routes)
    }
    this.#listen(instances)
    this.#watch()
  }

  status(): readonly PeerReport[] {
    return [...this.#running.values()].map(({ instance, plan, peer }) => {
      const status = peer.status()
      return {
        ...status,
        instance: instance.name,
        localAsn: instance.asn,
        name: plan.name,
        address: plan.address,
        port: plan.settings.transport.peerPort,
        asn: plan.asn === 0 ? (status.session?.peerAsn ?? 0) : plan.asn,
      }
    })
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

  #start(key: string, instance: InstancePlan, plan: PeerPlan): Running | undefined {
    const log = (message: string): void => this.#world.log(`peer ${key} (${plan.address}): ${message}`)
    const path = pathTo(instance, plan)
    if (typeof path === 'string') {
      log(path)
      return undefined
    }
    const { random, now, interfaces } = this.#world
    const peer = new Peer(settingsOf(instance, plan), {
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
  #listen(instances: readonly InstancePlan[]): void {
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

/** All that a session stands on: everything but the routes and BFD. */
const identityOf = (
  { asn, routerId, localPort }: InstancePlan,
  { routes: _, sources: __, settings, password, ...plan }: PeerPlan,
): string => JSON.stringify([asn, routerId, localPort, plan, password !== undefined, { ...settings, bfd: undefined }])

const keyOf = ({ password }: Pick<PeerPlan, 'password'>): Uint8Array | undefined =>
  password === undefined ? undefined : new TextEncoder().encode(password)

/** A sentence when there is no way to the peer. */
function pathTo(
  { asn }: InstancePlan,
  { address, asn: peerAsn, localAddress, settings, password }: PeerPlan,
): Path | string {
  const peer = scoped(address)
  if (peer === undefined) return 'its address cannot be told, or its interface is not here'
  const local = localAddress === undefined ? undefined : scoped(localAddress)
  if (localAddress !== undefined && local?.octets.length !== peer.octets.length)
    return `its localAddress ${localAddress} is of another family`
  const hasTtlSecurity = 'ttlSecurity' in settings && settings.ttlSecurity
  return {
    peer,
    port: settings.transport.peerPort,
    local,
    device: settings.transport.sourceInterface,
    key: keyOf({ password }),
    hops: hopLimits(peerAsn === asn, settings.ebgpMultihop, hasTtlSecurity),
  }
}

/** "fe80::1%eth0" has a scope. */
function scoped(text: string): ScopedAddress | undefined {
  const [address = '', zone] = text.split('%')
  const octets = parseAddress(address)
  const scope = zone === undefined ? 0 : interfaceIndex(zone)
  return octets === undefined || scope === undefined ? undefined : { octets, scope }
}

/** RFC 9234 section 4.1, by what this side is to the peer. */
const roles: Readonly<Record<string, number>> = {
  provider: 0,
  routeServer: 1,
  routeServerClient: 2,
  customer: 3,
  peer: 4,
}

function settingsOf({ asn, routerId }: InstancePlan, plan: PeerPlan): PeerOptions {
  const { settings, families } = plan
  const { timers, gracefulRestart } = settings
  const more = 'passive' in settings ? settings : undefined
  const capabilities: Capabilities = {
    families,
    fourOctetAs: asn,
    routeRefresh: true,
    enhancedRouteRefresh: true,
    extendedMessage: true,
    extendedNextHop: true,
    gracefulRestart: gracefulRestart.enabled
      ? {
          isRestarting: false,
          survivesNotification: true,
          time: gracefulRestart.restartTimeSeconds,
          families,
          forwarding: families,
        }
      : undefined,
    role: more?.role === undefined ? undefined : roles[more.role],
  }
  return {
    asn,
    identifier: routerId,
    holdTime: timers.holdTimeSeconds,
    keepaliveTime: timers.keepAliveTimeSeconds,
    peerAsn: plan.asn,
    capabilities,
    connectRetryTime: timers.connectRetryTimeSeconds,
    isPassive: more?.passive ?? false,
  }
}
