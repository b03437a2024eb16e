import type { Forward, Why } from '../engine/decision.ts'
import { errorHeader, hostHeader, originHeader } from '../engine/origin-token.ts'
import { type Backend, Origin } from '../proto/gen/route_table.ts'
import type { ConnectorTokens } from './connector-tokens.ts'

/** What one try sends; the headers are its own copy. */
export interface Message {
  readonly method: string
  readonly scheme: string
  /** As Forward.authority, path and query. */
  readonly target: Pick<Forward, 'authority' | 'path' | 'query'>
  readonly headers: Headers
  readonly body: BodyInit | null
  /** The client's request, when it has a body that its method does not let one give to fetch(): GET. */
  readonly carrier: Request | undefined
  readonly signal: AbortSignal | null
}

/** What came back. `failure` is set when there is no answer of the origin in `response`, or none at all. */
export interface Answer {
  readonly response: Response | undefined
  readonly failure: Why | undefined
}

/** Where the connector is: `url` has no path, and `fetch` reaches it. */
export interface Connector {
  readonly url: string
  readonly fetch: typeof fetch
}

/** The ways out of the Worker: a backend's `origin` chooses. */
export class Origins {
  readonly #connector: Connector | undefined
  readonly #tokens: ConnectorTokens | undefined

  constructor(connector: Connector | undefined, tokens: ConnectorTokens | undefined) {
    this.#connector = connector
    this.#tokens = tokens
  }

  /** One try against `backend`, at one of its endpoints where the connector is the way. Never rejects. */
  async send(backend: Backend, endpoint: number | undefined, message: Message): Promise<Answer> {
    try {
      const response = await this.#fetch(backend, endpoint, message)
      if (response === undefined) return { response: undefined, failure: 'connector-refused' }
      const error = backend.origin === Origin.CONNECTOR ? response.headers.get(errorHeader) : null
      return error === null ? { response, failure: undefined } : { response: undefined, failure: failureOf(error) }
    } catch {
      return { response: undefined, failure: message.signal?.aborted === true ? 'backend-timeout' : 'connect-failed' }
    }
  }

  async #fetch(backend: Backend, endpoint: number | undefined, message: Message): Promise<Response | undefined> {
    const { method, headers, body, carrier, signal, target } = message
    const path = target.query === '' ? target.path : `${target.path}?${target.query}`
    const init = { headers, signal, redirect: 'manual' as const, ...(carrier === undefined ? { method, body } : {}) }
    const to = (url: string): string | Request => (carrier === undefined ? url : new Request(url, carrier))
    switch (backend.origin) {
      case Origin.CONNECTOR: {
        const chosen = endpoint === undefined ? undefined : backend.endpoints[endpoint]
        if (this.#connector === undefined || this.#tokens === undefined || chosen === undefined) return undefined
        const signed = this.#tokens.get(chosen, backend.protocol)
        const token = typeof signed === 'object' ? await signed : signed
        if (token === undefined) return undefined
        headers.set(originHeader, token)
        headers.set(hostHeader, target.authority)
        // The connector takes the host from its header: a URL would lower its case and drop its default port.
        return this.#connector.fetch(to(`${this.#connector.url}${path}`), init)
      }
      case Origin.RESOLVE_OVERRIDE:
        return fetch(to(`${message.scheme}://${target.authority}${path}`), {
          ...init,
          cf: { resolveOverride: backend.originAddress },
        })
      case Origin.URL:
        return fetch(to(`${backend.originAddress}${path}`), init)
    }
  }
}

const failures: ReadonlyMap<string, Why> = new Map<string, Why>([
  ['connect-failed', 'connect-failed'],
  ['connection-lost', 'connection-lost'],
  ['invalid-response', 'invalid-response'],
  ['overloaded', 'overloaded'],
  ['timeout', 'backend-timeout'],
])

/** What the connector says (OriginError), in the words that clients see. */
const failureOf = (error: string): Why => failures.get(error) ?? 'connector-refused'
