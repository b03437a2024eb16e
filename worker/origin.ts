import type { Forward, Why } from '../engine/decision.ts'
import { errorHeader, hostHeader, originHeader } from '../engine/origin-token.ts'
import { type Backend, type Endpoint, Origin } from '../proto/gen/route_table.ts'
import type { ConnectorTokens } from './connector-tokens.ts'

/** What came back. `failure` is set when there is no answer of the origin in `response`, or none at all. */
export interface Answer {
  readonly response: Response | undefined
  readonly failure: Why | undefined
}

/** A request on its way to an origin. */
export interface Outgoing {
  /** A request instead of the URL where it alone can carry the body: fetch() gives no GET one. */
  readonly target: string | Request
  readonly method: string
  /** A try at an origin adds to them what its way there needs. */
  readonly headers: Headers
  /** undefined: it is in `target`. */
  readonly body: BodyInit | null | undefined
  /** What origins are shown that ask for a certificate: Settings.client_certificate. */
  readonly clientCertificate: string
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

  /** One try against `backend`, at one of its endpoints where the connector is the way. Never rejects.
   *  `now` is in milliseconds since the epoch. */
  async send(
    backend: Backend,
    endpoint: Endpoint | undefined,
    { target, method, headers, body, clientCertificate }: Outgoing,
    authority: string,
    now: number,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const init: RequestInit =
      body === undefined ? { headers, redirect: 'manual' } : { method, headers, body, redirect: 'manual' }
    if (signal !== undefined) init.signal = signal
    try {
      switch (backend.origin) {
        case Origin.CONNECTOR: {
          const token = endpoint && this.#tokens?.get(endpoint, backend, clientCertificate, now)
          if (this.#connector === undefined || token === undefined) return failed('connector-refused')
          headers.set(originHeader, typeof token === 'string' ? token : await token)
          headers.set(hostHeader, authority)
          return fromConnector(await this.#connector.fetch(target, init))
        }
        case Origin.RESOLVE_OVERRIDE:
          forgetConnector(headers)
          return answered(await fetch(target, { ...init, cf: { resolveOverride: backend.originAddress } }))
        case Origin.URL:
          forgetConnector(headers)
          return answered(await fetch(target, init))
      }
    } catch {
      return failed(signal?.aborted === true ? 'backend-timeout' : 'connect-failed')
    }
  }
}

/** Nobody but Landfall says these, and nobody but the connector hears them. */
function forgetConnector(headers: Headers): void {
  headers.delete(originHeader)
  headers.delete(hostHeader)
}

/** A connector that answers itself says so in a header, with a status of 400 or more. */
function fromConnector(response: Response): Answer {
  const error = response.status < 400 ? null : response.headers.get(errorHeader)
  return error === null ? answered(response) : failed(failureOf(error))
}

const answered = (response: Response): Answer => ({ response, failure: undefined })
const failed = (failure: Why): Answer => ({ response: undefined, failure })

const failures: ReadonlyMap<string, Why> = new Map<string, Why>([
  ['connect-failed', 'connect-failed'],
  ['tls-failed', 'tls-failed'],
  ['connection-lost', 'connection-lost'],
  ['invalid-response', 'invalid-response'],
  ['overloaded', 'overloaded'],
  ['timeout', 'backend-timeout'],
])

/** What the connector says (OriginError), in the words that clients see. */
const failureOf = (error: string): Why => failures.get(error) ?? 'connector-refused'
