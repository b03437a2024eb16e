import { join } from 'node:path'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { inParallel } from './in-parallel.ts'
import { type Store, StoreError } from './store.ts'

const AT_ONCE = 16

type Namespace = Awaited<ReturnType<Miniflare['getKVNamespace']>>

/**
 * The local Workers KV that `wrangler dev` reads and `wrangler kv … --local` writes: `.wrangler/state` in the folder of
 * wrangler.toml. A running `wrangler dev` sees what is put here.
 */
export class LocalStore implements Store {
  readonly #miniflare: Miniflare
  readonly #namespace: Promise<Namespace>

  /** `namespaceId` as in wrangler.toml; `directory` is the folder of that file. */
  constructor(directory: string, namespaceId: string) {
    this.#miniflare = new Miniflare(
      convertV4MiniflareOptions({
        modules: true,
        script: 'export default {}',
        cf: false,
        resourcePersistencePath: join(directory, '.wrangler/state/v3'),
        kvNamespaces: { TABLES: namespaceId },
      }),
    )
    this.#namespace = this.#miniflare.getKVNamespace('TABLES')
    // A failure is met by whoever asks first.
    this.#namespace.catch(() => {})
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
    await this.#miniflare.dispose()
  }

  async #ask<T>(what: string, request: (namespace: Namespace) => Promise<T>): Promise<T> {
    try {
      return await request(await this.#namespace)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new StoreError(`the local store failed to ${what}: ${reason}`, { cause: error })
    }
  }
}
