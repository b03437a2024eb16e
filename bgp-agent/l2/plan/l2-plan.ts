import { Buffer } from 'node:buffer'
import type { Secret } from '../../../kube/core/secret.ts'
import { formatAddress, parseAddress } from '../../address.ts'
import type { NodeObjects } from '../../plan/node-objects.ts'
import { faster, type Timing } from '../timing.ts'
import { AnnouncementPolicy, type L2Machine } from './announcement-policy.ts'
import { type Claimant, type ClaimedAddress, claimants } from './claimants.ts'

/** What a node may answer for; whether it does is for the election to say. */
export interface L2Plan {
  /** Of each address once, in order of its text. */
  readonly addresses: readonly PlannedAddress[]
  readonly withheld: readonly WithheldAddress[]
  /** Where the node meets its peers, whether or not it has an address there yet. */
  readonly interfaces: ReadonlyMap<string, Timing>
  /** Of heartbeats: the first signs, and all are believed. None: nobody is met, and nothing answered for. */
  readonly keys: readonly Uint8Array[]
  readonly conditions: readonly L2Condition[]
  /** What is wrong otherwise, as sentences. */
  readonly faults: readonly string[]
}

export interface PlannedAddress {
  /** As formatAddress writes it. */
  readonly address: string
  readonly octets: Uint8Array
  readonly interfaces: readonly string[]
  readonly preference: number
  /** "Service shop/web LoadBalancerIP by L2AnnouncementPolicy lan". */
  readonly sources: readonly string[]
}

export interface WithheldAddress {
  readonly address: string
  /** "Service shop/web LoadBalancerIP". */
  readonly source: string
  /** A clause. */
  readonly why: string
}

export interface L2Condition {
  /** "L2AnnouncementPolicy lan". */
  readonly object: string
  readonly type: 'landfall.dev/NoMatchingNode' | 'landfall.dev/BadInterfacePattern' | 'landfall.dev/MissingHeartbeatKey'
  readonly message: string
}

export interface L2PlanOptions {
  readonly nodeName: string
  readonly secretNamespace: string
  readonly machine: L2Machine
}

/** The Secret of heartbeats, with the key `key`, and `otherKey` while one takes the other's place. */
export const heartbeatSecret = 'landfall-l2'

/** Octets of the shortest key that is taken. */
const MIN_KEY = 16

/** Pure: the same objects give the same plan. */
export const planL2 = (objects: NodeObjects, options: L2PlanOptions): L2Plan => new Planning(objects, options).plan()

class Planning {
  readonly #objects: NodeObjects
  readonly #options: L2PlanOptions
  readonly #policies: readonly AnnouncementPolicy[]
  readonly #addresses = new Map<string, PlannedAddress>()
  readonly #withheld: WithheldAddress[] = []
  readonly #interfaces = new Map<string, Timing>()
  readonly #conditions: L2Condition[] = []
  readonly #faults = new Set<string>()

  constructor(objects: NodeObjects, options: L2PlanOptions) {
    this.#objects = objects
    this.#options = options
    const { nodeName: name, machine } = options
    const labels = objects.nodes.find(({ metadata }) => metadata.name === name)?.metadata.labels ?? {}
    this.#policies = objects.l2Policies.map((policy) => new AnnouncementPolicy(policy, { name, labels, machine }))
  }

  plan(): L2Plan {
    this.#checkPolicies()
    const keys = this.#policies.some(({ isOfNode }) => isOfNode) ? this.#keys() : []
    for (const claimant of claimants(this.#objects, this.#options.nodeName)) {
      const policies = this.#policies.filter((policy) => policy.selects(claimant))
      for (const claimed of claimant.addresses) this.#add(claimant, claimed, policies)
    }
    return {
      addresses: [...this.#addresses.values()].sort((a, b) => (a.address < b.address ? -1 : 1)),
      withheld: this.#withheld,
      interfaces: this.#interfaces,
      keys,
      conditions: this.#conditions,
      faults: [...this.#faults],
    }
  }

  #checkPolicies(): void {
    for (const policy of this.#policies) {
      for (const message of policy.badPatterns)
        this.#condition(policy.name, 'landfall.dev/BadInterfacePattern', message)
      if (!policy.hasNode(this.#objects.nodes))
        this.#condition(policy.name, 'landfall.dev/NoMatchingNode', 'no node has the labels of spec.nodeSelector')
      if (policy.isOfNode) for (const name of policy.named ?? []) this.#meet(name, policy.timing)
    }
  }

  #add({ name }: Claimant, { type, address, withheld }: ClaimedAddress, policies: readonly AnnouncementPolicy[]): void {
    const source = `${name} ${type}`
    const octets = parseAddress(address)
    if (octets === undefined) {
      this.#faults.add(`${source}: ${JSON.stringify(address)} is no address`)
      return
    }
    const text = formatAddress(octets)
    const reasons = withheld === undefined ? [] : [withheld]
    let isPlanned = false
    for (const policy of policies) {
      const interfaces = policy.interfacesFor(octets, type)
      if (typeof interfaces === 'string') reasons.push(interfaces)
      else {
        for (const each of interfaces) this.#meet(each, policy.timing)
        if (withheld !== undefined) continue
        this.#offer(text, octets, interfaces, policy, `${source} by ${policy.name}`)
        isPlanned = true
      }
    }
    if (policies.length === 0) reasons.push('no L2 announcement policy selects it')
    if (!isPlanned) this.#withheld.push({ address: text, source, why: reasons.join('; ') })
  }

  /** Of what several say of one address: all interfaces, and the greatest preference. */
  #offer(
    address: string,
    octets: Uint8Array,
    interfaces: readonly string[],
    { preference }: AnnouncementPolicy,
    source: string,
  ): void {
    const known = this.#addresses.get(address)
    this.#addresses.set(address, {
      address,
      octets,
      interfaces: known === undefined ? interfaces : [...new Set([...known.interfaces, ...interfaces])],
      preference: Math.max(known?.preference ?? 0, preference),
      sources: [...(known?.sources ?? []), source],
    })
  }

  #meet(name: string, timing: Timing): void {
    this.#interfaces.set(name, faster(this.#interfaces.get(name) ?? timing, timing))
  }

  #keys(): readonly Uint8Array[] {
    const { secretNamespace } = this.#options
    const secret = this.#objects.secrets.find(
      ({ metadata }) => metadata.name === heartbeatSecret && metadata.namespace === secretNamespace,
    )
    const name = `Secret ${secretNamespace}/${heartbeatSecret}`
    const key = keyOf(secret, 'key')
    if (key === undefined || key.length < MIN_KEY) {
      const message = `needs a key "key" of ${MIN_KEY} octets or more, by which nodes know each other; without it nothing is answered for`
      this.#condition(name, 'landfall.dev/MissingHeartbeatKey', message)
      return []
    }
    const other = keyOf(secret, 'otherKey')
    if (other !== undefined && other.length < MIN_KEY)
      this.#faults.add(`${name}: otherKey has less than ${MIN_KEY} octets, and is not taken`)
    return other === undefined || other.length < MIN_KEY ? [key] : [key, other]
  }

  #condition(object: string, type: L2Condition['type'], message: string): void {
    this.#conditions.push({ object, type, message })
  }
}

function keyOf(secret: Secret | undefined, name: string): Uint8Array | undefined {
  const data = secret !== undefined && Object.hasOwn(secret.data, name) ? secret.data[name] : undefined
  return data === undefined ? undefined : new Uint8Array(Buffer.from(data, 'base64'))
}
