import {
  type Backend,
  Origin,
  type PathMatch,
  PathMatch_Kind,
  type SessionPersistence,
  SessionPersistence_Kind,
} from '../proto/gen/route_table.ts'
import type { Session } from './decision.ts'
import type { RequestFacts } from './facts.ts'
import { pathPattern } from './path-pattern.ts'
import { shardHash } from './shards.ts'

/**
 * What a client shows to go on with its session. Written as "started.scope.endpoint", each in base 36.
 *
 * A token is not signed: a client that forges one reaches an endpoint that it could have been sent to anyway.
 */
export interface Token {
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** As Session.scope. "Route rules … MUST NOT share persistent sessions", GEP-1619. */
  readonly scope: number
  /** Hash of the endpoint; 0 where the data plane was not the one to choose it. */
  readonly endpoint: number
}

const TOKEN = /^([\da-z]{1,9})\.([\da-z]{1,7})\.([\da-z]{1,7})$/

/** Milliseconds that the clocks of two data planes may differ by. */
const CLOCK_SKEW = 60_000

/** The first token that is in force and of a scope that `accepts`. A client may send several cookies of a name. */
export function readToken(
  session: SessionPersistence,
  facts: RequestFacts,
  now: number,
  accepts: (scope: number) => boolean,
): Token | undefined {
  for (const value of presentedValues(session, facts)) {
    const [, started, scope, endpoint] = TOKEN.exec(value) ?? []
    if (started === undefined || scope === undefined || endpoint === undefined) continue
    const token = { startedAt: fromBase36(started), scope: fromBase36(scope), endpoint: fromBase36(endpoint) }
    if (isInForce(token, session, now) && accepts(token.scope)) return token
  }
  return undefined
}

/** A token from the future is forged, to outlive the timeout. */
function isInForce({ startedAt }: Token, { absoluteTimeout }: SessionPersistence, now: number): boolean {
  return startedAt <= now + CLOCK_SKEW && (absoluteTimeout === 0 || now < startedAt + absoluteTimeout * 1000)
}

function presentedValues({ kind, name }: SessionPersistence, facts: RequestFacts): readonly string[] {
  if (kind === SessionPersistence_Kind.HEADER) return facts.header(name.toLowerCase())?.split(',') ?? []
  // A comma stands between the lines of several Cookie headers.
  const pairs = facts.header('cookie')?.split(/[;,]/) ?? []
  const start = `${name}=`
  return pairs.flatMap((pair) => {
    const trimmed = pair.trim()
    return trimmed.startsWith(start) ? [trimmed.slice(start.length)] : []
  })
}

/** Index of the endpoint that a token names; undefined when it is gone, or the data plane is not to choose one. */
export function endpointOf(token: Token, backend: Backend): number | undefined {
  return token.endpoint === 0 ? undefined : endpointIndexes(backend).get(token.endpoint)
}

const indexes = new WeakMap<Backend, ReadonlyMap<number, number>>()

function endpointIndexes(backend: Backend): ReadonlyMap<number, number> {
  let byHash = indexes.get(backend)
  if (byHash === undefined) {
    byHash = new Map(backend.endpoints.map((_, index) => [endpointHash(backend, index), index]))
    indexes.set(backend, byHash)
  }
  return byHash
}

function endpointHash({ endpoints }: Backend, index: number): number {
  const endpoint = endpoints[index]
  return endpoint === undefined ? 0 : shardHash(`${endpoint.address} ${endpoint.port}`) || 1
}

/**
 * The response header, name and value, that gives the client its session with the endpoint that answered; undefined when
 * the client has it already. `endpoint` is an index, or undefined when the data plane did not choose one. `now` is in
 * milliseconds since the epoch.
 */
export function sessionValue(
  session: Session,
  backend: Backend,
  endpoint: number | undefined,
  scheme: string,
  now: number,
): readonly [name: string, value: string] | undefined {
  if (session.startedAt !== undefined && session.endpoint === endpoint) return undefined
  if (endpoint === undefined && backend.origin === Origin.CONNECTOR) return undefined
  const startedAt = session.startedAt ?? now
  const hash = endpoint === undefined ? 0 : endpointHash(backend, endpoint)
  const token = [startedAt, session.scope, hash].map((part) => part.toString(36)).join('.')
  if (session.kind === 'header') return [session.name, token]
  const attributes = [`${session.name}=${token}`, `Path=${session.path}`, 'HttpOnly', 'SameSite=Lax']
  if (scheme === 'https') attributes.push('Secure')
  // The cookie is to end with the session, not that long after its latest renewal.
  const left = Math.ceil((startedAt - now) / 1000) + session.absoluteTimeout
  if (session.permanent) attributes.push(`Max-Age=${Math.max(0, left)}`)
  return ['Set-Cookie', attributes.join('; ')]
}

/** What the route says of paths, so that sessions of its rules stay apart. GEP-1619, "Path". */
export function cookiePath(match: PathMatch | undefined): string {
  if (match === undefined) return '/'
  const { literal } = match.kind === PathMatch_Kind.REGEX ? pathPattern(match.value) : { literal: undefined }
  // Of an expression the whole segments before its first operator.
  const path = literal === undefined ? match.value : literal.slice(0, literal.lastIndexOf('/'))
  return path === '' || path.includes(';') ? '/' : path
}

const fromBase36 = (digits: string): number => Number.parseInt(digits, 36)
