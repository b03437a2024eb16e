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
    try {
      const { gateway } = readRoot(bytes)
      const last = before.get(gateway)
      const next = readRoot(bytes, last, unlimited)
      if (last !== undefined && last.version === next.version) routers.set(gateway, last)
      else {
        const fault = load(next, shards)
        if (fault !== undefined) faults.push(`Gateway ${gateway}: ${fault}`)
        const router = fault === undefined ? next : last
        if (router !== undefined) routers.set(gateway, router)
      }
    } catch (error) {
      if (!(error instanceof TableError)) throw error
      faults.push(error.message)
    }
  }
  return { routers, faults }
}

/** What keeps a router from being whole. */
function load(router: Router, shards: ReadonlyMap<string, Uint8Array>): string | undefined {
  const { hostShards, backendShards } = router.root
  for (const { hash } of [...hostShards, ...backendShards]) {
    const name = shardName(hash)
    const bytes = shards.get(name)
    if (bytes !== undefined) router.addShard(name, bytes)
    else if (!router.hasShard(name)) return `shard ${name} is missing`
  }
  return undefined
}
