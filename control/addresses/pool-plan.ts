import { formatIP, type IPFamily } from '../../kube/addresses/ip-number.ts'
import type { IPPool, PoolBlock } from '../../kube/addresses/ip-pool.ts'
import { type IPRange, rangeBetween, rangeOfCidr } from '../../kube/addresses/ip-range.ts'
import { createdAt } from '../compile/age.ts'
import { compareText } from '../compile/merge.ts'

/** Addresses of a pool that follow each other. */
export interface Block extends IPRange {
  /** As the pool has it: "192.0.2.0/24", "192.0.2.1 - 192.0.2.9", "192.0.2.1". */
  readonly text: string
}

/** What a pool has, and whether it gives it. */
export interface PoolPlan {
  readonly pool: IPPool
  /** "LoadBalancerIPPool home". */
  readonly key: string
  readonly blocks: readonly Block[]
  readonly total: bigint
  /** What its addresses overlap, as a clause; its addresses are not given then, while those that have one keep it. */
  readonly conflict: string | undefined
  /** Neither disabled nor in conflict. */
  readonly isOpen: boolean
}

/** The pools of a place, and where each address is. */
export class PoolPlans {
  /** In the order in which they give addresses: by priority, the older first, then by name. */
  readonly list: readonly PoolPlan[]
  /** Blocks that overlap no others, in order. */
  readonly #blocks: Readonly<Record<IPFamily, Placed[]>> = { IPv4: [], IPv6: [] }
  readonly #conflicting: readonly PoolPlan[]

  constructor(pools: readonly IPPool[]) {
    const plans = pools.toSorted(oldestPool).map((pool) => this.#plan(pool))
    this.list = plans.toSorted((a, b) => priorityOf(b.pool) - priorityOf(a.pool))
    this.#conflicting = this.list.filter(({ conflict }) => conflict !== undefined)
  }

  /** The pools that have an address: of those without conflict at most one. */
  at(family: IPFamily, value: bigint): readonly PoolPlan[] {
    const blocks = this.#blocks[family]
    const placed = blocks[upTo(blocks, value) - 1]
    const found = placed !== undefined && value <= placed.block.last ? [placed.plan] : []
    for (const plan of this.#conflicting)
      if (plan.blocks.some((block) => block.family === family && block.first <= value && value <= block.last))
        found.push(plan)
    return found
  }

  /** Of two pools that overlap, the younger is in conflict. */
  #plan(pool: IPPool): PoolPlan {
    const blocks = pool.spec.blocks.flatMap((block) => blockOf(block, pool.spec.allowFirstLastIPs === 'Yes') ?? [])
    const conflict = this.#overlap(blocks)
    const total = blocks.reduce((sum, { first, last }) => sum + last - first + 1n, 0n)
    const isOpen = conflict === undefined && !pool.spec.disabled
    const plan = { pool, key: keyOfPool(pool), blocks, total, conflict, isOpen }
    if (conflict === undefined)
      for (const block of blocks) {
        const among = this.#blocks[block.family]
        among.splice(upTo(among, block.first), 0, { block, plan })
      }
    return plan
  }

  #overlap(blocks: readonly Block[]): string | undefined {
    const own = blocks.toSorted((a, b) => compareText(a.family, b.family) || (a.first < b.first ? -1 : 1))
    for (const [index, block] of own.entries()) {
      const among = this.#blocks[block.family]
      const other = among[upTo(among, block.last) - 1]
      if (other !== undefined && other.block.last >= block.first)
        return `${block.text} overlaps ${other.block.text} of ${other.plan.key}`
      const before = own[index - 1]
      if (before?.family === block.family && before.last >= block.first)
        return `${block.text} overlaps ${before.text} of the same pool`
    }
    return undefined
  }
}

interface Placed {
  readonly block: Block
  readonly plan: PoolPlan
}

/** How many blocks begin at or before an address. */
function upTo(blocks: readonly Placed[], value: bigint): number {
  let low = 0
  let high = blocks.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const placed = blocks[middle]
    if (placed !== undefined && placed.block.first <= value) low = middle + 1
    else high = middle
  }
  return low
}

const keyOfPool = ({ kind, metadata }: IPPool): string => `${kind} ${metadata.name}`

const priorityOf = (pool: IPPool): number => (pool.kind === 'LoadBalancerIPPool' ? pool.spec.priority : 0)

const oldestPool = (a: IPPool, b: IPPool): number => {
  const [created, other] = [createdAt(a), createdAt(b)]
  if (created !== other) return created < other ? -1 : 1
  return compareText(a.metadata.name, b.metadata.name) || compareText(a.kind, b.kind)
}

/** undefined where a network has nothing between its first and its last address. */
function blockOf({ cidr, start, stop }: PoolBlock, isWhole: boolean): Block | undefined {
  if (cidr !== undefined) {
    const range = rangeOfCidr(cidr)
    if (range === undefined) return undefined
    // A network of one or two addresses has none to spare. RFC 3021, RFC 6164.
    const isSmall = range.last - range.first < 2n
    return isWhole || isSmall
      ? { ...range, text: cidr }
      : { ...range, first: range.first + 1n, last: range.last - 1n, text: cidr }
  }
  const range = start === undefined ? undefined : rangeBetween(start, stop)
  if (range === undefined) return undefined
  const [first, last] = [range.first, range.last].map((value) => formatIP({ family: range.family, value }))
  return { ...range, text: first === last ? `${first}` : `${first} - ${last}` }
}
