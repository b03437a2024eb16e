import { inParallel } from '../publish/in-parallel.ts'
import { type Store, StoreError } from '../publish/store.ts'

const atOnce = 6

/** As much of a Workers KV binding as is used here. */
export interface Kv {
  get(key: string, type: 'arrayBuffer'): Promise<ArrayBuffer | null>
  list(options: { prefix: string; cursor?: string }): Promise<{
    readonly keys: readonly { readonly name: string }[]
    readonly list_complete: boolean
    readonly cursor?: string
  }>
  put(key: string, value: Uint8Array): Promise<void>
  delete(key: string): Promise<void>
}

/** The Workers KV that is bound to a Worker. An isolate may have six requests under way. */
export class KvStore implements Store {
  readonly #kv: Kv

  constructor(kv: Kv) {
    this.#kv = kv
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const bytes = await this.#kv.get(key, 'arrayBuffer').catch(failed(`get ${key}`))
    return bytes === null ? undefined : new Uint8Array(bytes)
  }

  async list(prefix: string): Promise<readonly string[]> {
    const keys: string[] = []
    for (let cursor: string | undefined; ; ) {
      const options = cursor === undefined ? { prefix } : { prefix, cursor }
      const page = await this.#kv.list(options).catch(failed(`list ${prefix}`))
      keys.push(...page.keys.map(({ name }) => name))
      if (page.list_complete || page.cursor === undefined) return keys
      cursor = page.cursor
    }
  }

  async put(entries: ReadonlyMap<string, Uint8Array>): Promise<void> {
    await inParallel([...entries], atOnce, ([key, bytes]) => this.#kv.put(key, bytes).catch(failed(`put ${key}`)))
  }

  async delete(keys: readonly string[]): Promise<void> {
    await inParallel(keys, atOnce, (key) => this.#kv.delete(key).catch(failed(`delete ${key}`)))
  }

  async close(): Promise<void> {}
}

const failed =
  (what: string) =>
  (error: unknown): never => {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StoreError(`Workers KV failed to ${what}: ${reason}`, { cause: error })
  }
