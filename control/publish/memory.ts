import type { Store } from './store.ts'

/** A store that ends with the process: for tests, and for `landfall dev`. */
export class MemoryStore implements Store {
  readonly #entries = new Map<string, Uint8Array>()

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#entries.get(key)
  }

  async list(prefix: string): Promise<readonly string[]> {
    return [...this.#entries.keys()].filter((key) => key.startsWith(prefix))
  }

  async put(entries: ReadonlyMap<string, Uint8Array>): Promise<void> {
    for (const [key, bytes] of entries) this.#entries.set(key, bytes)
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#entries.delete(key)
  }

  async close(): Promise<void> {}
}
