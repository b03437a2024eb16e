import type { ShardRef } from '../proto/gen/route_table.ts'
import { hex } from './hex.ts'

/** Hash of a hostname or a backend key, unsigned 32 bits: FNV-1a over UTF-16 units, finished as murmur3 does, so that the
 *  leading bits that choose a shard are even. */
export function shardHash(key: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193)
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** The first `bits` bits of `hash`, as a number. */
export const leadingBits = (hash: number, bits: number): number => (bits === 0 ? 0 : hash >>> (32 - bits))

/** Index of the leaf that answers for `key` among leaves in ascending order of prefix; -1 for an empty tree. */
export function leafOf(leaves: readonly Leaf[], key: string): number {
  const hash = shardHash(key)
  let low = 0
  let high = leaves.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const leaf = leaves[middle]
    if (leaf === undefined) return -1
    const bits = leadingBits(hash, leaf.bits)
    if (bits === leaf.prefix) return middle
    if (bits < leaf.prefix) high = middle - 1
    else low = middle + 1
  }
  return -1
}

type Leaf = Pick<ShardRef, 'bits' | 'prefix'>

/** ShardRef.hash as names of shards have it. */
export const shardName = (hash: Uint8Array): string => hex(hash)
