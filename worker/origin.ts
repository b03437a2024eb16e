import type { Forward, Why } from '../engine/decision.ts'
import { errorHeader, hostHeader, originHeader } from '../engine/origin-token.ts'
import { type Backend, type Endpoint, Origin } from '../proto/gen/route_table.ts'
import type { ConnectorTokens } from './connector-tokens.ts'

/** What came back. `failure` is set when there is no answer of the origin in `response`, or none at all. */
export interface Answer {
  readonly response: Response | undefined
  readonly failure: Why | undefined
}

type Target = Pick<Forward, 'authority' | 'path' | 'query'>

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

  /** The URL that a request for `backend` is built on; undefined where there is no way to it. */
  urlOf({ origin, originAddress }: Backend, { authority, path, query }: Target, scheme: string): string | undefined {
    const target = query === '' ? path : `${path}?${query}`
    switch (origin) {
      case Origin.CONNECTOR:
        // It takes the host from a header of its own: a URL would lower its case and drop its default port.
        return this.#connector && `${this.#connector.url}${target}`
      case Origin.RESOLVE_OVERRIDE:
        return `${scheme}://${authority}${target}`
      case Origin.URL:
        return `${originAddress}${target}`
    }
  }

  /** One try against `backend`, at one of its endpoints where the connector is the way. Never rejects. */
  async send(
    backend: Backend,
    endpoint: Endpoint | undefined,
    outgoing: Request,
    authority: string,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    try {
      const init = signal && { signal }
      switch (backend.origin) {
        case Origin.CONNECTOR:
          return await this.#throughConnector(backend, endpoint, outgoing, authority, init)
        case Origin.RESOLVE_OVERRIDE:
          return answered(await fetch(outgoing, { ...init, cf: { resolveOverride: backend.originAddress } }))
        case Origin.URL:
          return answered(await fetch(outgoing, init))
      }
    } catch {
      return failed(signal?.aborted === true ? 'backend-timeout' : 'connect-failed')
    }
  }

  async #throughConnector(
    { protocol }: Backend,
    endpoint: Endpoint | undefined,
    outgoing: Request,
    authority: string,
    init: RequestInit | undefined,
  ): Promise<Answer> {
    const signed = endpoint && this.#tokens?.get(endpoint, protocol)
    const token = typeof signed === 'object' ? await signed : signed
    if (this.#connector === undefined || token === undefined) return failed('connector-refused')
    outgoing.headers.set(originHeader, token)
    outgoing.headers.set(hostHeader, authority)
    const response = await this.#connector.fetch(outgoing, init)
    const error = response.headers.get(errorHeader)
    return error === null ? answered(response) : failed(failureOf(error))
  }
}

const answered = (response: Response): Answer => ({ response, failure: undefined })
const failed = (failure: Why): Answer => ({ response: undefined, failure })

const failures: ReadonlyMap<string, Why> = new Map<string, Why>([
  ['connect-failed', 'connect-failed'],
  ['connection-lost', 'connection-lost'],
  ['invalid-response', 'invalid-response'],
  ['overloaded', 'overloaded'],
  ['timeout', 'backend-timeout'],
])

/** What the connector says (OriginError), in the words that clients see. */
const failureOf = (error: string): Why => failures.get(error) ?? 'connector-refused'
