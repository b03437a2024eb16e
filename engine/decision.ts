import type { Backend } from '../proto/gen/route_table.ts'

/** Everything that a request can meet. */
export type Decision = Forward | Redirect | Respond | Missing

/** Which part of which manifest decided; undefined where no route was reached. */
export interface Matched {
  /** Listener.id. */
  readonly listener: string
  /** Host.hostname. */
  readonly hostname: string
  /** "HTTPRoute namespace/name", and so for every kind of route. */
  readonly route: string
  readonly rule: number
  /** The rule's own name, or "". */
  readonly ruleName: string
}

/** Send the request to an endpoint of `backend`. */
export interface Forward {
  readonly type: 'forward'
  readonly matched: Matched
  readonly backend: Backend
  /** Authority to send; the client's own unless a filter rewrites it. */
  readonly authority: string
  readonly path: string
  readonly query: string
  readonly requestHeaders: HeaderEdit
  /** For every response to this request, Landfall's own included. */
  readonly responseHeaders: HeaderEdit
  /** Already drawn: each of these gets a copy. */
  readonly mirrors: readonly Backend[]
  /** Milliseconds; 0 is none. */
  readonly requestTimeout: number
  /** Milliseconds for each try; 0 is none. */
  readonly backendTimeout: number
  readonly retry: RetryPolicy | undefined
  readonly session: Session | undefined
}

export interface Redirect {
  readonly type: 'redirect'
  readonly matched: Matched
  readonly status: number
  readonly location: string
  readonly responseHeaders: HeaderEdit
}

/** Answer at once, without an upstream. */
export interface Respond {
  readonly type: 'respond'
  readonly matched: Matched | undefined
  readonly status: number
  readonly why: Why
  readonly responseHeaders: HeaderEdit
}

/** The table has parts that are not here yet: load these shards (hex of ShardRef.hash), then decide again. */
export interface Missing {
  readonly type: 'missing'
  readonly shards: readonly string[]
}

/** In this order: remove, set, add. Names as the manifest wrote them; each `add` is a header line of its own. */
export interface HeaderEdit {
  readonly remove: readonly string[]
  readonly set: readonly (readonly [name: string, value: string])[]
  readonly add: readonly (readonly [name: string, value: string])[]
}

export const noEdit: HeaderEdit = { remove: [], set: [], add: [] }

export interface RetryPolicy {
  readonly codes: readonly number[]
  /** Tries after the first. */
  readonly attempts: number
  /** Milliseconds before the first retry; the next waits grow from it. */
  readonly backoff: number
}

/** A session that this request has or is to be given. engine/session.ts says what to tell the client. */
export interface Session {
  readonly kind: 'cookie' | 'header'
  readonly name: string
  /** What a token is good for: hash of the rule and of its backendRef. */
  readonly scope: number
  /** The cookie's Path: what the request's match says of paths. */
  readonly path: string
  /** Index into Forward.backend.endpoints that the client's token names; undefined for a new session. */
  readonly endpoint: number | undefined
  /** Milliseconds since the epoch; from the token, or undefined for a new session. */
  readonly startedAt: number | undefined
  /** Seconds; 0 is none. */
  readonly absoluteTimeout: number
  readonly permanent: boolean
}

/** Why Landfall itself answers. The value is what a client sees in the landfall-reason header, a log and a metric. */
export type Why =
  // Decided from the table.
  | 'no-listener'
  | 'no-route'
  | 'no-backends'
  | 'invalid-backend'
  | 'invalid-rule'
  | 'no-endpoints'
  | 'cors-preflight'
  // Found out on the way.
  | 'bad-request'
  | 'misdirected'
  | 'no-websocket'
  | 'no-table'
  | 'shard-unavailable'
  | 'connect-failed'
  | 'tls-failed'
  | 'connection-lost'
  | 'invalid-response'
  | 'overloaded'
  | 'connector-refused'
  | 'request-timeout'
  | 'backend-timeout'
  | 'internal-error'
