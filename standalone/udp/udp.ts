import type { RemoteInfo } from 'node:dgram'
import type { Matched } from '../../engine/decision.ts'
import type { BackendEndpoints, EndpointBalancer, Outcome } from '../../engine/endpoints.ts'
import { choosePlain, type StreamForward, type StreamPlace, type Streams } from '../../engine/streams.ts'
import { Protocol } from '../../proto/gen/route_table.ts'
import { type Addressed, Ports } from '../listen/ports.ts'
import { unmapped } from '../listen/proxy-protocol.ts'
import type { Log } from '../log.ts'
import { UdpPort } from './port.ts'
import type { UdpEnding, UdpRefusal, UdpReport } from './report.ts'
import { UdpSession } from './session.ts'

/** An address and port for the datagrams of a UDP listener. At "0.0.0.0" and "::" answers leave from the address that the
 *  kernel chooses, which may be another than was asked where a machine has several. */
export interface UdpBind extends Addressed {
  /** Listener.port. */
  readonly listenerPort: number
  /** Asked for each new source: those of the Gateways at this address. */
  readonly streams: () => readonly Streams[]
}

export interface UdpOptions {
  readonly balancer: EndpointBalancer
  /** Milliseconds that only ever grow. */
  readonly now: () => number
  /** In [0, 1). */
  readonly random: () => number
  /** Whether other processes may listen at the same addresses and ports. */
  readonly reusePort: boolean
  readonly observe: (report: UdpReport) => void
  readonly log: Log
  readonly limits?: Partial<UdpLimits>
}

/** Times in milliseconds. */
export interface UdpLimits {
  /** Of all ports together, each with a file descriptor. A source's address can be forged: the longest idle session makes
   *  room for the next. */
  readonly sessions: number
  /** Sessions that one address may begin in a second; further datagrams are dropped. Resolvers ask from another port
   *  each time. */
  readonly newPerSource: number
  /** Without a datagram in either direction. */
  readonly idleTimeout: number
  readonly retryDelay: number
}

export const udpLimits: UdpLimits = { sessions: 10_000, newPerSource: 1_000, idleTimeout: 60_000, retryDelay: 2_000 }

/** Milliseconds between two looks for idle sessions, at most. */
const longestPause = 1_000

/** A session, and where it belongs. */
interface Held {
  readonly session: UdpSession
  readonly at: { readonly bind: UdpBind }
  readonly source: RemoteInfo
  readonly gateway: string
  readonly matched: Matched
  readonly backend: string
  readonly endpoints: BackendEndpoints
  readonly index: number
  readonly since: number
  /** Of the last datagram either way. */
  usedAt: number
}

/** Passes datagrams on: each source, an address and port, has a session with one endpoint. */
export class Udp {
  readonly #options: UdpOptions
  readonly #limits: UdpLimits
  readonly #ports: Ports<UdpBind, UdpPort>
  /** The source first that has sent nothing for longest. */
  readonly #sessions = new Map<string, Held>()
  /** Sessions that each address has begun since the last look. */
  readonly #begun = new Map<string, number>()
  readonly #looks: NodeJS.Timeout

  constructor(options: UdpOptions) {
    this.#options = options
    this.#limits = { ...udpLimits, ...options.limits }
    const { reusePort, log } = options
    this.#ports = new Ports(this.#limits.retryDelay, (at) => {
      const take = (datagram: Buffer, source: RemoteInfo): void => this.#take(datagram, source, at)
      return new UdpPort(at, { reusePort, take, log })
    })
    this.#looks = setInterval(() => this.#look(), Math.min(longestPause, this.#limits.idleTimeout)).unref()
  }

  get sessions(): number {
    return this.#sessions.size
  }

  /** The port that a bind has; the kernel chooses where it asks for 0. */
  portOf(bind: Addressed): number | undefined {
    return this.#ports.get(bind)?.port.port
  }

  /** Listens for these binds and no others, and ends sessions that no route leads to any more, or to an endpoint that is gone.
   *  Resolves with what cannot be listened on, as sentences; that is tried again from time to time. */
  set(binds: readonly UdpBind[]): Promise<readonly string[]> {
    const ready = this.#ports.set(binds)
    for (const [key, held] of this.#sessions) if (!this.#mayStay(held)) this.#end(key, held, 'parted')
    return ready
  }

  async close(): Promise<void> {
    clearInterval(this.#looks)
    await this.set([])
  }

  #take(datagram: Buffer, source: RemoteInfo, at: { readonly bind: UdpBind }): void {
    const key = `${source.address} ${source.port} ${at.bind.address} ${at.bind.port}`
    const known = this.#sessions.get(key)
    const held = known ?? this.#begin(key, source, at)
    if (held === undefined) return
    if (known !== undefined) this.#sessions.delete(key)
    this.#sessions.set(key, held)
    held.usedAt = this.#options.now()
    held.session.send(datagram)
  }

  #begin(key: string, source: RemoteInfo, at: { readonly bind: UdpBind }): Held | undefined {
    const begun = this.#begun.get(source.address) ?? 0
    const place = placeOf(at.bind)
    if (begun >= this.#limits.newPerSource) return this.#refuse('too-many-sessions', source, at.bind)
    if (place === undefined) return this.#refuse('no-listener', source, at.bind)
    const decision = place.streams.decide(place.listener, '', this.#options.random)
    if (decision.type === 'missing') return this.#refuse('shard-unavailable', source, at.bind)
    if (decision.type === 'refuse') return this.#refuse(decision.why, source, at.bind)
    this.#begun.set(source.address, begun + 1)
    // Of forged addresses there is no end.
    if (this.#begun.size > this.#limits.sessions) this.#begun.clear()
    for (const [oldest, held] of this.#sessions) {
      if (this.#sessions.size < this.#limits.sessions) break
      this.#end(oldest, held, 'evicted')
    }
    return this.#open(key, source, at, place.streams.gateway, decision)
  }

  #open(
    key: string,
    source: RemoteInfo,
    at: { readonly bind: UdpBind },
    gateway: string,
    { backend, matched }: StreamForward,
  ): Held | undefined {
    const { balancer, now, random } = this.#options
    const endpoints = balancer.of(backend)
    const index = endpoints.pick(now(), random)
    const endpoint = index === undefined ? undefined : backend.endpoints[index]
    if (index === undefined || endpoint === undefined) return this.#refuse('no-endpoints', source, at.bind)
    const port = this.#ports.get(at.bind)?.port
    const answer = (datagram: Buffer): void => {
      held.usedAt = now()
      port?.send(datagram, source)
    }
    endpoints.started(index)
    let session: UdpSession
    try {
      session = new UdpSession(endpoint, answer, () => this.#end(key, held, 'lost'))
    } catch {
      endpoints.finished(index, 'connect-failed', now())
      return this.#refuse('connect-failed', source, at.bind)
    }
    const since = now()
    const belongs = { at, source, gateway, matched, backend: backend.key, endpoints, index }
    const held: Held = { session, ...belongs, since, usedAt: since }
    return held
  }

  #refuse(why: UdpRefusal, { address, port }: RemoteInfo, bind: UdpBind): undefined {
    this.#options.observe({
      type: 'refused',
      why,
      port: bind.listenerPort,
      source: { address: unmapped(address), port },
    })
  }

  #look(): void {
    this.#begun.clear()
    const idleSince = this.#options.now() - this.#limits.idleTimeout
    for (const [key, held] of this.#sessions) if (held.usedAt <= idleSince) this.#end(key, held, 'idle')
  }

  #mayStay({ at, backend, session }: Held): boolean {
    const place = this.#ports.get(at.bind) === at ? placeOf(at.bind) : undefined
    const { address, port } = session.endpoint
    return (
      place?.streams
        .destination(place.listener, '', backend)
        ?.endpoints.some((endpoint) => endpoint.address === address && endpoint.port === port) ?? false
    )
  }

  #end(key: string, held: Held, ending: UdpEnding): void {
    if (this.#sessions.get(key) !== held) return
    this.#sessions.delete(key)
    const { session, at, source, gateway, matched, backend, endpoints, index, since } = held
    const { endpoint, datagramsReceived, datagramsSent } = session
    session.close()
    const now = this.#options.now()
    endpoints.finished(index, outcomeOf(ending, datagramsSent), now)
    this.#options.observe({
      type: 'session',
      port: at.bind.listenerPort,
      source: { address: unmapped(source.address), port: source.port },
      ...{ gateway, matched, backend, endpoint, ending, datagramsReceived, datagramsSent },
      duration: now - since,
    })
  }
}

/** Whether an endpoint that has sent nothing is there at all nobody knows, unless ICMP says so. */
function outcomeOf(ending: UdpEnding, datagramsSent: number): Outcome {
  if (ending === 'lost') return 'connect-failed'
  return datagramsSent > 0 ? 'answered' : 'abandoned'
}

const placeOf = ({ listenerPort, streams }: UdpBind): StreamPlace | undefined =>
  choosePlain(streams(), Protocol.UDP, listenerPort)
