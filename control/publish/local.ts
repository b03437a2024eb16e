import { join } from 'node:path'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { inParallel } from './in-parallel.ts'
import { type Store, StoreError } from './store.ts'

const AT_ONCE = 16
/** Another writer, such as a running `wrangler dev`, makes the database busy for a moment: milliseconds between tries. */
const WAITS = [20, 50, 100, 200, 500, 1000, 2000]

type Namespace = Awaited<ReturnType<Miniflare['getKVNamespace']>>

/**
 * The local Workers KV that `wrangler dev` reads and `wrangler kv … --local` writes: `.wrangler/state` in the folder of
 * wrangler.toml. A running `wrangler dev` sees what is put here.
 */
export class LocalStore implements Store {
  readonly #directory: string
  readonly #namespaceId: string
  #opened: Promise<{ readonly miniflare: Miniflare; readonly namespace: Namespace }> | undefined

  /** `namespaceId` as in wrangler.toml; `directory` is the folder of that file. */
  constructor(directory: string, namespaceId: string) {
    this.#directory = directory
    this.#namespaceId = namespaceId
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#ask(`get ${key}`, async (namespace) => {
      const bytes = await namespace.get(key, 'arrayBuffer')
      return bytes === null ? undefined : new Uint8Array(bytes)
    })
  }

  async list(prefix: string): Promise<readonly string[]> {
    return this.#ask(`list ${prefix}`, async (namespace) => {
      const keys: string[] = []
      let cursor: string | undefined
      do {
        const page = await namespace.list({ prefix, ...(cursor === undefined ? {} : { cursor }) })
        for (const { name } of page.keys) keys.push(name)
        cursor = page.list_complete ? undefined : page.cursor
      } while (cursor !== undefined)
      return keys
    })
  }

  async put(entries: ReadonlyMap<string, Uint8Array>): Promise<void> {
    await inParallel([...entries], AT_ONCE, ([key, bytes]) => this.#ask(`put ${key}`, (kv) => kv.put(key, bytes)))
  }

  async delete(keys: readonly string[]): Promise<void> {
    await inParallel(keys, AT_ONCE, (key) => this.#ask(`delete ${key}`, (kv) => kv.delete(key)))
  }

  async close(): Promise<void> {
    const opened = await this.#opened
    await opened?.miniflare.dispose()
  }

  async #ask<T>(what: string, request: (namespace: Namespace) => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        this.#opened ??= this.#open()
        return await request((await this.#opened).namespace)
      } catch (error) {
        const wait = WAITS[tries]
        if (wait === undefined) {
          const reason = error instanceof Error ? error.message : String(error)
          throw new StoreError(`the local store failed to ${what}: ${reason}`, { cause: error })
        }
        await setTimeout(wait)
      }
    }
  }

  async #open(): Promise<{ readonly miniflare: Miniflare; readonly namespace: Namespace }> {
    const miniflare = withoutSignalHandlers(
      () =>
        new Miniflare(
          convertV4MiniflareOptions({
            modules: true,
            script: 'export default {}',
            cf: false,
            resourcePersistencePath: join(this.#directory, '.wrangler/state/v3'),
            kvNamespaces: { TABLES: this.#namespaceId },
          }),
        ),
    )
    try {
      return { miniflare, namespace: await miniflare.getKVNamespace('TABLES') }
    } catch (error) {
      this.#opened = undefined
      await miniflare.dispose()
      throw error
    }
  }
}

/** Miniflare ends the process at a signal, with all that the process still wanted to do. close() is for the caller. */
function withoutSignalHandlers<T>(make: () => T): T {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const before = new Map(signals.map((signal) => [signal, process.listeners(signal)]))
  const made = make()
  for (const [signal, known] of before) {
    for (const listener of process.listeners(signal)) if (!known.includes(listener)) process.off(signal, listener)
  }
  return made
}
