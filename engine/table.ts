import {
  type Backend,
  type Filter,
  type Host,
  PathMatch_Kind,
  Root,
  Shard,
  type ShardRef,
} from '../proto/gen/route_table.ts'
import { HostRoutes } from './host-routes.ts'
import { Patterns } from './patterns.ts'
import { Router } from './router.ts'
import { type LoadedShard, ShardSlot } from './shard-slot.ts'
import { leafOfHash, shardHash } from './shards.ts'

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
export function readRoot(bytes: Uint8Array, previous?: Router, limit: number = DEFAULT_LIMIT): Router {
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
  readonly #limit: number
  readonly #slots = new Map<string, ShardSlot>()
  readonly #hostLeaves: readonly Leaf[]
  readonly #backendLeaves: readonly Leaf[]
  #size = 0
  /** Counts decisions. */
  #clock = 0

  constructor(root: Root, limit: number, previous: Table | undefined) {
    this.root = root
    this.patterns = previous?.patterns ?? new Patterns()
    this.#limit = limit
    this.#hostLeaves = this.#leaves(root.hostShards)
    this.#backendLeaves = this.#leaves(root.backendShards)
    if (previous !== undefined) this.#takeOver(previous)
  }

  /** Throws TableError. A shard that the table has not, or has already, is let be. */
  addShard(name: string, bytes: Uint8Array): void {
    const slot = this.#slots.get(name)
    if (slot === undefined || slot.shard !== undefined) return
    this.#fill(slot, loadedShard(bytes))
    this.#evict()
  }

  /** What is used from here on is not evicted until the next decision begins. */
  beginDecision(): void {
    this.#clock++
  }

  /** A slot when its shard has to be loaded first, undefined when the table has no such Host. */
  host(listener: string, hostname: string): HostRoutes | ShardSlot | undefined {
    const slot = this.#use(this.#hostLeaves, shardHash(hostname))
    if (slot?.shard === undefined) return slot
    return slot.shard.hosts.get(hostname)?.find((routes) => routes.host.listener === listener)
  }

  /** As host. `hash` is shardHash(key). */
  backend(key: string, hash: number): Backend | ShardSlot | undefined {
    const slot = this.#use(this.#backendLeaves, hash)
    return slot?.shard === undefined ? slot : slot.shard.backends.get(key)
  }

  /** Names of shards, not loaded here, for keys whose shards are loaded in `before`. */
  replacements(before: Table): readonly string[] {
    const names = [
      ...missingFor(this.#hostLeaves, before.#hostLeaves),
      ...missingFor(this.#backendLeaves, before.#backendLeaves),
    ]
    return [...new Set(names)]
  }

  #leaves(refs: readonly ShardRef[]): readonly Leaf[] {
    let end = 0
    return refs.map(({ bits, prefix, hash }) => {
      const leaf = { bits, prefix, slot: this.#slot(hex(hash)) }
      if (bits > 32 || hash.length !== 16 || firstHash(leaf) < end) throw new TableError('the shards are out of order')
      end = endHash(leaf)
      return leaf
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
  }

  #use(leaves: readonly Leaf[], hash: number): ShardSlot | undefined {
    const slot = leaves[leafOfHash(leaves, hash)]?.slot
    if (slot !== undefined) slot.usedAt = this.#clock
    return slot
  }

  /** Drops what was used longest ago, but nothing that the decision at hand uses: it would ask for it again. */
  #evict(): void {
    if (this.#size <= this.#limit) return
    const idle = [...this.#slots.values()].filter((slot) => slot.usedAt < this.#clock)
    for (const slot of idle.sort((a, b) => a.usedAt - b.usedAt)) {
      if (this.#size <= this.#limit) return
      this.#size -= slot.shard?.size ?? 0
      slot.shard = undefined
    }
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

function loadedShard(bytes: Uint8Array): LoadedShard {
  const shard = decoded('shard', () => Shard.decode(bytes))
  const hosts = new Map<string, HostRoutes[]>()
  for (const host of shard.hosts) {
    checkHost(host)
    const routes = new HostRoutes(host)
    const others = hosts.get(host.hostname)
    if (others === undefined) hosts.set(host.hostname, [routes])
    else others.push(routes)
  }
  return { size: bytes.length, hosts, backends: new Map(shard.backends.map((backend) => [backend.key, backend])) }
}

/** What the generated decoder lets through. To serve a request without a filter that is not known would be worse than to
 *  keep the last good table. */
function checkHost({ hostname, matches, rules }: Host): void {
  for (const { rule, path } of matches) {
    if (rule >= rules.length) throw new TableError(`a match of Host "${hostname}" has no rule`)
    if (path !== undefined && !pathKinds.has(path.kind))
      throw new TableError(`Host "${hostname}" has an unknown path kind`)
  }
  for (const rule of rules) {
    if (!known(rule.filters) || !rule.backends.every((ref) => known(ref.filters))) {
      throw new TableError(`${rule.route} has an unknown filter`)
    }
  }
}

const pathKinds: ReadonlySet<number> = new Set(Object.values(PathMatch_Kind))

const known = (filters: readonly Filter[]): boolean => filters.every((filter) => filter.kind !== undefined)

function decoded<T>(what: string, decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    throw new TableError(`the ${what} cannot be decoded: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
