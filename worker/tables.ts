import type { RequestFacts } from '../engine/facts.ts'
import { chooseRouter, type Router } from '../engine/router.ts'
import { shardName } from '../engine/shards.ts'
import { gatewayOf, rootKey, rootPrefix, shardKey } from '../engine/store-keys.ts'
import { readRoot, TableError } from '../engine/table.ts'
import { TrustedRoots } from '../engine/trusted-roots.ts'
import type { Config } from './config.ts'

/** A Worker without a table looks at the store again after this long, in milliseconds. */
const storeRetry = 1_000

/** A shard that could not be had is asked for again after this long, in milliseconds. */
const shardRetry = 1_000

/** How long the empty root of a Gateway that is gone stays in the store, in milliseconds: control/publish, GRACE. */
const rootGrace = 600_000

/** Bytes of encoded shards that a table keeps loaded. In use they take several times as much of an isolate's 128 MB. */
const loadedLimit = 16 * 1024 * 1024

/** A table of no more shards than this is loaded as a whole, so that it outlives its store. */
const smallTable = 16

/** The isolate's tables: loaded on first use, refreshed in the background, and never given up for worse ones. */
export class Tables {
  readonly #store: KVNamespace
  readonly #config: Config
  readonly #trusted: TrustedRoots<CryptoKey>
  readonly #routers = new Map<string, Router>()
  #list: readonly Router[] = []
  #checkedAt = Number.NEGATIVE_INFINITY
  #loadedAt = 0
  #refresh: Promise<void> | undefined
  #problem: string | undefined
  readonly #shards = new Map<string, Promise<void>>()
  readonly #badShards = new Map<string, BadShard>()

  constructor(store: KVNamespace, config: Config) {
    this.#store = store
    this.#config = config
    this.#trusted = new TrustedRoots(config.trust, crypto.subtle)
  }

  /** What to serve with now; a promise only as long as there has never been a table. */
  current(now: number, ctx: ExecutionContext): readonly Router[] | Promise<readonly Router[]> {
    const patience =
      this.#list.length === 0 ? Math.min(storeRetry, this.#config.refreshAfter) : this.#config.refreshAfter
    if (now - this.#checkedAt < patience) return this.#list
    const refresh = this.refresh(now, ctx)
    return this.#list.length > 0 ? this.#list : refresh.then(() => this.#list)
  }

  /** One look at the store for all who ask at once: a promise dies with its request unless that request waits for it. */
  refresh(now: number, ctx: ExecutionContext): Promise<void> {
    if (this.#refresh === undefined) {
      this.#refresh = this.#load(now, ctx).finally(() => {
        this.#refresh = undefined
      })
      ctx.waitUntil(this.#refresh)
    }
    return this.#refresh
  }

  /** The router for a request, among those of `gateways` where the socket names them. */
  choose(routers: readonly Router[], gateways: readonly string[] | undefined, facts: RequestFacts): Router | undefined {
    if (gateways === undefined) return chooseRouter(routers, facts)
    const [only] = gateways
    if (only !== undefined && gateways.length === 1) return this.#routers.get(only)
    return chooseRouter(
      routers.filter(({ gateway }) => gateways.includes(gateway)),
      facts,
    )
  }

  /** Loads what Missing names. Afterwards, a shard that is still missing cannot be had now. */
  async load(router: Router, names: readonly string[], now: number, ctx: ExecutionContext): Promise<boolean> {
    await Promise.all(names.map((name) => this.#shard(router, name, now, ctx)))
    return names.every((name) => !this.#badShards.has(name))
  }

  /** For people and probes. */
  status(): TablesStatus {
    const bad = [...this.#badShards].map(([name, { problem }]) => `shard ${name}: ${problem}`)
    const problem = this.#problem === undefined ? [] : [this.#problem]
    return {
      loadedAt: this.#loadedAt,
      problems: [...this.#config.faults, ...problem, ...bad],
      gateways: this.#list.map(({ gateway, version }) => ({
        gateway,
        version,
        sequence: this.#trusted.seen.get(rootKey(gateway)),
      })),
    }
  }

  async #load(now: number, ctx: ExecutionContext): Promise<void> {
    const problems: string[] = []
    try {
      for (const key of await this.#rootKeys(now)) {
        const problem = await this.#loadRoot(key, now, ctx)
        if (problem !== undefined) problems.push(`${key}: ${problem}`)
      }
      this.#loadedAt = now
    } catch (error) {
      problems.push(`the store: ${messageOf(error)}`)
    }
    this.#checkedAt = now
    this.#list = [...this.#routers.values()]
    this.#problem = problems.length === 0 ? undefined : problems.join('; ')
    if (this.#problem !== undefined) console.error(`landfall: kept the last good table: ${this.#problem}`)
  }

  async #rootKeys(now: number): Promise<readonly string[]> {
    if (this.#config.gateways !== undefined) return this.#config.gateways.map(rootKey)
    const keys: string[] = []
    const missing: string[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await this.#store.list({ prefix: rootPrefix, ...(cursor === undefined ? {} : { cursor }) })
      keys.push(...page.keys.map((key) => key.name))
      if (page.list_complete) break
      cursor = page.cursor
    }
    // A Gateway that goes leaves a root without listeners behind for a while; a root that is only absent is a fault of the store.
    // A Worker that slept for longer has missed that root. Where tables are signed, no Gateway goes without one.
    const mayHaveMissed = this.#config.trust === undefined && keys.length > 0 && now - this.#loadedAt > rootGrace
    for (const [gateway, { root }] of this.#routers) {
      if (keys.includes(rootKey(gateway))) continue
      if (root.goneSince > 0 || mayHaveMissed) this.#routers.delete(gateway)
      else missing.push(rootKey(gateway))
    }
    return [...keys, ...missing]
  }

  /** What is wrong with the new root, if anything; the old one then goes on serving. */
  async #loadRoot(key: string, now: number, ctx: ExecutionContext): Promise<string | undefined> {
    const bytes = await this.#store.get(key, 'arrayBuffer')
    if (bytes === null) return 'is not in the store'
    const gateway = gatewayOf(key)
    const before = this.#routers.get(gateway)
    try {
      const root = await this.#trusted.rootOf(key, new Uint8Array(bytes), now)
      const next = readRoot(root, before, loadedLimit)
      if (!this.#isOwn(next)) {
        this.#routers.delete(gateway)
        return undefined
      }
      if (next.gateway !== gateway) return `holds the table of ${next.gateway}`
      if (next.version === before?.version) return undefined
      // What is in use now must be whole in the new table before anyone sees it.
      const wanted = before === undefined ? shardsIfSmall(next) : next.replacements(before)
      const whole = await this.load(next, wanted, now, ctx)
      if (before !== undefined && !whole) return `version ${next.version} has a shard that cannot be read`
      this.#routers.set(gateway, next)
      this.#forgetBadShards(next)
      return undefined
    } catch (error) {
      if (error instanceof TableError) return error.message
      throw error
    }
  }

  /** A root of a Gateway that is gone says of no controller. */
  #isOwn({ root }: Router): boolean {
    const { controller } = this.#config
    return controller === undefined || controller === root.controller || root.goneSince > 0
  }

  /** What only an earlier table wanted is no problem any more. */
  #forgetBadShards({ gateway, root }: Router): void {
    if (this.#badShards.size === 0) return
    const wanted = new Set([...root.hostShards, ...root.backendShards].map(({ hash }) => shardName(hash)))
    for (const [name, bad] of this.#badShards)
      if (bad.gateway === gateway && !wanted.has(name)) this.#badShards.delete(name)
  }

  #shard(router: Router, name: string, now: number, ctx: ExecutionContext): Promise<void> {
    const bad = this.#badShards.get(name)
    if (bad !== undefined && now - bad.since < shardRetry) return Promise.resolve()
    let loading = this.#shards.get(name)
    if (loading === undefined) {
      loading = this.#fetchShard(name)
        .then((bytes) => {
          router.addShard(name, bytes)
          this.#badShards.delete(name)
        })
        .catch((error: unknown) => {
          this.#badShards.set(name, { gateway: router.gateway, since: now, problem: messageOf(error) })
          console.error(`landfall: shard ${name}: ${messageOf(error)}`)
        })
        .finally(() => this.#shards.delete(name))
      this.#shards.set(name, loading)
      ctx.waitUntil(loading)
    }
    return loading
  }

  async #fetchShard(name: string): Promise<Uint8Array> {
    const bytes = await this.#store.get(shardKey(name), { type: 'arrayBuffer', cacheTtl: 86_400 })
    if (bytes === null) throw new TableError('is not in the store')
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes), 0, 16)
    if (shardName(digest) !== name) throw new TableError('its bytes do not have the hash that names it')
    return new Uint8Array(bytes)
  }
}

interface BadShard {
  /** Of the table that wants it. */
  readonly gateway: string
  /** Milliseconds since the epoch. */
  readonly since: number
  readonly problem: string
}

export interface TablesStatus {
  /** Milliseconds since the epoch of the last look at the store that succeeded; 0 for never. */
  readonly loadedAt: number
  readonly problems: readonly string[]
  readonly gateways: readonly GatewayStatus[]
}

export interface GatewayStatus {
  readonly gateway: string
  readonly version: string
  /** The highest sequence of a signed root that was seen; undefined where every table is taken. */
  readonly sequence: number | undefined
}

function shardsIfSmall({ root }: Router): readonly string[] {
  const refs = [...root.hostShards, ...root.backendShards]
  return refs.length > smallTable ? [] : refs.map(({ hash }) => shardName(hash))
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
