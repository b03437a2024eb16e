import { z } from 'zod'
import { StoreError } from './store.ts'

/** Milliseconds for one request, its body included. */
const TIMEOUT = 120_000
const TRIES = 6
/** Milliseconds before the second try; it doubles, up to the longest, and a random half of it is left out. */
const FIRST_WAIT = 500
const LONGEST_WAIT = 30_000
/** A Retry-After above this is not waited for, but told. */
const LONGEST_RETRY_AFTER = 60_000

/** What the client takes from outside, so that tests need neither time nor chance. */
export interface ClientRuntime {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly wait: (milliseconds: number) => Promise<unknown>
  readonly random: () => number
}

export interface ApiRequest {
  readonly method: 'GET' | 'PUT' | 'POST'
  /** After the base URL, begins with "/"; with its query. */
  readonly path: string
  /** Sent as JSON. */
  readonly body?: unknown
  /** What is being done, for an error: "list keys". */
  readonly what: string
}

export interface ApiAnswer {
  readonly status: number
  readonly bytes: Uint8Array
}

/**
 * Calls Cloudflare's REST API. Tries again, a few times and slower each time, after 429, 5xx and network errors; all
 * requests here may be repeated.
 */
export class CloudflareClient {
  readonly #baseUrl: string
  readonly #token: string
  readonly #runtime: ClientRuntime

  constructor(baseUrl: string, token: string, runtime: ClientRuntime) {
    // A header value with a line break in it would be quoted in the error that fetch throws.
    if (!/^[\x21-\x7e]+$/.test(token)) throw new StoreError('the Cloudflare API token has characters that no token has')
    this.#baseUrl = baseUrl
    this.#token = token
    this.#runtime = runtime
  }

  /** The answer, which is 2xx or one of `expected`. Rejects with a StoreError. */
  async send(request: ApiRequest, expected: readonly number[] = []): Promise<ApiAnswer> {
    for (let tries = 1; ; tries++) {
      const outcome = await this.#attempt(request)
      if (outcome.answer !== undefined && (outcome.answer.status < 300 || expected.includes(outcome.answer.status))) {
        return outcome.answer
      }
      if (outcome.retryAfter === undefined || tries === TRIES) throw this.#error(request, outcome.problem, tries)
      if (outcome.retryAfter > LONGEST_RETRY_AFTER) {
        const seconds = Math.ceil(outcome.retryAfter / 1000)
        throw this.#error(request, `${outcome.problem}, and asks to wait ${seconds} s before the next request`, tries)
      }
      await this.#runtime.wait(Math.max(outcome.retryAfter, this.backOff(tries)))
    }
  }

  /** Milliseconds to wait after so many tries. */
  backOff(tries: number): number {
    const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tries - 1))
    return longest * (1 - this.#runtime.random() / 2)
  }

  async #attempt({ method, path, body }: ApiRequest): Promise<Attempt> {
    try {
      const response = await fetch(this.#baseUrl + path, {
        method,
        headers: {
          authorization: `Bearer ${this.#token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // The token goes to nobody else.
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT),
      })
      const bytes = new Uint8Array(await response.arrayBuffer())
      const retriable = response.status === 429 || response.status >= 500
      return {
        answer: { status: response.status, bytes },
        problem: problemOf(response.status, bytes),
        retryAfter: retriable ? this.#retryAfter(response.headers.get('retry-after')) : undefined,
      }
    } catch (error) {
      return { answer: undefined, problem: networkProblem(error), retryAfter: 0 }
    }
  }

  /** Milliseconds, from seconds or a date (RFC 9110 section 10.2.3). */
  #retryAfter(header: string | null): number {
    if (header === null) return 0
    const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - this.#runtime.now()
    return Number.isFinite(wait) ? Math.max(0, wait) : 0
  }

  #error({ what }: ApiRequest, problem: string, tries: number): StoreError {
    const times = tries === 1 ? '' : `, ${tries} times`
    const message = `cannot ${what} in Cloudflare KV: ${problem}${times}`
    return new StoreError(message.replaceAll(this.#token, '…'))
  }
}

interface Attempt {
  readonly answer: ApiAnswer | undefined
  /** What was wrong, if anything was. */
  readonly problem: string
  /** Milliseconds to wait at least before another try; undefined when that would not help. */
  readonly retryAfter: number | undefined
}

const envelope = z.object({ errors: z.array(z.object({ code: z.number(), message: z.string() })) })

/** The errors of the envelope that Cloudflare answers in; "" when the answer is of another form. */
function errorsIn(bytes: Uint8Array): string {
  try {
    const { errors } = envelope.parse(JSON.parse(new TextDecoder().decode(bytes)))
    return errors.map(({ code, message }) => ` (${code}: ${message})`).join('')
  } catch {
    return ''
  }
}

function problemOf(status: number, bytes: Uint8Array): string {
  const said = errorsIn(bytes)
  switch (status) {
    case 401:
      return `the API token is not accepted${said}; check CLOUDFLARE_API_TOKEN`
    case 403:
      return `the API token may not do this${said}; it needs the permission "Workers KV Storage: Edit" for this account`
    case 404:
      return `there is no such account or namespace${said}; check CLOUDFLARE_ACCOUNT_ID and the id of the KV namespace`
    default:
      return `Cloudflare answers ${status}${said}`
  }
}

function networkProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return `the connection failed (${error.message}${cause})`
}
