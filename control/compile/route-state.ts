import { type Attached, attach, isAttachedAlike, type ParentAttachment } from './attach.ts'
import type { Finding } from './finding.ts'
import { holds, type Kept, keep } from './kept.ts'
import type { DefaultOrigin } from './origins.ts'
import type { Route } from './routes.ts'
import { type RouteRules, routeRules } from './rules.ts'
import type { Source } from './source.ts'

/** A route at one of its parents. */
export interface ParentState extends ParentAttachment {
  readonly rules: RouteRules
}

/** A route, at all its parents that are ours. */
export interface RouteState {
  readonly route: Route
  readonly parents: readonly ParentState[]
  /** How many matches the route brings to the table of each Gateway, counted for each listener and hostname. */
  readonly sizes: readonly { readonly gateway: string; readonly matches: number }[]
  /** All there are, each once. */
  readonly findings: readonly Finding[]
}

/** Whether a route is accepted at a parent. */
export const isAcceptedAt = ({ attachments, rules }: ParentState): boolean => attachments.length > 0 && rules.isValid

/** A route's state, and what it was made of: where it is attached and what its rules come to change apart. */
export interface KeptRoute {
  readonly state: RouteState
  readonly attached: Kept<Attached>
  /** By the origin of its Gateways; nearly always one. */
  readonly rules: ReadonlyMap<DefaultOrigin, Kept<RouteRules>>
}

/** The same again while nothing that the route looks up has changed. */
export function routeState(route: Route, earlier: KeptRoute | undefined, source: Source): KeptRoute {
  if (earlier !== undefined && isCurrent(earlier, source)) return earlier
  const attached = keep(earlier?.attached, source, (source) => attach(route, source))
  const origins = new Set(attached.value.parents.map(({ origin }) => origin))
  const rules = new Map(
    Array.from(origins, (origin) => [
      origin,
      keep(earlier?.rules.get(origin), source, (source) => routeRules(route, origin, source)),
    ]),
  )
  const isAlike =
    earlier !== undefined &&
    isAttachedAlike(attached.value, earlier.attached.value) &&
    [...rules].every(([origin, kept]) => kept === earlier.rules.get(origin))
  return { state: isAlike ? earlier.state : combined(route, attached.value, rules), attached, rules }
}

function isCurrent({ attached, rules }: KeptRoute, source: Source): boolean {
  if (!holds(attached, source)) return false
  for (const kept of rules.values()) if (!holds(kept, source)) return false
  return true
}

function combined(route: Route, attached: Attached, rules: ReadonlyMap<DefaultOrigin, Kept<RouteRules>>): RouteState {
  const parents = attached.parents.flatMap((attachment) => {
    const kept = rules.get(attachment.origin)
    return kept === undefined ? [] : [{ ...attachment, rules: kept.value }]
  })
  const findings = [
    ...attached.findings,
    ...attached.parents.flatMap(({ findings }) => findings),
    ...unique([...rules.values()].flatMap(({ value }) => value.findings)),
  ]
  const sizes = parents.map(({ gateway, attachments, rules }) => ({
    gateway,
    matches: attachments.reduce((sum, { hostnames }) => sum + hostnames.length, 0) * rules.matches.length,
  }))
  return { route, parents, sizes, findings }
}

/** Gateways with different origins find the same mistakes. */
const unique = (findings: readonly Finding[]): readonly Finding[] => [
  ...new Map(findings.map((finding) => [`${finding.path.join(' ')}: ${finding.message}`, finding])).values(),
]
