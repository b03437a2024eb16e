import type { IPFamily } from '../../kube/addresses/ip-number.ts'
import { type Claim, oldestClaim } from './claim.ts'
import type { Block } from './pool-plan.ts'

/** Some blocks of a pool, and the number of the first address of each. */
interface Numbered {
  readonly first: bigint
  readonly start: number
  readonly size: number
}

/**
 * The addresses of one family of a pool as slots, numbered from 0 in their order, and which of them are taken. What is taken
 * stays so. Memory grows by what is taken, whatever the size: addresses beyond 2^53 have no slot, and are never looked for.
 */
export class Slots {
  readonly size: number
  readonly #blocks: readonly Numbered[]
  /** From a slot that is taken to one further on, before which all are taken: a forest, whose paths are shortened as they
   *  are walked, so that a search takes amortised logarithmic time. */
  readonly #next = new Map<number, number>()
  /** Who took a slot because it was free, and had no other right to it. */
  readonly #choosers = new Map<number, Claim>()

  /** Of blocks that do not overlap. */
  constructor(family: IPFamily, blocks: readonly Block[]) {
    const numbered: Numbered[] = []
    let start = 0
    for (const { first, last } of blocks.filter((block) => block.family === family).sort(byFirst)) {
      const room = BigInt(Number.MAX_SAFE_INTEGER - start)
      const count = last - first + 1n
      const size = Number(count < room ? count : room)
      numbered.push({ first, start, size })
      start += size
    }
    this.#blocks = numbered
    this.size = start
  }

  get isFull(): boolean {
    return this.#next.size === this.size
  }

  /** Takes an address, for a `chooser` where that one only wanted something free; nothing happens to one that is taken or has no slot. */
  take(address: bigint, chooser?: Claim): void {
    const block = this.#lastBlock(({ first }) => first <= address)
    if (block === undefined || address - block.first >= BigInt(block.size)) return
    const slot = block.start + Number(address - block.first)
    if (this.#next.has(slot)) return
    this.#next.set(slot, slot + 1)
    if (chooser !== undefined) this.#choosers.set(slot, chooser)
  }

  /** Whether somebody has chosen after this claim a slot that its search from one to another comes by; without an end it
   *  comes by all. */
  isBefore(claim: Claim, from: number, to: number | undefined): boolean {
    const isLater = (chooser: Claim | undefined): boolean => chooser !== undefined && oldestClaim(claim, chooser) < 0
    if (this.#choosers.size === 0) return false
    if (to === undefined) return [...this.#choosers.values()].some(isLater)
    for (let slot = from; slot !== to; slot = slot + 1 < this.size ? slot + 1 : 0)
      if (isLater(this.#choosers.get(slot))) return true
    return false
  }

  /** The nearest free slot from this one on, and behind the last from the first on. */
  freeFrom(slot: number): number | undefined {
    if (this.isFull) return undefined
    const found = this.#root(slot)
    return found < this.size ? found : this.#root(0)
  }

  addressAt(slot: number): bigint {
    const block = this.#lastBlock(({ start }) => start <= slot)
    if (block === undefined) throw new RangeError(`no slot ${slot}`)
    return block.first + BigInt(slot - block.start)
  }

  /** Of blocks in order, of which the first ones pass. */
  #lastBlock(passes: (block: Numbered) => boolean): Numbered | undefined {
    let low = 0
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const block = this.#blocks[middle]
      if (block !== undefined && passes(block)) low = middle + 1
      else high = middle
    }
    return this.#blocks[low - 1]
  }

  #root(slot: number): number {
    let root = slot
    for (let next = this.#next.get(root); next !== undefined; next = this.#next.get(root)) root = next
    for (let at = slot; at !== root; ) {
      const next = this.#next.get(at) ?? root
      this.#next.set(at, root)
      at = next
    }
    return root
  }
}

const byFirst = (a: Block, b: Block): number => (a.first < b.first ? -1 : 1)

/** Where the search of a claim begins: the same on every machine, and spread, so that claims that come and go hardly move
 *  others. FNV-1a. */
export function preferredSlot(key: string, size: number): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  // The low bits alone say little of the last letters.
  return ((hash ^ (hash >>> 15)) >>> 0) % size
}
