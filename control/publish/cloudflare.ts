import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { type ClientRuntime, CloudflareClient } from './cloudflare-client.ts'
import { MAX_KEY_BYTES, MAX_VALUE_BYTES, type Store, StoreError } from './store.ts'

/** Pairs or keys in a request. The API takes 10,000; fewer are done before Cloudflare's edge gives up waiting (524). */
const BULK_KEYS = 1000
/** Bytes of values in a request, before base64 makes a third more of them. The API takes 100 MB. */
const BULK_BYTES = 48 * 1024 * 1024
/** Keys in a page of a list: the most that the API gives. */
const PAGE = 1000
/** Pages of a list before something must be wrong. */
const MAX_PAGES = 10_000
/** Milliseconds between two writes of one key. */
const WRITE_INTERVAL = 1000
const BULK_TRIES = 6

export interface CloudflareNamespace {
  readonly accountId: string
  readonly namespaceId: string
  /** An API token with the permission "Workers KV Storage: Edit". In no error and no log. */
  readonly token: string
  readonly baseUrl?: string
}

const bulkAnswer = z.object({
  result: z.object({ unsuccessful_keys: z.array(z.string()).optional() }).nullish(),
})

const listAnswer = z.object({
  result: z.array(z.object({ name: z.string() })),
  result_info: z.object({ cursor: z.string().optional() }).optional(),
})

/**
 * A Workers KV namespace over Cloudflare's REST API (https://developers.cloudflare.com/api/resources/kv/). Large puts are
 * several requests; what the API reports as not stored is sent again, and no key is written twice within a second.
 */
export class CloudflareStore implements Store {
  readonly #path: string
  readonly #client: CloudflareClient
  readonly #runtime: ClientRuntime
  /** Whether the namespace has been seen to exist. */
  #found = false
  /** When keys were written last, for as long as that matters. */
  readonly #writtenAt = new Map<string, number>()

  constructor(
    { accountId, namespaceId, token, baseUrl = 'https://api.cloudflare.com/client/v4' }: CloudflareNamespace,
    runtime: ClientRuntime = { now: Date.now, wait: setTimeout, random: Math.random },
  ) {
    this.#path = `/accounts/${encodeURIComponent(accountId)}/storage/kv/namespaces/${encodeURIComponent(namespaceId)}`
    this.#client = new CloudflareClient(baseUrl, token, runtime)
    this.#runtime = runtime
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const path = `${this.#path}/values/${encodeURIComponent(key)}`
    const { status, bytes } = await this.#client.send({ method: 'GET', path, what: `get ${key}` }, [404])
    if (status !== 404) return bytes
    // A 404 may also mean the namespace; to list is to find out.
    if (!this.#found) await this.list(key)
    return undefined
  }

  async list(prefix: string): Promise<readonly string[]> {
    const keys: string[] = []
    let cursor = ''
    for (let page = 0; page < MAX_PAGES; page++) {
      const query = new URLSearchParams({ limit: String(PAGE) })
      if (prefix !== '') query.set('prefix', prefix)
      if (cursor !== '') query.set('cursor', cursor)
      const what = `list ${prefix}`
      const { bytes } = await this.#client.send({ method: 'GET', path: `${this.#path}/keys?${query}`, what })
      this.#found = true
      const { result, result_info } = read(listAnswer, bytes, what)
      for (const { name } of result) keys.push(name)
      cursor = result_info?.cursor ?? ''
      if (cursor === '') return keys
    }
    throw new StoreError(`cannot list ${prefix} in Cloudflare KV: the list does not end`)
  }

  async put(entries: ReadonlyMap<string, Uint8Array>): Promise<void> {
    for (const [key, bytes] of entries) checkSize(key, bytes)
    for (const batch of batches(entries)) {
      await this.#repeated('put', [...batch.keys()], async (keys) => {
        await this.#waitForTurn(keys)
        const body = keys.map((key) => ({ key, value: base64(batch.get(key)), base64: true }))
        const path = `${this.#path}/bulk`
        const { bytes } = await this.#client.send({ method: 'PUT', path, body, what: whatOf('put', keys) })
        return bytes
      })
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (let start = 0; start < keys.length; start += BULK_KEYS) {
      await this.#repeated('delete', keys.slice(start, start + BULK_KEYS), async (body) => {
        await this.#waitForTurn(body)
        const path = `${this.#path}/bulk/delete`
        const { bytes } = await this.#client.send({ method: 'POST', path, body, what: whatOf('delete', body) })
        return bytes
      })
    }
  }

  async close(): Promise<void> {}

  /** Sends a bulk request, then again for the keys that it did not get done. */
  async #repeated(verb: string, keys: readonly string[], send: (keys: readonly string[]) => Promise<Uint8Array>) {
    let left = keys
    for (let tries = 1; left.length > 0; tries++) {
      const answer = read(bulkAnswer, await send(left), whatOf(verb, left))
      const failed = new Set(answer.result?.unsuccessful_keys)
      left = left.filter((key) => failed.has(key))
      if (left.length === 0) return
      if (tries === BULK_TRIES) {
        throw new StoreError(`cannot ${whatOf(verb, left)} in Cloudflare KV: not done after ${tries} tries`)
      }
      await this.#runtime.wait(this.#client.backOff(tries))
    }
  }

  /** Waits until a second has passed since each of the keys was written, and counts them as written now. */
  async #waitForTurn(keys: readonly string[]): Promise<void> {
    const times = keys.map((key) => this.#writtenAt.get(key) ?? Number.NEGATIVE_INFINITY)
    const wait = times.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) + WRITE_INTERVAL - this.#runtime.now()
    if (wait > 0) await this.#runtime.wait(wait)
    const now = this.#runtime.now()
    for (const [key, time] of this.#writtenAt) if (time + WRITE_INTERVAL <= now) this.#writtenAt.delete(key)
    for (const key of keys) this.#writtenAt.set(key, now)
  }
}

function checkSize(key: string, bytes: Uint8Array): void {
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new StoreError(`cannot put ${key} in Cloudflare KV: a key may have ${MAX_KEY_BYTES} bytes`)
  }
  if (bytes.length > MAX_VALUE_BYTES) {
    throw new StoreError(`cannot put ${key} in Cloudflare KV: it has ${bytes.length} bytes, and ${MAX_VALUE_BYTES} fit`)
  }
}

function* batches(entries: ReadonlyMap<string, Uint8Array>): Generator<ReadonlyMap<string, Uint8Array>> {
  let batch = new Map<string, Uint8Array>()
  let size = 0
  for (const [key, bytes] of entries) {
    if (batch.size === BULK_KEYS || (batch.size > 0 && size + bytes.length > BULK_BYTES)) {
      yield batch
      batch = new Map()
      size = 0
    }
    batch.set(key, bytes)
    size += bytes.length
  }
  if (batch.size > 0) yield batch
}

const base64 = (bytes: Uint8Array = new Uint8Array()): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')

const whatOf = (verb: string, [first, ...more]: readonly string[]): string =>
  more.length === 0 ? `${verb} ${first}` : `${verb} ${first} and ${more.length} more`

function read<T>(form: z.ZodType<T>, bytes: Uint8Array, what: string): T {
  try {
    return form.parse(JSON.parse(new TextDecoder().decode(bytes)))
  } catch (error) {
    throw new StoreError(`cannot ${what} in Cloudflare KV: the answer has not the form that is documented`, {
      cause: error,
    })
  }
}
