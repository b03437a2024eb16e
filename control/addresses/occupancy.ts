import type { Claim, Sharing } from './claim.ts'

/** Who has one address. */
export class Occupancy {
  readonly holders: Claim[] = []
  readonly #ports = new Set<string>()
  /** Namespaces, with whom each shares: the same once. */
  readonly #namespaces = new Map<string, { readonly namespace: string; readonly sharing: Sharing }>()

  /** Why a claim cannot have the address, too, as a clause; undefined when it can. */
  whyNot({ namespace, sharing, ports, policy }: Claim): string | undefined {
    const [first] = this.holders
    if (first === undefined) return undefined
    if (sharing === undefined || first.sharing?.key !== sharing.key) return `${first.key} has it`
    if (first.policy !== policy) return `${first.key} has it, with another externalTrafficPolicy or other Pods`
    const port = ports.find((port) => this.#ports.has(port))
    if (port !== undefined) return `port ${port} of it is taken by ${this.#holderOf(port)}`
    for (const other of this.#namespaces.values())
      if (!admits(sharing, namespace, other.namespace) || !admits(other.sharing, other.namespace, namespace))
        return `namespaces ${namespace} and ${other.namespace} do not both allow to share it`
    return undefined
  }

  add(claim: Claim): void {
    this.holders.push(claim)
    for (const port of claim.ports) this.#ports.add(port)
    if (claim.sharing === undefined) return
    const { namespace, sharing } = claim
    this.#namespaces.set([namespace, ...sharing.namespaces].join(' '), { namespace, sharing })
  }

  #holderOf(port: string): string {
    return this.holders.find(({ ports }) => ports.includes(port))?.key ?? ''
  }
}

const admits = ({ namespaces }: Sharing, own: string, other: string): boolean =>
  own === other || namespaces.includes('*') || namespaces.includes(other)
