import type { Forward, Why } from '../engine/decision.ts'
import { errorHeader, hostHeader, originHeader } from '../engine/origin-token.ts'
import { type Backend, type Endpoint, Origin } from '../proto/gen/route_table.ts'
import type { ConnectorTokens } from './connector-tokens.ts'

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
  readonly fetch: (target: string | Request, init: RequestInit) => Promise<Response>
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

  /** One try against `backend`, at one of its endpoints where the connector is the way; undefined where there is no such
   *  way. Throws or rejects as fetch() does. `now` is in milliseconds since the epoch. */
  send(
    backend: Backend,
    endpoint: Endpoint | undefined,
    { target, method, headers, body, clientCertificate }: Outgoing,
    authority: string,
    now: number,
    signal: AbortSignal | undefined,
  ): Promise<Response> | undefined {
    const init: RequestInit =
      body === undefined ? { headers, redirect: 'manual' } : { method, headers, body, redirect: 'manual' }
    if (signal !== undefined) init.signal = signal
    switch (backend.origin) {
      case Origin.CONNECTOR: {
        const connector = this.#connector
        const token = endpoint && this.#tokens?.get(endpoint, backend, clientCertificate, now)
        if (connector === undefined || token === undefined) return undefined
        headers.set(hostHeader, authority)
        return typeof token === 'string'
          ? ask(connector, token, target, headers, init)
          : askWhenSigned(connector, token, target, headers, init)
      }
      case Origin.RESOLVE_OVERRIDE:
        forgetConnector(headers)
        return fetch(target, { ...init, cf: { resolveOverride: backend.originAddress } })
      case Origin.URL:
        forgetConnector(headers)
        return fetch(target, init)
    }
  }
}

function ask(
  connector: Connector,
  token: string,
  target: string | Request,
  headers: Headers,
  init: RequestInit,
): Promise<Response> {
  headers.set(originHeader, token)
  return connector.fetch(target, init)
}

async function askWhenSigned(
  connector: Connector,
  token: Promise<string>,
  target: string | Request,
  headers: Headers,
  init: RequestInit,
): Promise<Response> {
  return ask(connector, await token, target, headers, init)
}

/** Nobody but Landfall says these, and nobody but the connector hears them. */
function forgetConnector(headers: Headers): void {
  headers.delete(originHeader)
  headers.delete(hostHeader)
}

/** Why a response for `backend` is none of its origin: a connector that answers itself says so in a header, with a status of
 *  400 or more. */
export function connectorFailure({ origin }: Backend, response: Response, status: number): Why | undefined {
  if (status < 400 || origin !== Origin.CONNECTOR) return undefined
  const error = response.headers.get(errorHeader)
  return error === null ? undefined : failureOf(error)
}

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
