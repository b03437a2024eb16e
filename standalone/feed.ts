import type { Router } from '../engine/router.ts'
import { shardName } from '../engine/shards.ts'
import { readRoot, TableError } from '../engine/table.ts'

/** A process of one's own has the memory for all of a table. */
const unlimited = Number.POSITIVE_INFINITY

/** In PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly privateKey: string
}

/** Whether they are equal, or there is neither. */
export const isSamePair = (one: KeyPair | undefined, other: KeyPair | undefined): boolean =>
  one?.certificate === other?.certificate && one?.privateKey === other?.privateKey

/** All that a data plane is to serve: entries as a store has them, and the key pairs that no store has. */
export interface Feed {
  /** Encoded Roots, one a Gateway. */
  readonly roots: readonly Uint8Array[]
  /** Encoded Shards by name, at least those that the last feed did not have. */
  readonly shards: ReadonlyMap<string, Uint8Array>
  /** By the names that tables use, "namespace/name". */
  readonly keyPairs: ReadonlyMap<string, KeyPair>
}

export interface Routers {
  /** By Gateway. */
  readonly routers: ReadonlyMap<string, Router>
  /** What cannot be served, as sentences; the last good table of that Gateway goes on. */
  readonly faults: readonly string[]
}

/** Routers with every shard loaded. That of a table which is as before is the very same object. */
export function routersOf({ roots, shards }: Feed, before: ReadonlyMap<string, Router>): Routers {
  const routers = new Map<string, Router>()
  const faults: string[] = []
  for (const bytes of roots) {
    let router: Router | undefined
    try {
      router = before.get(readRoot(bytes).gateway)
      const next = readRoot(bytes, router, unlimited)
      if (router?.version !== next.version) {
        load(next, shards)
        router = next
      }
    } catch (error) {
      if (!(error instanceof TableError)) throw error
      faults.push(error.message)
    }
    if (router !== undefined) routers.set(router.gateway, router)
  }
  return { routers, faults }
}

/** Throws a TableError where a router does not become whole. */
function load(router: Router, shards: ReadonlyMap<string, Uint8Array>): void {
  const { hostShards, backendShards } = router.root
  for (const { hash } of [...hostShards, ...backendShards]) {
    const name = shardName(hash)
    const bytes = shards.get(name)
    if (bytes !== undefined) router.addShard(name, bytes)
    if (!router.hasShard(name)) throw new TableError(`shard ${name} of Gateway ${router.gateway} is missing`)
  }
}
