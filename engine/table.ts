import { type Backend, Root, type ShardRef } from '../proto/gen/route_table.ts'
import type { BackendLink } from './backend-link.ts'
import { SharedFilters } from './filters.ts'
import type { HostRoutes } from './host-routes.ts'
import { Patterns } from './patterns.ts'
import { Router } from './router.ts'
import { type LoadedShard, readShard } from './shard.ts'
import { ShardSlot } from './shard-slot.ts'
import { shardHash, shardName } from './shards.ts'

/** The newest Root.schema that this code reads. */
const SCHEMA = 1

/** How much of a table stays loaded, in bytes of encoded shards, unless the caller says otherwise. */
const DEFAULT_LIMIT = 64 * 1024 * 1024

/** Bytes that are no table, or one of a newer form. Whoever reads them keeps the last good table. */
export class TableError extends Error {
  override readonly name = 'TableError'
}

/**
 * A router for an encoded Root. It starts with the shards that `previous` has loaded and this table has too, so that after
 * a small change little is loaded. Throws TableError.
 */
export function readRoot(
  bytes: Uint8Array,
  previous?: Router,
  limit: number = previous?.table.limit ?? DEFAULT_LIMIT,
): Router {
  const root = decoded('root', () => Root.decode(bytes))
  if (root.schema === 0) throw new TableError('the root has no schema number')
  if (root.schema > SCHEMA) throw new TableError(`the root has schema ${root.schema}, newer than ${SCHEMA}`)
  return new Router(new Table(root, limit, previous?.table))
}

interface Leaf extends Pick<ShardRef, 'bits' | 'prefix'> {
  readonly slot: ShardSlot
}

/** The loaded part of a table: the shards last used, up to a limit. */
export class Table {
  readonly root: Root
  readonly patterns: Patterns
  readonly filters: SharedFilters
  readonly limit: number
  readonly #slots = new Map<string, ShardSlot>()
  readonly #hostLeaves: Leaves
  readonly #backendLeaves: Leaves
  #size = 0
  /** Counts decisions. */
  #clock = 0
  /** Another object whenever shards come and go. */
  #epoch = {}

  constructor(root: Root, limit: number, previous: Table | undefined) {
    this.root = root
    this.patterns = previous?.patterns ?? new Patterns()
    this.filters = previous?.filters ?? new SharedFilters()
    this.limit = limit
    this.#hostLeaves = new Leaves(this.#slotted(root.hostShards))
    this.#backendLeaves = new Leaves(this.#slotted(root.backendShards))
    if (previous !== undefined) this.#takeOver(previous)
  }

  /** Throws TableError. A shard that the table has not, or has already, is let be. */
  addShard(name: string, bytes: Uint8Array): void {
    const slot = this.#slots.get(name)
    if (slot === undefined || slot.shard !== undefined) return
    this.#fill(
      slot,
      decoded('shard', () => readShard(bytes, this.filters)),
    )
    this.#evict()
  }

  hasShard(name: string): boolean {
    return this.#slots.get(name)?.shard !== undefined
  }

  /** What is used from here on is not evicted until the next decision begins. */
  beginDecision(): void {
    this.#clock++
  }

  /** A slot when its shard has to be loaded first, undefined when the table has no such Host. */
  host(listener: string, hostname: string): HostRoutes | ShardSlot | undefined {
    const slot = this.#use(this.#hostLeaves, shardHash(hostname))
    if (slot?.shard === undefined) return slot
    let routes = slot.shard.hosts.get(hostname)
    while (routes !== undefined && routes.listener !== listener) routes = routes.next
    return routes
  }

  /** As host. */
  backend(link: BackendLink): Backend | ShardSlot | undefined {
    if (link.epoch !== this.#epoch) {
      link.epoch = this.#epoch
      link.slot = this.#use(this.#backendLeaves, link.hash)
      link.found = link.slot?.shard === undefined ? link.slot : link.slot.shard.backends.get(link.backend)
    }
    if (link.slot !== undefined) link.slot.usedAt = this.#clock
    return link.found
  }

  /** Names of shards, not loaded here, for keys whose shards are loaded in `before`. */
  replacements(before: Table): readonly string[] {
    const names = [
      ...missingFor(this.#hostLeaves.leaves, before.#hostLeaves.leaves),
      ...missingFor(this.#backendLeaves.leaves, before.#backendLeaves.leaves),
    ]
    return [...new Set(names)]
  }

  #slotted(refs: readonly ShardRef[]): readonly Leaf[] {
    return refs.map(({ bits, prefix, hash }) => {
      if (bits > 32 || hash.length !== 16) throw new TableError('a shard has no name or no place')
      return { bits, prefix, slot: this.#slot(shardName(hash)) }
    })
  }

  #slot(name: string): ShardSlot {
    const slot = this.#slots.get(name) ?? new ShardSlot(name)
    this.#slots.set(name, slot)
    return slot
  }

  #takeOver(previous: Table): void {
    this.#clock = previous.#clock
    for (const [name, slot] of this.#slots) {
      const before = previous.#slots.get(name)
      if (before?.shard === undefined) continue
      this.#fill(slot, before.shard)
      slot.usedAt = before.usedAt
    }
    this.#evict()
  }

  #fill(slot: ShardSlot, shard: LoadedShard): void {
    slot.shard = shard
    slot.usedAt = this.#clock
    this.#size += shard.size
    this.#epoch = {}
  }

  #use(leaves: Leaves, hash: number): ShardSlot | undefined {
    const slot = leaves.of(hash)?.slot
    if (slot !== undefined) slot.usedAt = this.#clock
    return slot
  }

  /** Follows every #fill. Drops what was used longest ago, but nothing that the decision at hand uses: it would ask for it
   *  again. */
  #evict(): void {
    if (this.#size <= this.limit) return
    const idle = [...this.#slots.values()].filter((slot) => slot.usedAt < this.#clock)
    for (const slot of idle.sort((a, b) => a.usedAt - b.usedAt)) {
      if (this.#size <= this.limit) return
      this.#size -= slot.shard?.size ?? 0
      slot.shard = undefined
    }
  }
}

/** Leaves in ascending order. */
class Leaves {
  readonly leaves: readonly Leaf[]
  /** firstHash of each: so close together, a search touches little memory. */
  readonly #starts: Uint32Array

  constructor(leaves: readonly Leaf[]) {
    leaves.forEach((leaf, index) => {
      const before = leaves[index - 1]
      if (endHash(leaf) > 2 ** 32 || (before !== undefined && firstHash(leaf) < endHash(before)))
        throw new TableError('the shards are out of order')
    })
    this.leaves = leaves
    this.#starts = Uint32Array.from(leaves, firstHash)
  }

  /** The leaf that answers for a hash. */
  of(hash: number): Leaf | undefined {
    let low = 0
    let high = this.#starts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#starts[middle] ?? 0) <= hash) low = middle + 1
      else high = middle
    }
    const leaf = this.leaves[low - 1]
    return leaf !== undefined && hash < endHash(leaf) ? leaf : undefined
  }
}

/** The hashes that a leaf answers for: from firstHash up to, not including, endHash. */
const firstHash = ({ bits, prefix }: Leaf): number => prefix * 2 ** (32 - bits)
const endHash = (leaf: Leaf): number => firstHash(leaf) + 2 ** (32 - leaf.bits)

function missingFor(leaves: readonly Leaf[], before: readonly Leaf[]): string[] {
  const loaded = before.filter((leaf) => leaf.slot.shard !== undefined)
  return leaves
    .filter((leaf) => leaf.slot.shard === undefined)
    .filter((leaf) => loaded.some((other) => firstHash(other) < endHash(leaf) && firstHash(leaf) < endHash(other)))
    .map((leaf) => leaf.slot.name)
}

function decoded<T>(what: string, decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    throw new TableError(`the ${what} cannot be decoded: ${error instanceof Error ? error.message : String(error)}`)
  }
}
