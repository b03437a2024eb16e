import type { Node } from '../../../kube/core/node.ts'
import { selects } from '../../../kube/label-selector.ts'
import { holds, lengthOf, parsePrefix } from '../../bgp/prefix.ts'
import type { L2Policy } from '../../plan/node-objects.ts'
import type { DefaultRoute } from '../../sys/default-routes.ts'
import { type Timing, timings } from '../timing.ts'
import type { Claimant, ClaimedType } from './claimants.ts'
import { interfacePattern } from './interface-pattern.ts'

/** What the machine itself knows. */
export interface L2Machine {
  /** Networks of each interface that is up, but for loopback: "192.0.2.1/24". */
  readonly networks: ReadonlyMap<string, readonly string[]>
  /** Best first. */
  readonly defaultRoutes: readonly DefaultRoute[]
}

/** A node, as policies see it. */
export interface L2Node {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly machine: L2Machine
}

/** A policy as it is for one node. */
export class AnnouncementPolicy {
  /** "L2AnnouncementPolicy lan". */
  readonly name: string
  readonly timing: Timing
  /** Of this node among those that may answer; the most has the address. */
  readonly preference: number
  /** What is wrong with its patterns, as sentences. */
  readonly badPatterns: readonly string[]
  /** That its patterns name; undefined: it leaves that to each address. */
  readonly named: readonly string[] | undefined
  readonly #spec: L2Policy['spec']
  readonly #node: L2Node

  constructor({ kind, metadata, spec }: L2Policy, node: L2Node) {
    this.name = `${kind} ${metadata.name}`
    this.#spec = spec
    this.#node = node
    this.timing = timingOf(spec)
    this.preference = preferenceOf(spec, node)
    const patterns = (spec.interfaces ?? []).map((text) => ({ text, pattern: interfacePattern(text) }))
    this.badPatterns = patterns.flatMap(({ text, pattern }) =>
      typeof pattern === 'string' ? [`interfaces: ${JSON.stringify(text)} is not taken: ${pattern}`] : [],
    )
    const good = patterns.flatMap(({ pattern }) => (typeof pattern === 'string' ? [] : [pattern]))
    this.named =
      spec.interfaces === undefined
        ? undefined
        : [...node.machine.networks.keys()].filter((name) => good.some((pattern) => pattern.test(name)))
  }

  get isOfNode(): boolean {
    const { nodeSelector } = this.#spec
    return nodeSelector === undefined || selects(nodeSelector, this.#node.labels)
  }

  /** Whether it is for any of these, or for all that there may be. */
  hasNode(nodes: readonly Node[]): boolean {
    const { nodeSelector } = this.#spec
    return nodeSelector === undefined || nodes.some(({ metadata }) => selects(nodeSelector, metadata.labels))
  }

  selects({ labels }: Claimant): boolean {
    const { serviceSelector } = this.#spec
    return serviceSelector === undefined || selects(serviceSelector, labels)
  }

  /** Where an address is answered for, or why it is not: a clause. */
  interfacesFor(octets: Uint8Array, type: ClaimedType): readonly string[] | string {
    const { loadBalancerIPs, externalIPs } = this.#spec
    if (type === 'LoadBalancerIP' && !loadBalancerIPs) return `${this.name} has loadBalancerIPs: false`
    if (type === 'ExternalIP' && !externalIPs) return `${this.name} has externalIPs: false`
    if (!this.isOfNode) return `${this.name} does not select node ${this.#node.name}`
    const found = this.named ?? homeOf(octets, this.#node.machine)
    return found.length > 0 ? found : `of the interfaces of node ${this.#node.name} none fits ${this.name}`
  }
}

function timingOf(spec: L2Policy['spec']): Timing {
  if (!('timers' in spec)) return timings.default
  if (spec.intervals === undefined) return timings[spec.timers]
  const { heartbeatMilliseconds, detectionMilliseconds } = spec.intervals
  return { interval: heartbeatMilliseconds, detection: detectionMilliseconds }
}

const preferenceOf = (spec: L2Policy['spec'], { labels }: L2Node): number =>
  'preferredNodes' in spec
    ? spec.preferredNodes.reduce(
        (sum, { weight, nodeSelector }) => sum + (selects(nodeSelector, labels) ? weight : 0),
        0,
      )
    : 0

/** Interfaces with a network that has the address; or that of the default route; or all. */
function homeOf(octets: Uint8Array, { networks, defaultRoutes }: L2Machine): readonly string[] {
  const all = [...networks.keys()]
  const within = all.filter((name) => networks.get(name)?.some((network) => isIn(network, octets)))
  if (within.length > 0) return within
  const family = octets.length === 4 ? 'ipv4' : 'ipv6'
  const way = defaultRoutes.find((route) => route.family === family && networks.has(route.interface))
  return way === undefined ? all : [way.interface]
}

/** An address that stands alone, as those do that an agent has added, is no network. */
function isIn(network: string, octets: Uint8Array): boolean {
  const own = parsePrefix(network)
  return own !== undefined && lengthOf(own) !== 8 * octets.length && holds(own, octets)
}
