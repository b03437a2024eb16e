import { rootKey } from '../../engine/store-keys.ts'
import { Root } from '../../proto/gen/route_table.ts'
import type { GatewayTable } from '../table.ts'
import { backendItem, contentHash, hostItem, type Leaf, leavesOf } from './shard-tree.ts'
import { MAX_KEY_BYTES, MAX_VALUE_BYTES } from './store.ts'

/** The form that is written; readers refuse a higher one than they know. */
export const SCHEMA = 1

/** A table as the store keeps it. Equal tables give equal bytes. */
export interface EncodedTable {
  readonly gateway: string
  /** "gateway/<namespace>/<name>". */
  readonly key: string
  readonly root: Root
  readonly rootBytes: Uint8Array
  /** By name, "shard/<hash>". */
  readonly shards: ReadonlyMap<string, Uint8Array>
}

/** An entry of the table that no store takes. */
export interface TooLarge {
  readonly gateway: string
  /** The hostname or backend whose entry it is; undefined when it is the root. */
  readonly entry: string | undefined
  readonly bytes: number
  /** A sentence: what is too large, by how much, and what would fit. */
  readonly message: string
}

export type Encoded =
  | { readonly ok: true; readonly table: EncodedTable }
  | { readonly ok: false; readonly problems: readonly TooLarge[] }

/**
 * Encodes a table in time that grows, after the first time, with what has changed: Hosts and Backends are remembered as
 * long as their objects live.
 */
export function encodeTable(table: GatewayTable): Encoded {
  const hosts = leavesOf(table.hosts.map(hostItem))
  const backends = leavesOf(table.backends.map(backendItem))
  const root = versioned({
    schema: SCHEMA,
    gateway: table.gateway,
    version: '',
    listeners: table.listeners.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    hostShards: hosts.map((leaf) => leaf.ref),
    backendShards: backends.map((leaf) => leaf.ref),
    settings: table.settings,
    addresses: table.addresses.toSorted(),
    controller: table.controller,
    retired: [],
    goneSince: 0,
  })
  const rootBytes = Root.encode(root).finish()
  const key = rootKey(table.gateway)
  const problems = [
    ...hosts.flatMap((leaf) => tooLarge(table, leaf, 'hostname')),
    ...backends.flatMap((leaf) => tooLarge(table, leaf, 'backend')),
    ...rootTooLarge(table, key, rootBytes),
  ]
  if (problems.length > 0) return { ok: false, problems }
  const shards = new Map([...hosts, ...backends].map((leaf) => [leaf.name, leaf.bytes]))
  return { ok: true, table: { gateway: table.gateway, key, root, rootBytes, shards } }
}

/** The root with the version that its other fields give. */
export function versioned(root: Root): Root {
  const bytes = Root.encode({ ...root, version: '', retired: [], goneSince: 0 }).finish()
  return { ...root, version: Buffer.from(contentHash(bytes)).toString('hex') }
}

const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

function tooLarge({ gateway, hosts }: GatewayTable, leaf: Leaf, kind: 'hostname' | 'backend'): TooLarge[] {
  const bytes = leaf.bytes.length
  const entry = leaf.items[0]?.key ?? ''
  if (bytes <= MAX_VALUE_BYTES) return []
  const subject = kind === 'backend' ? `backend ${entry}` : entry === '' ? 'every hostname' : `hostname ${entry}`
  const found = `Gateway ${gateway}: the table for ${subject} takes ${mebibytes(bytes)}, and one entry holds 25 MiB`
  if (kind === 'backend') return [{ gateway, entry, bytes, message: `${found}; give the Service fewer endpoints` }]
  const matches = hosts.reduce((sum, host) => sum + (host.hostname === entry ? host.matches.length : 0), 0)
  const fitting = Math.floor((matches * MAX_VALUE_BYTES) / bytes)
  const advice = `of its ${matches} matches about ${fitting} would fit, so spread them over more hostnames`
  return [{ gateway, entry, bytes, message: `${found}; ${advice}` }]
}

function rootTooLarge({ gateway, listeners }: GatewayTable, key: string, rootBytes: Uint8Array): TooLarge[] {
  const bytes = rootBytes.length
  const name = Buffer.byteLength(key)
  if (name > MAX_KEY_BYTES) {
    const message = `Gateway ${gateway}: its key in the store has ${name} bytes, and ${MAX_KEY_BYTES} fit; shorten its name`
    return [{ gateway, entry: undefined, bytes: name, message }]
  }
  if (bytes <= MAX_VALUE_BYTES) return []
  const message = `Gateway ${gateway}: its ${listeners.length} listeners take ${mebibytes(bytes)}, and one entry holds 25 MiB; spread them over more Gateways`
  return [{ gateway, entry: undefined, bytes, message }]
}
