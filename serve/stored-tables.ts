import type { webcrypto } from 'node:crypto'
import { contentHash } from '../control/publish/shard-tree.ts'
import type { Store } from '../control/publish/store.ts'
import { shardsOf, storedEntries } from '../control/publish/stored.ts'
import { hashOf } from '../engine/store-keys.ts'
import { readRoot, TableError } from '../engine/table.ts'
import { TrustedRoots } from '../engine/trusted-roots.ts'
import type { Root } from '../proto/gen/route_table.ts'

export type ReadableStore = Pick<Store, 'get' | 'list'>

/** The tables of a store, each as it last was whole. */
export interface StoredTables {
  /** Encoded Roots, in order of their keys. */
  readonly roots: readonly Uint8Array[]
  /** Encoded Shards by name: all that the roots name. */
  readonly shards: ReadonlyMap<string, Uint8Array>
  /** "gateway version" of each root. */
  readonly versions: readonly string[]
  /** What cannot be served, as sentences. */
  readonly faults: readonly string[]
}

/** Which tables of a store are read. */
export interface WantedTables {
  /** Only those of this GatewayClassSpec.controllerName; of every one where there is none. */
  readonly controller?: string | undefined
  /** Only those that are signed as this says; without it, all. */
  readonly trusted?: TrustedRoots<webcrypto.CryptoKey> | undefined
}

interface Table {
  readonly bytes: Uint8Array
  readonly root: Root
}

/**
 * Reads the tables of a store again and again. A table counts when all of it is there and every shard has the hash that names
 * it; until then its Gateway keeps the last one that did, and so do all when there are none. Where tables have to be signed, a
 * Gateway also goes only for a signed root that says so. Shards that are known are not read again.
 */
export class StoredTablesReader {
  readonly #store: ReadableStore
  readonly #controller: string | undefined
  readonly #trusted: TrustedRoots<webcrypto.CryptoKey>
  readonly #now: () => number
  /** By the key of the root. */
  #tables: ReadonlyMap<string, Table> = new Map()
  /** By key: those of #tables. */
  #shards: ReadonlyMap<string, Uint8Array> = new Map()

  /** `now` in milliseconds since the epoch. */
  constructor(
    store: ReadableStore,
    { controller, trusted = new TrustedRoots(undefined, crypto.subtle) }: WantedTables = {},
    now: () => number = Date.now,
  ) {
    this.#store = store
    this.#controller = controller
    this.#trusted = trusted
    this.#now = now
  }

  /** Rejects with a StoreError where the store cannot be read, and nothing has changed then. */
  async read(): Promise<StoredTables> {
    const listed = await this.#store.list('gateway/')
    if (listed.length === 0) return this.#told(['the store has no tables'])
    const faults: string[] = []
    const found = await storedEntries(this.#store, listed)
    const tables = new Map<string, Table>()
    for (const key of [...new Set([...listed, ...this.#lasting()])].toSorted()) {
      const bytes = found.get(key)
      // Where it need not last, it may have gone between the two looks.
      const table = bytes === undefined ? this.#missing() : await this.#table(key, bytes)
      if (typeof table === 'string') faults.push(`${key}: ${table}`)
      const kept = typeof table === 'string' ? this.#tables.get(key) : table
      if (kept !== undefined) tables.set(key, kept)
    }
    await this.#take(this.#own(tables, faults), faults)
    return this.#told(faults)
  }

  /** Those of our controller; one that is gone says of none. */
  #own(tables: ReadonlyMap<string, Table>, faults: string[]): ReadonlyMap<string, Table> {
    if (this.#controller === undefined) return tables
    const own = [...tables].filter(([, { root }]) => root.controller === this.#controller || root.goneSince > 0)
    const others = new Set([...tables.values()].map(({ root }) => root.controller).filter((name) => name !== ''))
    if (own.length === 0 && others.size > 0)
      faults.push(`the store has no tables of ${this.#controller}, only of ${[...others].toSorted().join(' and ')}`)
    return new Map(own)
  }

  /** The keys of the tables that stay when the store has them no more. */
  #lasting(): readonly string[] {
    if (this.#trusted.trust === undefined) return []
    return [...this.#tables].filter(([, { root }]) => root.goneSince === 0).map(([key]) => key)
  }

  #missing(): string | undefined {
    return this.#trusted.trust === undefined ? undefined : 'is not in the store'
  }

  /** Or why the entry is no table. */
  async #table(key: string, entry: Uint8Array): Promise<Table | string> {
    try {
      const bytes = await this.#trusted.rootOf(key, entry, this.#now())
      return { bytes, root: readRoot(bytes).root }
    } catch (error) {
      if (error instanceof TableError) return error.message
      throw error
    }
  }

  /** Takes those tables whose shards are all there, with those. */
  async #take(wanted: ReadonlyMap<string, Table>, faults: string[]): Promise<void> {
    const keys = new Set([...wanted.values()].flatMap(({ root }) => shardsOf(root)))
    const missing = [...keys].filter((key) => !this.#shards.has(key))
    const found = new Map([...(await storedEntries(this.#store, missing))].filter(isWhole))
    const bytesOf = (key: string): Uint8Array | undefined => this.#shards.get(key) ?? found.get(key)

    const tables = new Map<string, Table>()
    const shards = new Map<string, Uint8Array>()
    for (const [key, table] of wanted) {
      const lost = shardsOf(table.root).find((shard) => bytesOf(shard) === undefined)
      if (lost !== undefined) faults.push(`${key}: ${lost} is missing, or its bytes do not have the hash that names it`)
      const kept = lost === undefined ? table : this.#tables.get(key)
      if (kept === undefined) continue
      tables.set(key, kept)
      for (const shard of shardsOf(kept.root)) {
        const bytes = bytesOf(shard)
        if (bytes !== undefined) shards.set(shard, bytes)
      }
    }
    this.#tables = tables
    this.#shards = shards
  }

  #told(faults: readonly string[]): StoredTables {
    const tables = [...this.#tables.values()]
    return {
      roots: tables.map(({ bytes }) => bytes),
      shards: new Map([...this.#shards].map(([key, bytes]) => [hashOf(key), bytes])),
      versions: tables.map(({ root }) => `${root.gateway} ${root.version}`),
      faults,
    }
  }
}

const isWhole = ([key, bytes]: readonly [string, Uint8Array]): boolean =>
  Buffer.from(contentHash(bytes)).toString('hex') === hashOf(key)
