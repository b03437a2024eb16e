import { selects } from '../../kube/label-selector.ts'
import { type FamilyName, parseAddress } from '../address.ts'
import type { RouteAttributes } from '../bgp/attributes.ts'
import { familyOf, type Prefix } from '../bgp/prefix.ts'
import type { Routes } from '../bgp/rib-out.ts'
import { type Announcement, type Machine, type Offer, OfferMemo, offer, type Withheld } from './announcements.ts'
import type { ClusterConfig, NodeObjects, PeerConfig } from './node-objects.ts'
import { merged } from './route-attributes.ts'

/** What a node does: which sessions it has, and what it tells each peer. */
export interface NodePlan {
  readonly instances: readonly InstancePlan[]
  readonly withheld: readonly Withheld[]
  readonly conditions: readonly Condition[]
  /** What is wrong otherwise, as sentences. */
  readonly faults: readonly string[]
}

export interface InstancePlan {
  readonly name: string
  readonly asn: number
  /** As an IPv4 address. */
  readonly routerId: string
  /** Where connections are taken; undefined: nowhere. */
  readonly localPort: number | undefined
  readonly peers: readonly PeerPlan[]
}

export interface PeerPlan {
  readonly name: string
  /** With a zone where it is link-local. */
  readonly address: string
  /** 0: whatever the peer says. */
  readonly asn: number
  readonly localAddress: string | undefined
  readonly settings: PeerConfig['spec']
  /** Of TCP MD5. */
  readonly password: string | undefined
  readonly families: readonly FamilyName[]
  readonly routes: Routes
  /** What they come from. */
  readonly announcements: readonly Announcement[]
}

type Peer = ClusterConfig['spec']['bgpInstances'][number]['peers'][number]
type Instance = ClusterConfig['spec']['bgpInstances'][number]

/** As Cilium writes them into the status of its objects. */
export interface Condition {
  /** "CiliumBGPClusterConfig name". */
  readonly object: string
  readonly type:
    | 'cilium.io/NoMatchingNode'
    | 'cilium.io/MissingPeerConfigs'
    | 'cilium.io/ConflictingClusterConfig'
    | 'cilium.io/MissingAuthSecret'
    | 'cilium.io/BGPReconcileError'
  readonly message: string
}

/** The namespace of Secrets with the passwords of peers, unless told otherwise. */
export const usualSecretNamespace = 'kube-system'

export interface PlanOptions {
  readonly nodeName: string
  readonly secretNamespace: string
  readonly machine: Machine
}

/** Pure: the same objects give the same plan. With the memo of earlier plans of the node, what has not changed costs little. */
export function planNode(objects: NodeObjects, options: PlanOptions, memo: OfferMemo = new OfferMemo()): NodePlan {
  const planning = new Planning(objects, options, memo)
  return planning.plan()
}

class Planning {
  readonly #objects: NodeObjects
  readonly #options: PlanOptions
  readonly #memo: OfferMemo
  readonly #offers = new Map<string, Offer>()
  readonly #conditions: Condition[] = []
  /** The cluster configuration of this node. */
  #chosen: ClusterConfig | undefined
  readonly #faults = new Set<string>()
  readonly #withheld = new Map<string, Withheld>()

  constructor(objects: NodeObjects, options: PlanOptions, memo: OfferMemo) {
    this.#objects = objects
    this.#options = options
    this.#memo = memo
  }

  plan(): NodePlan {
    this.#chosen = this.#clusterConfig()
    const instances = this.#chosen?.spec.bgpInstances.flatMap((instance) => this.#instance(instance) ?? []) ?? []
    return {
      instances,
      withheld: [...this.#withheld.values()],
      conditions: this.#conditions,
      faults: [...this.#faults],
    }
  }

  /** The first by name that selects this node; the others are in conflict with it. */
  #clusterConfig(): ClusterConfig | undefined {
    const { clusterConfigs, nodes } = this.#objects
    const labels = this.#node?.metadata.labels ?? {}
    let chosen: ClusterConfig | undefined
    for (const config of clusterConfigs) {
      const { nodeSelector } = config.spec
      if (nodeSelector !== undefined && !nodes.some(({ metadata }) => selects(nodeSelector, metadata.labels)))
        this.#condition(config, 'cilium.io/NoMatchingNode', 'no node has the labels of spec.nodeSelector')
      if (nodeSelector !== undefined && !selects(nodeSelector, labels)) continue
      if (chosen === undefined) chosen = config
      else {
        const message = `${chosen.kind} ${chosen.metadata.name} has node ${this.#options.nodeName} already`
        this.#condition(config, 'cilium.io/ConflictingClusterConfig', message)
      }
    }
    return chosen
  }

  #instance({ name, localASN, localPort, peers }: Instance): InstancePlan | undefined {
    const override = this.#override?.spec.bgpInstances.find((other) => other.name === name)
    const asn = override?.localASN ?? localASN
    const routerId = override?.routerID ?? this.#internalIp
    if (asn === undefined) return this.#leaveOut(name, 'it has no localASN')
    if (routerId === undefined)
      return this.#leaveOut(
        name,
        `node ${this.#options.nodeName} has no InternalIP of IPv4, and no override names a routerID`,
      )
    const addresses = new Map((override?.peers ?? []).map((peer) => [peer.name, peer.localAddress]))
    return {
      name,
      asn,
      routerId,
      localPort: override?.localPort ?? localPort,
      peers: peers.flatMap((peer) => this.#peer(peer, addresses.get(peer.name)) ?? []),
    }
  }

  #leaveOut(name: string, why: string): undefined {
    this.#faults.add(`BGP instance ${name}: ${why}`)
  }

  #peer(peer: Peer, localAddress: string | undefined): PeerPlan | undefined {
    const config = this.#peerConfig(peer)
    const address = peer.peerAddress ?? this.#discovered(peer)
    if (config === undefined || address === undefined) return undefined
    const families = config.spec.families.flatMap(({ afi, safi }): FamilyName[] =>
      safi === 'unicast' && (afi === 'ipv4' || afi === 'ipv6') ? [afi] : [],
    )
    if (families.length === 0) {
      this.#faults.add(`${config.kind} ${config.metadata.name}: of its families none is unicast of IPv4 or IPv6`)
      return undefined
    }
    const password = this.#password(config)
    // Without the password there would be a session that nobody meant, or none for a reason that nobody sees.
    if (config.spec.authSecretRef !== undefined && password === undefined) return undefined
    return {
      name: peer.name,
      address,
      asn: peer.peerASN,
      localAddress,
      settings: config.spec,
      password,
      families,
      ...this.#routes(config),
    }
  }

  /** The router that the kernel knows: of a family, or at an interface. */
  #discovered({ name, autoDiscovery }: Peer): string | undefined {
    if (autoDiscovery === undefined) {
      this.#faults.add(`peer ${name} has neither peerAddress nor autoDiscovery`)
      return undefined
    }
    const { defaultRoutes } = this.#options.machine
    const { defaultGateway, unnumbered } = autoDiscovery
    const route = defaultRoutes.find((route) =>
      unnumbered === undefined
        ? route.family === defaultGateway?.addressFamily
        : route.family === 'ipv6' && route.interface === unnumbered.interface,
    )
    if (route !== undefined) return route.gateway
    const where =
      unnumbered === undefined ? `of ${defaultGateway?.addressFamily}` : `at interface ${unnumbered.interface}`
    this.#faults.add(`peer ${name}: it is to be the default gateway ${where}, and this machine has none`)
    return undefined
  }

  #peerConfig({ name, peerConfigRef }: Peer): PeerConfig | undefined {
    if (peerConfigRef === undefined) {
      this.#faults.add(`peer ${name} has no peerConfigRef`)
      return undefined
    }
    const config = this.#objects.peerConfigs.find(({ metadata }) => metadata.name === peerConfigRef.name)
    if (config === undefined && this.#chosen !== undefined) {
      const message = `peer ${name}: there is no peer configuration ${peerConfigRef.name}`
      this.#condition(this.#chosen, 'cilium.io/MissingPeerConfigs', message)
    }
    return config
  }

  #password({ kind, metadata, spec }: PeerConfig): string | undefined {
    if (spec.authSecretRef === undefined) return undefined
    const { secretNamespace } = this.#options
    const secret = this.#objects.secrets.find(
      (each) => each.metadata.name === spec.authSecretRef && each.metadata.namespace === secretNamespace,
    )
    const password = secret?.data.password
    // An empty one would be a session without any.
    if (password !== undefined && password !== '') return Buffer.from(password, 'base64').toString()
    const object = `${kind} ${metadata.name}`
    const message = `there is no Secret ${secretNamespace}/${spec.authSecretRef} with the key "password"`
    this.#conditions.push({ object, type: 'cilium.io/MissingAuthSecret', message })
    return undefined
  }

  #routes({ spec }: PeerConfig): Pick<PeerPlan, 'routes' | 'announcements'> {
    const routes = new Map<Prefix, RouteAttributes>()
    const announcements: Announcement[] = []
    for (const { afi, safi, advertisements } of spec.families) {
      if (safi !== 'unicast' || advertisements === undefined) continue
      for (const advertisement of this.#objects.advertisements) {
        if (!selects(advertisements, advertisement.metadata.labels)) continue
        for (const announced of this.#offer(advertisement).announced) {
          const announcement = ofFamily(announced, afi)
          announcements.push(announcement)
          this.#add(announcement, routes)
        }
      }
    }
    return { routes, announcements }
  }

  #add({ prefixes, attributes }: Announcement, routes: Map<Prefix, RouteAttributes>): void {
    for (const prefix of prefixes) {
      const before = routes.get(prefix) ?? attributes
      routes.set(prefix, before === attributes ? attributes : this.#memo.attributes.of(merged(before, attributes)))
    }
  }

  #offer(advertisement: NodeObjects['advertisements'][number]): Offer {
    const key = `${advertisement.kind} ${advertisement.metadata.name}`
    const known = this.#offers.get(key)
    if (known !== undefined) return known
    const { nodeName, machine } = this.#options
    const made = offer(advertisement, this.#objects, nodeName, machine, this.#memo)
    this.#offers.set(key, made)
    for (const withheld of made.withheld) this.#withheld.set(`${withheld.prefix} ${withheld.source}`, withheld)
    for (const fault of made.faults) this.#faults.add(fault)
    return made
  }

  get #node() {
    return this.#objects.nodes.find(({ metadata }) => metadata.name === this.#options.nodeName)
  }

  get #override() {
    return this.#objects.overrides.find(({ metadata }) => metadata.name === this.#options.nodeName)
  }

  get #internalIp(): string | undefined {
    return this.#node?.status.addresses.find(
      ({ type, address }) => type === 'InternalIP' && parseAddress(address)?.length === 4,
    )?.address
  }

  #condition(config: ClusterConfig, type: Condition['type'], message: string): void {
    this.#conditions.push({ object: `${config.kind} ${config.metadata.name}`, type, message })
  }
}

function ofFamily(announcement: Announcement, family: string): Announcement {
  const prefixes = announcement.prefixes.filter((prefix) => familyOf(prefix) === family)
  return prefixes.length === announcement.prefixes.length ? announcement : { ...announcement, prefixes }
}

/** Where each route of a peer comes from. */
export function sourcesOf({ announcements }: Pick<PeerPlan, 'announcements'>): ReadonlyMap<Prefix, readonly string[]> {
  const sources = new Map<Prefix, readonly string[]>()
  for (const { prefixes, source } of announcements)
    for (const prefix of prefixes) {
      const others = sources.get(prefix) ?? []
      if (!others.includes(source)) sources.set(prefix, [...others, source])
    }
  return sources
}
