import type { Signed } from '../../engine/signed-root.ts'
import { shardPrefix } from '../../engine/store-keys.ts'
import { Root } from '../../proto/gen/route_table.ts'
import { collect, type Due, due } from './collect.ts'
import type { EncodedTable } from './encode.ts'
import { type Plan, plan } from './plan.ts'
import { retiredSince } from './retired.ts'
import { ownSignatures, signRoots, toRenew } from './sign.ts'
import type { Signer } from './sign-key.ts'
import type { Store } from './store.ts'
import { type Roots, rootsOf, storedEntries, storedTables } from './stored.ts'

/** Milliseconds that a retired shard stays: readers may hold the root that named it, and a minute may pass before a Workers
 *  KV shows them the new one. */
export const GRACE = 600_000

/** About how many bytes are put at a time: the steps of the progress. */
const BATCH_BYTES = 4 * 1024 * 1024

export interface PublishOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds; GRACE unless given. */
  readonly grace?: number
  /** Say what would be done, and do nothing. */
  readonly dryRun?: boolean
  /** Who vouches for the roots; nobody unless given. Its key must be for this store alone: a root that it signs is good
   *  wherever the key is trusted. */
  readonly signer?: Signer | undefined
  /** Seconds for which a signature is good, at least MIN_VALIDITY; for ever unless given. */
  readonly validFor?: number | undefined
  /** Called as entries are written. */
  readonly onProgress?: (written: number, total: number) => void
}

export interface PublishReport {
  /** Keys in the order in which they were written: shards, then roots. */
  readonly written: readonly string[]
  readonly bytes: number
  /** Keys of shards, and of roots of Gateways that are gone, that were deleted. */
  readonly collected: readonly string[]
  /** Those that will be, once readers no longer need them. */
  readonly awaiting: Due
  /** What the roots of the tables are signed with, by key, written now or before; empty without a signer. */
  readonly signed: ReadonlyMap<string, Signed>
}

/**
 * Makes the store hold these tables and no others. A reader sees the old table of a Gateway or the new one whenever the
 * publisher is killed. Equal tables write nothing, unless their signatures have to be renewed; other than that, the
 * shards that are new are written and then the roots that changed.
 *
 * What a change leaves unused is noted in a root that is written anyway, and deleted by a publish after `grace`. A Gateway
 * that is gone gets an empty table first, so that it is served no more at once. Rejects with the StoreError that stopped
 * it; publishing again then does the rest.
 */
export async function publish(
  store: Store,
  tables: readonly EncodedTable[],
  options: PublishOptions,
): Promise<PublishReport> {
  const { now, grace = GRACE, dryRun = false, signer, validFor, onProgress = () => {} } = options
  const stored = await storedTables(store)
  const roots = rootsOf(stored)
  const shards = new Set(await store.list(shardPrefix))
  const own = signer === undefined ? new Map<string, Signed>() : await ownSignatures(stored, signer)
  const renewed = signer === undefined ? new Set<string>() : toRenew(stored.keys(), own, validFor, now())
  const planned = plan(tables, roots, shards, Math.floor(now() / 1000), renewed)
  const encoded = new Map([...planned.roots].map(([key, root]) => [key, Root.encode(root).finish()]))
  const signed = signer === undefined ? undefined : await signRoots(encoded, own, { signer, validFor, now: now() })
  const rootEntries = signed?.entries ?? encoded
  if (!dryRun) {
    await write(store, planned, rootEntries, onProgress)
    await putBackCollected(store, planned, roots)
  }

  const times = due(new Map([...roots, ...planned.roots]), new Set([...shards, ...planned.shards.keys()]), grace)
  const at = now()
  const dueNow = [...times].filter(([, time]) => time <= at).map(([key]) => key)
  const collected = dryRun || dueNow.length === 0 ? dueNow : await collect(store, dueNow)
  const entries = [...planned.shards, ...rootEntries]
  return {
    written: entries.map(([key]) => key),
    bytes: entries.reduce((sum, [, bytes]) => sum + bytes.length, 0),
    collected,
    awaiting: new Map([...times].filter(([, time]) => time > at)),
    signed: new Map(
      tables.flatMap(({ key }) => {
        const signature = signed?.signatures.get(key) ?? own.get(key)
        return signature === undefined ? [] : [[key, signature] as const]
      }),
    ),
  }
}

async function write(
  store: Store,
  { shards }: Plan,
  roots: ReadonlyMap<string, Uint8Array>,
  onProgress: (written: number, total: number) => void,
): Promise<void> {
  const total = shards.size + roots.size
  let written = 0
  for (const batch of batches(shards)) {
    await store.put(batch)
    written += batch.size
    onProgress(written, total)
  }
  if (roots.size === 0) return
  await store.put(roots)
  onProgress(total, total)
}

function* batches(entries: ReadonlyMap<string, Uint8Array>): Generator<Map<string, Uint8Array>> {
  let batch = new Map<string, Uint8Array>()
  let size = 0
  for (const [key, bytes] of entries) {
    batch.set(key, bytes)
    size += bytes.length
    if (size < BATCH_BYTES) continue
    yield batch
    batch = new Map()
    size = 0
  }
  if (batch.size > 0) yield batch
}

/** Writes again what another publisher has collected while this one came to need it; see collect. */
async function putBackCollected(store: Store, { shards }: Plan, before: Roots): Promise<void> {
  const times = retiredSince(before.values())
  const wanted = new Map([...shards].filter(([name]) => times.has(name)))
  const found = await storedEntries(store, [...wanted.keys()])
  await store.put(new Map([...wanted].filter(([name]) => !found.has(name))))
}
