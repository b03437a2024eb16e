import { BlockList } from 'node:net'
import { EndpointBalancer } from '../engine/endpoints.ts'
import { RetryBudget } from '../engine/retry-budget.ts'
import type { Router } from '../engine/router.ts'
import { Streams } from '../engine/streams.ts'
import type { Observer } from './access.ts'
import { arrange } from './arrangement.ts'
import { Certificates } from './certificates.ts'
import { type Feed, isSamePair, type KeyPair, routersOf } from './feed.ts'
import { createHttp1Client } from './http1-client/http1-client.ts'
import { createHttp2Client } from './http2-client/http2-client.ts'
import { Listen } from './listen/listen.ts'
import type { ConnectionReport } from './listen/report.ts'
import type { Log } from './log.ts'
import type { Connect } from './origin-client.ts'
import { createConnect } from './origin-socket/origin-socket.ts'
import { createOrigins } from './origins.ts'
import { Place } from './place.ts'
import { type ServedGateway, served } from './served.ts'
import { TlsTermination } from './tls-termination.ts'
import type { UdpReport } from './udp/report.ts'
import { Udp, udpLimits } from './udp/udp.ts'

export interface DataPlaneOptions {
  /** Where Gateways listen that ask for no address. */
  readonly addresses: readonly string[]
  /** From whom a PROXY protocol header is taken, as CIDRs. */
  readonly proxyProtocol: readonly string[]
  /** What the keys of TLS session tickets are made from: processes that share it resume each other's sessions. */
  readonly ticketSecret: Buffer
  /** How many clients' connections there may be at once, and how many sessions of UDP at most. */
  readonly connections: number
  /** Whether HTTP/2 is spoken, with clients and with origins. */
  readonly http2: boolean
  readonly observeRequest: Observer
  readonly observeConnection: (report: ConnectionReport) => void
  readonly observeDatagrams: (report: UdpReport) => void
  readonly log: Log
}

/** How long connections have whose port is no Gateway's any more, in milliseconds. */
const partingTime = 60_000

interface Gateway extends ServedGateway {
  /** What it shows to origins that ask who it is. */
  readonly shown: KeyPair | undefined
  readonly close: () => void
}

/** Everything between the listening sockets and the origins, for the Gateways of a feed. */
export class DataPlane {
  readonly #options: DataPlaneOptions
  readonly #balancer = new EndpointBalancer()
  readonly #budget = new RetryBudget()
  readonly #certificates: Certificates
  readonly #listen: Listen
  readonly #udp: Udp
  readonly #places = new Map<string, Place>()
  /** Those that no Gateway has any more, while they have connections. */
  readonly #parting = new Set<Place>()
  #routers: ReadonlyMap<string, Router> = new Map()
  #gateways: ReadonlyMap<string, Gateway> = new Map()
  #keyPairs: ReadonlyMap<string, KeyPair> = new Map()

  constructor(options: DataPlaneOptions) {
    const { log, observeConnection, observeDatagrams } = options
    const shared = { balancer: this.#balancer, now: Date.now, random: Math.random }
    this.#options = options
    this.#certificates = new Certificates(log)
    this.#listen = new Listen({
      reusePort: true,
      limits: { connections: options.connections },
      log,
      observe: observeConnection,
      balancers: blockList(options.proxyProtocol),
      termination: new TlsTermination({
        certificates: this.#certificates,
        ticketSecret: options.ticketSecret,
        now: Date.now,
      }),
      tunnels: { connect: createConnect(() => undefined), ...shared },
    })
    const limits = { sessions: Math.min(udpLimits.sessions, options.connections) }
    this.#udp = new Udp({ reusePort: true, limits, log, observe: observeDatagrams, ...shared })
  }

  /** The tables that serve now. */
  get tables(): readonly { readonly gateway: string; readonly version: string }[] {
    return [...this.#routers.values()]
  }

  /** Serves a feed from now on. Resolves when its ports are open, with what cannot be served, as sentences. */
  async apply(feed: Feed): Promise<readonly string[]> {
    const { routers, faults } = routersOf(feed, this.#routers)
    this.#routers = routers
    this.#keyPairs = feed.keyPairs
    this.#certificates.set(feed.keyPairs)
    this.#gateways = this.#gatewaysOf(routers)
    const conflicts = this.#arrange()
    const places = [...this.#places.values()]
    const deaf = await Promise.all([
      this.#listen.set(places.flatMap((place) => place.binds)),
      this.#udp.set(places.flatMap((place) => place.udpBinds)),
    ])
    return [...faults, ...conflicts, ...deaf.flat()]
  }

  /** Takes no more connections, lets what is under way end within `grace` milliseconds, then cuts it. */
  async close(grace: number): Promise<void> {
    const until = Date.now() + grace
    // What was accepted is handed over before the front ends close.
    await this.#listen.stop(grace)
    const rest = Math.max(0, until - Date.now())
    await Promise.all([
      this.#listen.close(rest),
      this.#udp.close(),
      ...[...this.#places.values(), ...this.#parting].map((place) => place.close(rest)),
    ])
    for (const { close } of this.#gateways.values()) close()
  }

  #gatewaysOf(routers: ReadonlyMap<string, Router>): ReadonlyMap<string, Gateway> {
    const gateways = new Map<string, Gateway>()
    for (const [name, router] of routers) {
      const before = this.#gateways.get(name)
      const shown = this.#clientCertificate(router)
      const isShown = before !== undefined && isSamePair(before.shown, shown)
      const isServed = before?.router === router
      if (isShown && isServed) gateways.set(name, before)
      else {
        // No connection under which another certificate was shown may carry a request from now on.
        const { upstreams, close } = isShown ? before : this.#newUpstreams(name)
        const streams = isServed ? before.streams : new Streams(router.table)
        gateways.set(name, { router, streams, upstreams, close, shown })
      }
    }
    for (const [name, { close }] of this.#gateways) if (gateways.get(name)?.close !== close) close()
    return gateways
  }

  /** The clients of a Gateway: what it shows to origins is its own. */
  #newUpstreams(gateway: string): Pick<Gateway, 'upstreams' | 'close'> {
    const connect: Connect = createConnect(() => this.#gateways.get(gateway)?.shown)
    const http2 = this.#options.http2 ? createHttp2Client({ connect }) : undefined
    const { open, close } = createOrigins(createHttp1Client({ connect }), http2)
    const shared = { balancer: this.#balancer, budget: this.#budget, now: Date.now, random: Math.random }
    return { upstreams: { open, ...shared }, close }
  }

  /** Gateway.spec.tls.backend. */
  #clientCertificate({ root: { settings } }: Router): KeyPair | undefined {
    return settings === undefined ? undefined : this.#keyPairs.get(settings.clientCertificate)
  }

  /** Gives each address and port the Gateways that listen there. */
  #arrange(): readonly string[] {
    const { berths, faults } = arrange(this.#routers.values(), this.#options.addresses)
    for (const [key, place] of this.#places) {
      if (berths.get(key)?.kind === place.kind) continue
      this.#places.delete(key)
      this.#parting.add(place)
      place.close(partingTime).then(() => this.#parting.delete(place))
    }
    for (const [key, { kind, address, port, gateways }] of berths) {
      const place = this.#places.get(key) ?? new Place(kind, address, port, this.#options)
      this.#places.set(key, place)
      place.served = served([...gateways].flatMap((gateway) => this.#gateways.get(gateway) ?? []))
    }
    return faults
  }
}

function blockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/')
    const family = address.includes(':') ? 'ipv6' : 'ipv4'
    list.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family)
  }
  return list
}
