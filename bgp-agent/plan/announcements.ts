import type { EndpointSlice } from '../../kube/core/endpoint-slice.ts'
import type { Service } from '../../kube/core/service.ts'
import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import { selects } from '../../kube/label-selector.ts'
import { type FamilyName, parseAddress } from '../address.ts'
import type { RouteAttributes } from '../bgp/attributes.ts'
import { hostPrefix, type Prefix, parsePrefix, prefixOf } from '../bgp/prefix.ts'
import type { DefaultRoute } from '../sys/default-routes.ts'
import type { Advertisement, NodeObjects } from './node-objects.ts'
import { attributesOf, communitiesAnnotation, SharedAttributes, withAnnotation } from './route-attributes.ts'
import { serviceAddresses } from './service-addresses.ts'

export interface Announcement {
  readonly prefixes: readonly Prefix[]
  readonly attributes: RouteAttributes
  /** "Service shop/web LoadBalancerIP by advertisement public". */
  readonly source: string
}

export interface Withheld {
  /** Of the address or network that is not announced. */
  readonly prefix: string
  readonly source: string
  /** A clause. */
  readonly why: string
}

export interface Offer {
  readonly announced: readonly Announcement[]
  readonly withheld: readonly Withheld[]
  /** What is wrong with objects, as sentences. */
  readonly faults: readonly string[]
}

/** What the machine itself knows. */
export interface Machine {
  /** Addresses of interfaces by the interface's name. */
  readonly interfaces: ReadonlyMap<string, readonly string[]>
  /** Best first. */
  readonly defaultRoutes: readonly DefaultRoute[]
}

type Item = Advertisement['spec']['advertisements'][number]

/** What was worked out for Services, while they and all that it stands on are the same objects. */
export class OfferMemo {
  readonly attributes = new SharedAttributes()
  readonly #known = new WeakMap<Item, WeakMap<Service, ServiceOffer>>()

  of(item: Item, service: Service, slices: readonly EndpointSlice[], make: () => Offer): Offer {
    let ofItem = this.#known.get(item)
    if (ofItem === undefined) {
      ofItem = new WeakMap()
      this.#known.set(item, ofItem)
    }
    const known = ofItem.get(service)
    if (known !== undefined && isSame(known.slices, slices)) return known.offer
    const offer = make()
    ofItem.set(service, { slices, offer })
    return offer
  }
}

interface ServiceOffer {
  readonly slices: readonly EndpointSlice[]
  readonly offer: Offer
}

const isSame = (a: readonly EndpointSlice[], b: readonly EndpointSlice[]): boolean =>
  a.length === b.length && a.every((slice, index) => slice === b[index])

/** What a node has to announce by one advertisement. `memo` is of this node. */
export function offer(
  advertisement: Advertisement,
  objects: NodeObjects,
  nodeName: string,
  machine: Machine,
  memo: OfferMemo,
): Offer {
  const by = ` by advertisement ${advertisement.metadata.name}`
  const draft = new OfferDraft(by, memo.attributes)
  for (const item of advertisement.spec.advertisements) {
    if (item.advertisementType === 'Service') {
      for (const service of objects.services) {
        const slices = objects.slices.get(`${service.metadata.namespace}/${service.metadata.name}`) ?? []
        draft.take(
          memo.of(item, service, slices, () => {
            const own = new OfferDraft(by, memo.attributes)
            addService(service, item, own, slices, nodeName)
            return own
          }),
        )
      }
    } else addItem(item, draft, objects, nodeName, machine)
  }
  return draft
}

class OfferDraft implements Offer {
  readonly announced: Announcement[] = []
  readonly withheld: Withheld[] = []
  readonly faults: string[] = []
  readonly #by: string
  readonly #shared: SharedAttributes

  constructor(by: string, shared: SharedAttributes) {
    this.#by = by
    this.#shared = shared
  }

  /** `texts`: addresses or networks, of which `prefixOf` makes what is announced. */
  announce(
    texts: readonly string[],
    prefixOf: (text: string) => Prefix | undefined,
    attributes: RouteAttributes,
    source: string,
  ): void {
    const prefixes = texts.flatMap((text) => {
      const prefix = prefixOf(text)
      if (prefix === undefined) this.faults.push(`${source}: ${JSON.stringify(text)} is no prefix`)
      return prefix ?? []
    })
    if (prefixes.length > 0)
      this.announced.push({ prefixes, attributes: this.#shared.of(attributes), source: source + this.#by })
  }

  withhold(prefix: string, source: string, why: string): void {
    this.withheld.push({ prefix, source: source + this.#by, why })
  }

  take({ announced, withheld, faults }: Offer): void {
    for (const each of announced) this.announced.push(each)
    for (const each of withheld) this.withheld.push(each)
    for (const each of faults) this.faults.push(each)
  }
}

function addItem(item: Item, draft: OfferDraft, objects: NodeObjects, nodeName: string, machine: Machine): void {
  const attributes = attributesOf(item.attributes)
  switch (item.advertisementType) {
    case 'PodCIDR': {
      const node = objects.nodes.find(({ metadata }) => metadata.name === nodeName)
      const { podCIDR, podCIDRs = [] } = node?.spec ?? {}
      const cidrs = podCIDRs.length > 0 || podCIDR === undefined ? podCIDRs : [podCIDR]
      draft.announce(cidrs, parsePrefix, attributes, `Node ${nodeName} PodCIDR`)
      break
    }
    case 'Gateway':
      for (const gateway of objects.gateways) addGateway(gateway, item, attributes, draft)
      break
    case 'Interface': {
      const name = item.interface?.name ?? ''
      draft.announce(machine.interfaces.get(name) ?? [], parseHost, attributes, `interface ${name}`)
      break
    }
    case 'CiliumPodIPPool':
      draft.faults.push(
        'CiliumPodIPPool: pools of Pod addresses are given out by Cilium alone, and are not announced here',
      )
  }
}

function addService(
  service: Service,
  { service: options, selector, attributes }: Item,
  draft: OfferDraft,
  slices: readonly EndpointSlice[],
  nodeName: string,
): void {
  const { name, namespace, labels, annotations } = service.metadata
  const names = { 'io.kubernetes.service.name': name, 'io.kubernetes.service.namespace': namespace }
  if (options === undefined || selector === undefined || !selects(selector, { ...labels, ...names })) return
  const { attributes: own, bad } = withAnnotation(attributesOf(attributes), annotations[communitiesAnnotation] ?? '')
  for (const text of bad)
    draft.faults.push(
      `Service ${namespace}/${name}: annotation ${communitiesAnnotation}: ${JSON.stringify(text)} is no community`,
    )
  for (const type of options.addresses) {
    const source = `Service ${namespace}/${name} ${type}`
    const { addresses, withheld, isLocal } = serviceAddresses(service, type, slices, nodeName)
    const lengths = { ipv4: options.aggregationLengthIPv4, ipv6: options.aggregationLengthIPv6 }
    const prefix = (address: string): Prefix | undefined => (isLocal ? parseHost(address) : aggregate(address, lengths))
    if (withheld === undefined) draft.announce(addresses, prefix, own, source)
    else for (const address of addresses) draft.withhold(parseHost(address) ?? address, source, withheld)
  }
}

function addGateway(
  { metadata, spec }: Gateway,
  { selector }: Item,
  attributes: RouteAttributes,
  draft: OfferDraft,
): void {
  if (selector === undefined || !selects(selector, metadata.labels)) return
  const addresses = (spec.addresses ?? []).flatMap(({ type, value }) => (type === 'IPAddress' ? (value ?? []) : []))
  draft.announce(addresses, parseHost, attributes, `Gateway ${metadata.namespace}/${metadata.name}`)
}

function parseHost(address: string): Prefix | undefined {
  const octets = parseAddress(address)
  return octets && hostPrefix(octets)
}

/** The prefix that an address is told as a part of. `lengths`: undefined: itself. */
function aggregate(address: string, lengths: Readonly<Record<FamilyName, number | undefined>>): Prefix | undefined {
  const octets = parseAddress(address)
  const length = lengths[octets?.length === 4 ? 'ipv4' : 'ipv6']
  return octets && (length === undefined ? hostPrefix(octets) : prefixOf(octets, length))
}
