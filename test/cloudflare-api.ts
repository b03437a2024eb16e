import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { z } from 'zod'

// Cloudflare's REST API for Workers KV on loopback, as strict as its documentation:
// https://developers.cloudflare.com/api/resources/kv/ and https://developers.cloudflare.com/kv/platform/limits/

const MAX_PAIRS = 10_000
const MAX_BODY_BYTES = 100_000_000
const MAX_VALUE_BYTES = 25 * 1024 * 1024
const MAX_KEY_BYTES = 512
/** Milliseconds between two writes of one key. */
const WRITE_INTERVAL = 1000

/** Every error has a code, from 1000 on; which one is not documented. */
const ERROR_CODE = 10_000

/** What one request meets instead of an orderly answer. */
export type Fault =
  | {
      readonly type: 'status'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
    }
  /** The connection breaks before the request has any effect, or after. */
  | { readonly type: 'torn'; readonly after: 'nothing' | 'effect' }
  /** A bulk request leaves these keys out and says so. */
  | { readonly type: 'partial'; readonly keys: readonly string[] }

const key = z
  .string()
  .min(1)
  .refine((name) => Buffer.byteLength(name) <= MAX_KEY_BYTES, 'key is longer than 512 bytes')
  .refine((name) => name !== '.' && name !== '..', 'key is "." or ".."')

const pairs = z
  .array(
    z.strictObject({
      key,
      value: z.string(),
      base64: z.boolean().optional(),
      expiration: z.number().optional(),
      expiration_ttl: z.number().optional(),
      metadata: z.unknown().optional(),
    }),
  )
  .min(1)
  .max(MAX_PAIRS)

const keys = z.array(key).min(1).max(MAX_PAIRS)

/** A refusal, in the envelope that Cloudflare uses. */
class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export class CloudflareApi {
  readonly accountId = '0123456789abcdef0123456789abcdef'
  readonly namespaceId = 'fedcba9876543210fedcba9876543210'
  readonly token = 'test-token-with-a-length-like-a-real-1'
  readonly entries = new Map<string, Uint8Array>()
  /** "METHOD path" of each request, without the part that names the namespace. */
  readonly requests: string[] = []
  /** What was asked in a way that is not documented. */
  readonly violations: string[] = []
  readonly #server: Server
  readonly #now: () => number
  readonly #faults: Fault[] = []
  readonly #writtenAt = new Map<string, number>()

  private constructor(now: () => number) {
    this.#now = now
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  /** Listens on a free port of loopback. */
  static async start(now: () => number = Date.now): Promise<CloudflareApi> {
    const api = new CloudflareApi(now)
    api.#server.listen(0, '127.0.0.1')
    await once(api.#server, 'listening')
    return api
  }

  get baseUrl(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('not listening')
    return `http://127.0.0.1:${address.port}/client/v4`
  }

  /** The next requests meet these, one each. */
  fail(...faults: Fault[]): void {
    this.#faults.push(...faults)
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request)
    const fault = this.#faults.shift()
    const url = new URL(request.url ?? '/', 'http://api')
    const namespace = `/client/v4/accounts/${this.accountId}/storage/kv/namespaces/${this.namespaceId}`
    this.requests.push(`${request.method} ${url.pathname.replace(namespace, '')}${url.search}`)
    if (fault?.type === 'status') {
      response.writeHead(fault.status, fault.headers).end(fault.body ?? '')
      return
    }
    if (fault?.type === 'torn' && fault.after === 'nothing') {
      request.socket.destroy()
      return
    }
    try {
      const leftOut = fault?.type === 'partial' ? fault.keys : []
      const answer = this.#handle(request, url, namespace, body, leftOut)
      if (fault?.type === 'torn') request.socket.destroy()
      else if (answer instanceof Uint8Array) {
        response.setHeader('content-type', 'application/octet-stream').end(answer)
      } else envelope(response, 200, { ...answer, success: true, errors: [] })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (error.status === 400) this.violations.push(`${this.requests.at(-1)}: ${error.message}`)
      if (error.status === 429) response.setHeader('retry-after', '1')
      envelope(response, error.status, {
        result: null,
        success: false,
        errors: [{ code: ERROR_CODE, message: error.message }],
      })
    }
  }

  #handle(
    request: IncomingMessage,
    url: URL,
    namespace: string,
    body: Uint8Array,
    leftOut: readonly string[],
  ): Uint8Array | object {
    if (request.headers.authorization !== `Bearer ${this.token}`) throw new Refusal(401, 'Authentication error')
    if (!url.pathname.startsWith(`/client/v4/accounts/${this.accountId}/storage/kv/namespaces/`)) {
      throw new Refusal(404, `Could not route to ${url.pathname}, perhaps your object identifier is invalid?`)
    }
    if (!url.pathname.startsWith(`${namespace}/`)) throw new Refusal(404, 'namespace not found')
    const route = `${request.method} ${url.pathname.slice(namespace.length)}`
    if (route.startsWith('GET /values/')) return this.#value(decodeURIComponent(route.slice('GET /values/'.length)))
    switch (route) {
      case 'GET /keys':
        return this.#list(url.searchParams)
      case 'PUT /bulk':
        return this.#put(json(pairs, request, body), leftOut)
      case 'POST /bulk/delete':
        return this.#delete(json(keys, request, body), leftOut)
      default:
        throw new Refusal(405, `Method not allowed for this authentication scheme: ${route}`)
    }
  }

  #value(name: string): Uint8Array {
    const value = this.entries.get(name)
    if (value === undefined) throw new Refusal(404, "get: 'key not found'")
    return value
  }

  #list(query: URLSearchParams): object {
    for (const name of query.keys()) {
      if (!['limit', 'prefix', 'cursor'].includes(name)) throw new Refusal(400, `no such parameter: ${name}`)
    }
    const limit = Number(query.get('limit') ?? 1000)
    if (!Number.isInteger(limit) || limit < 10 || limit > 1000) throw new Refusal(400, 'limit is not 10 to 1000')
    const cursor = query.get('cursor')
    if (cursor === '') throw new Refusal(400, 'cursor is empty')
    const after = cursor === null ? '' : Buffer.from(cursor, 'base64url').toString()
    const found = [...this.entries.keys()].filter((name) => name.startsWith(query.get('prefix') ?? '') && name > after)
    const page = found.sort().slice(0, limit)
    return {
      result: page.map((name) => ({ name })),
      result_info: {
        count: page.length,
        cursor: page.length < found.length ? Buffer.from(page.at(-1) ?? '').toString('base64url') : '',
      },
    }
  }

  #put(entries: z.infer<typeof pairs>, leftOut: readonly string[]): object {
    const decoded = entries.map(({ key, value, base64 }) => {
      const bytes = Buffer.from(value, base64 === true ? 'base64' : 'utf8')
      if (base64 === true && bytes.toString('base64') !== value) throw new Refusal(400, `${key} is not base64`)
      if (bytes.length > MAX_VALUE_BYTES) throw new Refusal(413, `${key} is larger than 25 MiB`)
      return [key, new Uint8Array(bytes)] as const
    })
    return this.#write(
      decoded.map(([key]) => key),
      leftOut,
      (done) => {
        for (const [key, bytes] of decoded) if (done.has(key)) this.entries.set(key, bytes)
      },
    )
  }

  #delete(names: readonly string[], leftOut: readonly string[]): object {
    return this.#write(names, leftOut, (done) => {
      for (const name of done) this.entries.delete(name)
    })
  }

  #write(names: readonly string[], leftOut: readonly string[], write: (done: ReadonlySet<string>) => void): object {
    if (new Set(names).size !== names.length) throw new Refusal(400, 'a key is named twice')
    const now = this.#now()
    const hasty = names.find((name) => now - (this.#writtenAt.get(name) ?? Number.NEGATIVE_INFINITY) < WRITE_INTERVAL)
    if (hasty !== undefined) throw new Refusal(429, `${hasty} is written more than once a second`)
    const done = new Set(names.filter((name) => !leftOut.includes(name)))
    for (const name of done) this.#writtenAt.set(name, now)
    write(done)
    return {
      result: { successful_key_count: done.size, unsuccessful_keys: names.filter((name) => !done.has(name)) },
    }
  }
}

function envelope(response: ServerResponse, status: number, content: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ messages: [], ...content }))
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function json<T>(form: z.ZodType<T>, request: IncomingMessage, body: Uint8Array): T {
  if (request.headers['content-type'] !== 'application/json') throw new Refusal(400, 'content-type is not JSON')
  if (body.length > MAX_BODY_BYTES) throw new Refusal(413, 'the request is larger than 100 MB')
  let content: unknown
  try {
    content = JSON.parse(new TextDecoder().decode(body))
  } catch {
    throw new Refusal(400, 'the body is not JSON')
  }
  const parsed = form.safeParse(content)
  if (!parsed.success) throw new Refusal(400, z.prettifyError(parsed.error))
  return parsed.data
}
