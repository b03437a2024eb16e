import {
  type Backend,
  type Listener,
  Origin,
  type PathMatch,
  PathMatch_Kind,
  type SessionPersistence,
  SessionPersistence_Kind,
} from '../proto/gen/route_table.ts'
import type { BackendLink } from './backend-link.ts'
import { chooseByWeight } from './backends.ts'
import { isPreflight } from './cors.ts'
import type { Decision, Forward, Missing, Redirect, Respond, Session, Why } from './decision.ts'
import type { RequestFacts } from './facts.ts'
import type { Filters } from './filters.ts'
import { redirectLocation } from './redirect.ts'
import { modifiedPath } from './rewrite.ts'
import type { CompiledRule, Target } from './rule.ts'
import { cookiePath, endpointOf, readToken } from './session.ts'
import { ShardSlot } from './shard-slot.ts'
import type { Table } from './table.ts'

/** A request that has met a match, and what deciding on it takes. */
export interface Met {
  readonly facts: RequestFacts
  readonly listener: Listener
  /** What the match wants of the path. */
  readonly path: PathMatch | undefined
  readonly table: Table
  readonly random: () => number
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** What the rule behind the match makes of the request. HTTPRouteRule. */
export function outcome(rule: CompiledRule, met: Met): Decision {
  if (rule.invalid !== '') return respond(500, 'invalid-rule', rule, rule.filters, met)
  const answer = filterAnswer(rule, rule.filters, met)
  if (answer !== undefined) return answer

  const held = heldSession(rule, met)
  if (held instanceof ShardSlot) return { type: 'missing', shards: [held.name] }
  // All that the draw may choose, before it is drawn: what is loaded already must not have the better odds.
  const certain = held?.target ?? rule.certain
  const missing = missingShards(certain === undefined ? rule.targets : [certain], met.table)
  if (missing !== undefined) return missing
  const target = certain ?? chooseByWeight(rule.targets, met.random)
  if (target === undefined) return respond(500, 'no-backends', rule, rule.filters, met)
  if (target.invalid !== '') return respond(500, 'invalid-backend', rule, target.filters, met)
  return filterAnswer(rule, target.filters, met) ?? forward(rule, target, held, met)
}

/** The answer of a filter that lets no request through. A redirect must not keep a browser from its preflight. */
function filterAnswer(rule: CompiledRule, filters: Filters, met: Met): Respond | Redirect | undefined {
  const { facts, listener } = met
  if (filters.cors !== undefined && isPreflight(facts)) return respond(204, 'cors-preflight', rule, filters, met)
  if (filters.redirect === undefined) return undefined
  return {
    type: 'redirect',
    matched: rule.matched,
    status: filters.redirect.status === 0 ? 302 : filters.redirect.status,
    location: redirectLocation(filters.redirect, facts, listener.port, matchedPrefix(met)),
    responseHeaders: filters.responseHeaders(facts),
  }
}

/** A session that the client goes on with. */
interface Held {
  readonly target: Target
  readonly startedAt: number
  readonly endpoint: number | undefined
}

/** "A persistent session takes precedence over traffic split weights", even over a weight of 0. GEP-1619.
 *  A slot when the backend has to be loaded first to know. */
function heldSession(rule: CompiledRule, { facts, table, now }: Met): Held | ShardSlot | undefined {
  if (rule.session === undefined) return undefined
  const token = readToken(rule.session, facts, now, (scope) => rule.targets.some((target) => target.scope === scope))
  const target = rule.targets.find(({ scope, invalid }) => scope === token?.scope && invalid === '')
  if (token === undefined || target === undefined) return undefined
  const backend = table.backend(target)
  if (backend === undefined || backend instanceof ShardSlot) return backend
  const endpoint = endpointOf(token, backend)
  // Its endpoint is gone, so the session is over.
  if (endpoint === undefined && (token.endpoint !== 0 || backend.origin === Origin.CONNECTOR)) return undefined
  return { target, startedAt: token.startedAt, endpoint }
}

export function missingShards(targets: readonly Target[], table: Table): Missing | undefined {
  let names: Set<string> | undefined
  for (const target of targets) {
    if (target.invalid !== '') continue
    names = withMissing(names, target, table)
    for (const mirror of target.filters.mirrors) names = withMissing(names, mirror, table)
  }
  return names && { type: 'missing', shards: [...names] }
}

function withMissing(names: Set<string> | undefined, link: BackendLink, table: Table): Set<string> | undefined {
  const found = table.backend(link)
  return found instanceof ShardSlot ? (names ?? new Set()).add(found.name) : names
}

function forward(rule: CompiledRule, target: Target, held: Held | undefined, met: Met): Forward | Respond {
  const { facts, table } = met
  const { filters } = target
  const { rewrite } = filters
  const backend = loadedBackend(target, table)
  if (backend === undefined) return respond(500, 'invalid-backend', rule, filters, met)
  if (!isServed(backend)) return respond(503, 'no-endpoints', rule, filters, met)
  return {
    type: 'forward',
    matched: rule.matched,
    backend,
    authority: rewrite === undefined || rewrite.hostname === '' ? facts.authority : rewrite.hostname,
    path: rewrite === undefined ? facts.path : modifiedPath(rewrite.path, facts.path, matchedPrefix(met)),
    query: facts.query,
    requestHeaders: filters.requestHeaders,
    responseHeaders: filters.responseHeaders(facts),
    mirrors: filters.mirrors.length === 0 ? NO_MIRRORS : drawnMirrors(filters, met),
    requestTimeout: rule.requestTimeout,
    backendTimeout: rule.backendTimeout,
    retry: rule.retry,
    session: rule.session && session(rule.session, target, held, met),
  }
}

const NO_MIRRORS: readonly Backend[] = []

function drawnMirrors({ mirrors }: Filters, { table, random }: Met): readonly Backend[] {
  return mirrors.flatMap((mirror) => {
    if (!mirror.takes(random)) return []
    const backend = loadedBackend(mirror, table)
    return backend !== undefined && isServed(backend) ? [backend] : []
  })
}

function session(persistence: SessionPersistence, target: Target, held: Held | undefined, { path }: Met): Session {
  const { kind, name, absoluteTimeout, permanent } = persistence
  return {
    kind: kind === SessionPersistence_Kind.COOKIE ? 'cookie' : 'header',
    name,
    scope: target.scope,
    path: cookiePath(path),
    endpoint: held?.endpoint,
    startedAt: held?.startedAt,
    absoluteTimeout,
    permanent,
  }
}

function respond(status: number, why: Why, { matched }: CompiledRule, filters: Filters, { facts }: Met): Respond {
  return { type: 'respond', matched, status, why, responseHeaders: filters.responseHeaders(facts) }
}

export function loadedBackend(link: BackendLink, table: Table): Backend | undefined {
  const backend = table.backend(link)
  return backend instanceof ShardSlot ? undefined : backend
}

/** Whether there is something to send to; only a connector has to be told an endpoint. */
const isServed = ({ origin, endpoints }: Backend): boolean => origin !== Origin.CONNECTOR || endpoints.length > 0

/** A match without a path is a prefix of "/". HTTPRouteMatch.path. */
function matchedPrefix({ path }: Met): string | undefined {
  if (path === undefined) return '/'
  return path.kind === PathMatch_Kind.PREFIX ? path.value : undefined
}
