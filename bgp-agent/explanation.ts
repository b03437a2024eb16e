import { parseAddress } from './address.ts'
import { familyOf, hostPrefix, type Prefix, prefixOf } from './bgp/prefix.ts'
import type { Withheld } from './plan/announcements.ts'
import type { NodeObjects } from './plan/node-objects.ts'
import type { NodePlan, PeerPlan } from './plan/node-plan.ts'
import { describeAttributes } from './plan/route-attributes.ts'
import { serviceAddresses } from './plan/service-addresses.ts'
import type { SpeakerStatus } from './speaker-messages.ts'
import { peerKey } from './speaker-plan.ts'

/** What a node says of an address, to whom, and why. */
export interface Explanation {
  readonly node: string
  readonly address: string
  /** Routes that lead here for it, of each instance. */
  readonly routes: readonly ExplainedRoute[]
  readonly withheld: readonly Withheld[]
  /** What has the address and is selected by no advertisement: "Service shop/web ClusterIP". */
  readonly unselected: readonly string[]
}

export interface ExplainedRoute {
  readonly instance: string
  readonly prefix: Prefix
  readonly sources: readonly string[]
  readonly peers: readonly ExplainedPeer[]
}

export interface ExplainedPeer {
  readonly name: string
  readonly address: string
  /** planned: the peer would be told, if there were an agent to ask. */
  readonly state: 'told' | 'planned' | 'not told'
  readonly attributes: readonly string[]
  /** A clause; empty where the peer is told. */
  readonly why: string
}

/** Of a node's plan, and of its sessions where an agent has them. undefined where `address` is none. */
export function explainAddress(
  node: string,
  address: string,
  objects: NodeObjects,
  plan: NodePlan,
  status?: SpeakerStatus,
): Explanation | undefined {
  const octets = parseAddress(address)
  if (octets === undefined) return undefined
  const candidates = Array.from({ length: 8 * octets.length + 1 }, (_, length) => prefixOf(octets, length) ?? '')
  const routes = plan.instances.flatMap(({ name: instance, peers }) =>
    prefixesOf(peers, candidates).map((prefix): ExplainedRoute => {
      const from = peers.flatMap((peer) => peer.announcements.filter(({ prefixes }) => prefixes.includes(prefix)))
      const sources = new Set(from.map(({ source }) => source))
      return {
        instance,
        prefix,
        sources: [...sources],
        peers: peers.map((peer) => explainPeer(instance, peer, prefix, status)),
      }
    }),
  )
  const host = hostPrefix(octets)
  const withheld = plan.withheld.filter(({ prefix }) => prefix === host)
  const selected = [...routes.flatMap(({ sources }) => sources), ...withheld.map(({ source }) => source)]
  const unselected = holders(host, objects, node).filter(
    (holder) => !selected.some((source) => source.startsWith(`${holder} by `)),
  )
  return { node, address, routes, withheld, unselected }
}

const prefixesOf = (peers: readonly PeerPlan[], candidates: readonly Prefix[]): readonly Prefix[] =>
  candidates.filter((prefix) => peers.some(({ routes }) => routes.has(prefix)))

function explainPeer(instance: string, peer: PeerPlan, prefix: Prefix, status?: SpeakerStatus): ExplainedPeer {
  const who = { name: peer.name, address: peer.address }
  const ofRoute = peer.routes.get(prefix)
  if (ofRoute === undefined)
    return { ...who, state: 'not told', attributes: [], why: 'its peer configuration selects no such advertisement' }
  const attributes = describeAttributes(ofRoute)
  if (status === undefined) return { ...who, state: 'planned', attributes, why: '' }
  const told = status.told.get(peerKey({ name: instance }, peer))
  if (told?.has(prefix)) return { ...who, state: 'told', attributes, why: '' }
  const report = status.peers.find((each) => each.instance === instance && each.name === peer.name)
  const why =
    report?.session === undefined
      ? (report?.fault ?? `its session is ${report?.state ?? 'not begun'}`)
      : `its session carries no routes of ${familyOf(prefix)}`
  return { ...who, state: 'not told', attributes, why }
}

/** Who has an address, "10.0.0.1/32", in the words that sources begin with. */
function holders(host: Prefix, { services, gateways }: NodeObjects, node: string): readonly string[] {
  const isIt = (text: string): boolean => {
    const octets = parseAddress(text)
    return octets !== undefined && hostPrefix(octets) === host
  }
  const ofServices = services.flatMap((service) =>
    (['LoadBalancerIP', 'ExternalIP', 'ClusterIP'] as const).flatMap((type) =>
      serviceAddresses(service, type, [], node).addresses.some(isIt)
        ? [`Service ${service.metadata.namespace}/${service.metadata.name} ${type}`]
        : [],
    ),
  )
  const ofGateways = gateways.flatMap(({ metadata, spec }) =>
    (spec.addresses ?? []).some(({ value = '' }) => isIt(value))
      ? [`Gateway ${metadata.namespace}/${metadata.name}`]
      : [],
  )
  return [...ofServices, ...ofGateways]
}
