import type { FamilyName } from '../address.ts'
import type { Prefixes } from './update-decode.ts'

/** Prefixes of a family that are told apart; a full table has a million. */
const MOST = 2 ** 21
const FEWEST = 2 ** 10

/**
 * Counts the routes of a peer without keeping them: a set of 32-bit hashes for each family, so that of a million prefixes
 * some hundred may be taken for others. It takes 16 MB a family at most; beyond that, new prefixes are not counted.
 */
export class RouteTally {
  readonly #sets: Readonly<Record<FamilyName, HashSet>> = { ipv4: new HashSet(), ipv6: new HashSet() }

  count(family: FamilyName): number {
    return this.#sets[family].size
  }

  add({ family, prefixes }: Prefixes): void {
    for (const prefix of prefixes) this.#sets[family].add(hashOf(prefix))
  }

  remove({ family, prefixes }: Prefixes): void {
    for (const prefix of prefixes) this.#sets[family].remove(hashOf(prefix))
  }
}

/** FNV-1a; never 0. */
function hashOf(octets: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const octet of octets) hash = Math.imul(hash ^ octet, 0x01000193)
  return hash >>> 0 || 1
}

/** Numbers of 32 bits but 0, in a table that is probed in steps of one. */
class HashSet {
  #slots = new Uint32Array(FEWEST)
  size = 0

  add(hash: number): void {
    const at = this.#find(hash)
    if (this.#slots[at] === hash) return
    if (this.size * 2 >= this.#slots.length) {
      if (this.#slots.length >= MOST * 2) return
      this.#grow()
      this.add(hash)
      return
    }
    this.#slots[at] = hash
    this.size++
  }

  /** Closes the gap, so that no probe ends at it too early. */
  remove(hash: number): void {
    let gap = this.#find(hash)
    if (this.#slots[gap] !== hash) return
    this.size--
    const mask = this.#slots.length - 1
    for (let at = (gap + 1) & mask; this.#slots[at] !== 0; at = (at + 1) & mask) {
      const home = (this.#slots[at] ?? 0) & mask
      const isBehindGap = ((at - home) & mask) >= ((at - gap) & mask)
      if (!isBehindGap) continue
      this.#slots[gap] = this.#slots[at] ?? 0
      gap = at
    }
    this.#slots[gap] = 0
  }

  /** Its slot, or the free one where it would go. */
  #find(hash: number): number {
    const mask = this.#slots.length - 1
    let at = hash & mask
    while (this.#slots[at] !== 0 && this.#slots[at] !== hash) at = (at + 1) & mask
    return at
  }

  #grow(): void {
    const before = this.#slots
    this.#slots = new Uint32Array(before.length * 2)
    for (const hash of before) if (hash !== 0) this.#slots[this.#find(hash)] = hash
  }
}
