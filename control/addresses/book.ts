import { formatIP, type IPFamily, type IPNumber, parseIP } from '../../kube/addresses/ip-number.ts'
import { selects } from '../../kube/label-selector.ts'
import type { Claim } from './claim.ts'
import { Draft, type Origin, type Refusal } from './draft.ts'
import { Occupancy } from './occupancy.ts'
import type { PoolPlan, PoolPlans } from './pool-plan.ts'
import { preferredSlot, Slots } from './slots.ts'

/** A sharing key with more addresses than this gives one of its own to who comes next. */
const maxShared = 256

/** Who has which address, in pools that stay as they are. Nothing is ever taken back. */
export class Book {
  readonly #plans: PoolPlans
  readonly #slots = new Map<PoolPlan, Readonly<Record<IPFamily, Slots>>>()
  readonly #occupancies = new Map<string, Occupancy>()
  /** Addresses of each sharing key and family. */
  readonly #shared = new Map<string, string[]>()
  readonly #used = new Map<PoolPlan, number>()
  #claims = 0

  constructor(plans: PoolPlans) {
    this.#plans = plans
    for (const plan of plans.list)
      if (plan.isOpen)
        this.#slots.set(plan, { IPv4: new Slots('IPv4', plan.blocks), IPv6: new Slots('IPv6', plan.blocks) })
  }

  /** How many claims there have been. */
  get claims(): number {
    return this.#claims
  }

  /** How many addresses of a pool are held. */
  used(plan: PoolPlan): number {
    return this.#used.get(plan) ?? 0
  }

  draft(claim: Claim): Draft {
    this.#claims++
    const pools = this.#plans.list.filter(
      ({ pool: { metadata, spec } }) =>
        (claim.pool === undefined || claim.pool === metadata.name) &&
        (spec.serviceSelector === undefined || selects(spec.serviceSelector, claim.labels)),
    )
    return new Draft(claim, pools)
  }

  /** Lets a claim have an address that it held. */
  recall(draft: Draft, address: string, origin: 'status' | 'record'): void {
    const number = parseIP(address)
    if (number === undefined || draft.has(address)) return
    const { claim, pools } = draft
    const holding = this.#plans.at(number.family, number.value)
    const plan = holding.find((plan) => pools.includes(plan))
    const want = draft.wantOf(address, number.family)
    let why = this.#occupancies.get(address)?.whyNot(claim)
    if (want === undefined) why = 'it asks for another'
    if (plan === undefined)
      why = holding[0] === undefined ? 'no pool has it' : `${holding[0].key} has it, and does not select ${claim.key}`
    if (plan === undefined || want === undefined || why !== undefined) draft.lose(address, why ?? '')
    else this.#give(draft, want, { address, number, plan, origin })
  }

  /** Gives a claim the addresses that it asks for by name. */
  request(draft: Draft): void {
    for (const [index, { address }] of draft.claim.wants.entries()) {
      if (address === undefined || draft.given[index] !== undefined) continue
      const number = parseIP(address)
      if (number === undefined) continue
      const plan = this.#plans.at(number.family, number.value).find((plan) => draft.pools.includes(plan))
      const why = this.#occupancies.get(address)?.whyNot(draft.claim)
      if (plan === undefined || !plan.isOpen) {
        const message = plan === undefined ? 'is in no pool that selects it' : `is of ${plan.key}, which gives none`
        draft.refusals[index] = { reason: 'no_pool', message: `${address} ${message}` }
      } else if (why !== undefined)
        draft.refusals[index] = { reason: 'already_allocated_incompatible_service', message: `${address}: ${why}` }
      else this.#give(draft, index, { address, number, plan, origin: 'request' })
    }
  }

  /** Gives a claim the addresses that it leaves open. */
  choose(draft: Draft): void {
    for (const [index, { families }] of draft.open()) this.#choose(draft, index, families)
  }

  /**
   * Hears a claim that has come last, as if it had been heard in its turn. undefined, and the book is spoilt, where that
   * would change what others have. An address that is free still is one that nobody's search has come by: taking it changes
   * nothing for those who were heard later.
   */
  append(claim: Claim, recorded: readonly string[]): Draft | undefined {
    if (claim.sharing !== undefined) return undefined
    const draft = this.draft(claim)
    const named = [...claim.held, ...recorded, ...claim.wants.flatMap(({ address }) => address ?? [])]
    if (named.some((address) => this.#occupancies.has(address))) return undefined
    for (const address of claim.held) this.recall(draft, address, 'status')
    for (const address of recorded) this.recall(draft, address, 'record')
    this.request(draft)
    for (const [index, { families }] of draft.open()) {
      if (this.#isBefore(draft, families)) return undefined
      this.#choose(draft, index, families)
    }
    return draft
  }

  #choose(draft: Draft, want: number, families: readonly IPFamily[]): void {
    const found = first(families, (family) => this.#shareable(draft, family) ?? this.#free(draft, family))
    if (found === undefined) draft.refusals[want] = noneOf(families, draft)
    else this.#give(draft, want, { ...found, origin: 'chosen' })
  }

  /** Whether a claim, in its turn, would find something free that has been chosen by a later one. */
  #isBefore({ claim, pools }: Draft, families: readonly IPFamily[]): boolean {
    for (const family of families)
      for (const plan of pools) {
        const slots = this.#slots.get(plan)?.[family]
        if (slots === undefined || slots.size === 0) continue
        const preferred = preferredSlot(`${claim.key} ${family}`, slots.size)
        const free = slots.freeFrom(preferred)
        if (slots.isBefore(claim, preferred, free)) return true
        if (free !== undefined) return false
      }
    return false
  }

  /** An address that others with the same key have. */
  #shareable({ claim, pools }: Draft, family: IPFamily): Found | undefined {
    if (claim.sharing === undefined) return undefined
    for (const address of this.#shared.get(`${family} ${claim.sharing.key}`)?.slice(-maxShared) ?? []) {
      const number = parseIP(address)
      const plan = number && this.#plans.at(family, number.value).find((plan) => plan.isOpen && pools.includes(plan))
      if (number === undefined || plan === undefined) continue
      if (this.#occupancies.get(address)?.whyNot(claim) === undefined) return { address, number, plan }
    }
    return undefined
  }

  #free({ claim, pools }: Draft, family: IPFamily): Found | undefined {
    for (const plan of pools) {
      const slots = this.#slots.get(plan)?.[family]
      if (slots === undefined || slots.size === 0) continue
      const slot = slots.freeFrom(preferredSlot(`${claim.key} ${family}`, slots.size))
      if (slot === undefined) continue
      const number = { family, value: slots.addressAt(slot) }
      return { address: formatIP(number), number, plan }
    }
    return undefined
  }

  #give(
    { claim, given }: Draft,
    want: number,
    { address, number, plan, origin }: Found & { readonly origin: Origin },
  ): void {
    given[want] = { address, pool: plan.key, origin }
    let occupancy = this.#occupancies.get(address)
    if (occupancy === undefined) {
      occupancy = new Occupancy()
      this.#occupancies.set(address, occupancy)
      // An address of two pools is taken in both.
      for (const holding of this.#plans.at(number.family, number.value)) {
        this.#slots.get(holding)?.[number.family].take(number.value, origin === 'chosen' ? claim : undefined)
        this.#used.set(holding, this.used(holding) + 1)
      }
      if (claim.sharing !== undefined) this.#share(`${number.family} ${claim.sharing.key}`, address)
    }
    occupancy.add(claim)
  }

  #share(key: string, address: string): void {
    const addresses = this.#shared.get(key)
    if (addresses === undefined) this.#shared.set(key, [address])
    else addresses.push(address)
  }
}

interface Found {
  readonly address: string
  readonly number: IPNumber
  readonly plan: PoolPlan
}

function first<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}

function noneOf(families: readonly IPFamily[], { claim, pools }: Draft): Refusal {
  const which = families.join(' or ')
  const open = pools.filter(
    ({ isOpen, blocks }) => isOpen && blocks.some(({ family }) => families.some((wanted) => wanted === family)),
  )
  if (open.length > 0) {
    const names = open.map(({ pool }) => pool.metadata.name).join(', ')
    return { reason: 'out_of_ips', message: `no address of ${which} is free in ${names}` }
  }
  const named = claim.pool === undefined ? 'no pool' : `no pool named ${claim.pool}`
  return { reason: 'no_pool', message: `${named} that gives addresses of ${which} selects it` }
}
