import { hash } from 'node:crypto'
import { BinaryWriter } from '@bufbuild/protobuf/wire'
import { leadingBits, shardHash } from '../../engine/shards.ts'
import { shardKey } from '../../engine/store-keys.ts'
import { Backend, Host, type ShardRef } from '../../proto/gen/route_table.ts'

/** A leaf of more bytes is split where it can be. Small, so that a change writes little and a request loads little. */
const LEAF_BYTES = 48 * 1024

/** Shard.hosts and Shard.backends on the wire: field 1 and 2, length-delimited. */
const HOSTS_TAG = (1 << 3) | 2
const BACKENDS_TAG = (2 << 3) | 2

/** A Host or Backend as it stands in a Shard. */
export interface ShardItem {
  /** A Host's hostname or a Backend's key, whose hash chooses the leaf. */
  readonly key: string
  readonly hash: number
  /** Tells items of one key apart: a Host's listener. */
  readonly second: string
  /** Tag, length and message. */
  readonly bytes: Uint8Array
}

export interface Leaf {
  readonly ref: ShardRef
  /** "shard/<hash>". */
  readonly name: string
  readonly bytes: Uint8Array
  readonly items: readonly ShardItem[]
}

const hostItems = new WeakMap<Host, ShardItem>()
const backendItems = new WeakMap<Backend, ShardItem>()

/** Encodes a Host once: the same object gives the same item. */
export function hostItem(host: Host): ShardItem {
  const known = hostItems.get(host)
  if (known !== undefined) return known
  const item = shardItem(host.hostname, host.listener, Host.encode(host, field(HOSTS_TAG)).join().finish())
  hostItems.set(host, item)
  return item
}

/** As hostItem. */
export function backendItem(backend: Backend): ShardItem {
  const known = backendItems.get(backend)
  if (known !== undefined) return known
  const item = shardItem(backend.key, '', Backend.encode(backend, field(BACKENDS_TAG)).join().finish())
  backendItems.set(backend, item)
  return item
}

/** A writer in which a field of Shard is begun; `join` ends it. */
const field = (tag: number): BinaryWriter => new BinaryWriter().uint32(tag).fork()

const shardItem = (key: string, second: string, bytes: Uint8Array): ShardItem => ({
  key,
  second,
  hash: shardHash(key),
  bytes,
})

/** The leaves of the tree over these items (see ShardRef), in order. What they are depends on the items alone, not on
 *  their order or on a tree before. */
export function leavesOf(items: readonly ShardItem[]): readonly Leaf[] {
  return new ShardTree(sorted(items)).leaves
}

/** Room for an item's index beside its hash in the 53 bits that a number keeps exactly. */
const MAX_ITEMS = 2 ** 21

/** By hash, then by key: sorted as numbers, which is ten times faster than with a comparison function. */
function sorted(items: readonly ShardItem[]): readonly ShardItem[] {
  if (items.length > MAX_ITEMS) throw new RangeError(`${items.length} items are more than the ${MAX_ITEMS} of a table`)
  const order = new Float64Array(items.length)
  for (const [index, item] of items.entries()) order[index] = item.hash * MAX_ITEMS + index
  order.sort()
  const result: ShardItem[] = []
  for (const position of order) {
    const item = items[position - Math.floor(position / MAX_ITEMS) * MAX_ITEMS]
    if (item === undefined) continue
    // Equal hashes are few: hosts of one name on several listeners, and chance.
    let place = result.length
    for (let other = result[place - 1]; other !== undefined && after(other, item); other = result[place - 1]) place--
    if (place === result.length) result.push(item)
    else result.splice(place, 0, item)
  }
  return result
}

const after = (a: ShardItem, b: ShardItem): boolean =>
  a.hash === b.hash && (a.key > b.key || (a.key === b.key && a.second > b.second))

class ShardTree {
  readonly leaves: Leaf[] = []
  readonly #items: readonly ShardItem[]
  /** Bytes of all the items before each, and of all at the end. */
  readonly #offsets: Float64Array

  constructor(items: readonly ShardItem[]) {
    this.#items = items
    this.#offsets = new Float64Array(items.length + 1)
    for (let i = 0; i < items.length; i++) this.#offsets[i + 1] = this.#offset(i) + (items[i]?.bytes.length ?? 0)
    this.#split(0, items.length, 0)
  }

  /** Adds the leaves of the items from `start` to before `end`, which have their first `bits` bits in common. */
  #split(start: number, end: number, bits: number): void {
    const first = this.#items[start]
    const last = this.#items[end - 1]
    if (first === undefined || last === undefined || start === end) return
    const size = this.#offset(end) - this.#offset(start)
    if (size <= LEAF_BYTES || last.hash === first.hash) {
      this.leaves.push(leafOf(this.#items.slice(start, end), first, bits))
      return
    }
    const middle = this.#firstOne(start, end, bits)
    this.#split(start, middle, bits + 1)
    this.#split(middle, end, bits + 1)
  }

  /** The first of the items whose bit after the first `bits` is one; `end` when none is. */
  #firstOne(start: number, end: number, bits: number): number {
    let low = start
    let high = end
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((leadingBits(this.#items[middle]?.hash ?? 0, bits + 1) & 1) === 1) high = middle
      else low = middle + 1
    }
    return low
  }

  #offset(index: number): number {
    return this.#offsets[index] ?? 0
  }
}

/** The last leaf that began with an item: mostly it is the same again, and need not be joined and hashed anew. */
const leavesByFirst = new WeakMap<ShardItem, Leaf>()

function leafOf(items: readonly ShardItem[], first: ShardItem, bits: number): Leaf {
  const known = leavesByFirst.get(first)
  const same = known?.items.length === items.length && known.items.every((item, i) => item === items[i])
  if (known !== undefined && same && known.ref.bits === bits) return known
  const bytes = join(items)
  const digest = contentHash(bytes)
  const leaf = {
    ref: { bits, prefix: leadingBits(first.hash, bits), hash: digest },
    name: shardName(digest),
    bytes,
    items,
  }
  leavesByFirst.set(first, leaf)
  return leaf
}

function join(items: readonly ShardItem[]): Uint8Array {
  const joined = new Uint8Array(items.reduce((sum, item) => sum + item.bytes.length, 0))
  let at = 0
  for (const item of items) {
    joined.set(item.bytes, at)
    at += item.bytes.length
  }
  return joined
}

/** First 16 bytes of the SHA-256. */
export const contentHash = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(hash('sha256', bytes, 'buffer').subarray(0, 16))

export const shardName = (digest: Uint8Array): string => shardKey(Buffer.from(digest).toString('hex'))
