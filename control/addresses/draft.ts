import type { IPFamily } from '../../kube/addresses/ip-number.ts'
import type { Claim, Want } from './claim.ts'
import type { PoolPlan } from './pool-plan.ts'

/** How a holder came to its address. */
export type Origin = 'status' | 'record' | 'request' | 'chosen'

export interface Given {
  readonly address: string
  /** Its PoolPlan.key. */
  readonly pool: string
  readonly origin: Origin
}

/** Reasons of the condition cilium.io/IPAMRequestSatisfied that are bad news. */
export type Refusal = {
  readonly reason: 'no_pool' | 'out_of_ips' | 'already_allocated_incompatible_service'
  /** A clause. */
  readonly message: string
}

/** An address that was held, and is not any more. */
export interface Lost {
  readonly address: string
  /** A clause. */
  readonly why: string
}

/** A claim while it is heard. */
export class Draft {
  readonly claim: Claim
  /** That select it, in their order. */
  readonly pools: readonly PoolPlan[]
  /** Of each want. */
  readonly given: (Given | undefined)[]
  readonly refusals: (Refusal | undefined)[]
  readonly #lost = new Map<string, string>()

  constructor(claim: Claim, pools: readonly PoolPlan[]) {
    this.claim = claim
    this.pools = pools
    this.given = claim.wants.map(() => undefined)
    this.refusals = claim.wants.map(() => undefined)
  }

  has(address: string): boolean {
    return this.given.some((given) => given?.address === address)
  }

  /** Wants without an address that are still to be given one. */
  open(): readonly (readonly [number, Want])[] {
    return [...this.claim.wants.entries()].filter(
      ([index, { address }]) => address === undefined && this.given[index] === undefined,
    )
  }

  /** Which of what is still wanted the address is: the very one, or any of its family. */
  wantOf(address: string, family: IPFamily): number | undefined {
    const open = this.claim.wants.map((want, index) => ({ want, index })).filter(({ index }) => !this.given[index])
    const found =
      open.find(({ want }) => want.address === address) ??
      open.find(({ want }) => want.address === undefined && want.families.includes(family))
    return found?.index
  }

  lose(address: string, why: string): void {
    this.#lost.set(address, why)
  }

  get lost(): readonly Lost[] {
    return [...this.#lost].flatMap(([address, why]) => (this.has(address) ? [] : [{ address, why }]))
  }
}
