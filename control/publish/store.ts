/** Bounds of Workers KV (https://developers.cloudflare.com/kv/platform/limits/), held to in every store so that what one
 *  takes, all take. Bytes. */
export const MAX_VALUE_BYTES = 25 * 1024 * 1024
export const MAX_KEY_BYTES = 512

/**
 * Where published entries live: keys of visible ASCII to bytes.
 *
 * A reader sees the old bytes of a key or the new ones, whole, whenever a writer is killed. Nothing more is promised of
 * several keys: a put of many may be seen, and may stop, halfway and in any order. When put or delete resolves, this
 * store's own reads show it; other readers of a Workers KV may take a minute.
 *
 * Every method rejects with a StoreError when the store cannot be reached or refuses.
 */
export interface Store {
  /** undefined when there is no such entry. */
  get(key: string): Promise<Uint8Array | undefined>
  /** The keys that begin with `prefix`, in no order. */
  list(prefix: string): Promise<readonly string[]>
  put(entries: ReadonlyMap<string, Uint8Array>): Promise<void>
  /** A key without an entry is no error. */
  delete(keys: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** A store failed: what it was asked, what it said, and what may help. Never holds a credential. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
}
