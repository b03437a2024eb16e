import type { Origin } from '../../proto/gen/route_table.ts'
import { attach, type Attached, type ParentAttachment } from './attach.ts'
import type { Finding } from './finding.ts'
import { type Kept, keep } from './kept.ts'
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
  /** By the origin that its Gateways set; nearly always one. */
  readonly rules: ReadonlyMap<Origin, Kept<RouteRules>>
}

/** The same again while nothing that the route looks up has changed. */
export function routeState(route: Route, earlier: KeptRoute | undefined, source: Source): KeptRoute {
  const attached = keep(earlier?.attached, source, (source) => attach(route, source))
  const rules = new Map<Origin, Kept<RouteRules>>()
  for (const { parent } of attached.value.parents) {
    const { origin } = parent
    if (!rules.has(origin)) rules.set(origin, keep(earlier?.rules.get(origin), source, (source) => routeRules(route, origin, source)))
  }
  if (earlier !== undefined && attached === earlier.attached && [...rules].every(([origin, kept]) => kept === earlier.rules.get(origin))) {
    return earlier
  }
  return { state: combined(route, attached.value, rules), attached, rules }
}

function combined(route: Route, attached: Attached, rules: ReadonlyMap<Origin, Kept<RouteRules>>): RouteState {
  const parents = attached.parents.flatMap((attachment) => {
    const kept = rules.get(attachment.parent.origin)
    return kept === undefined ? [] : [{ ...attachment, rules: kept.value }]
  })
  const findings = [
    ...attached.findings,
    ...attached.parents.flatMap(({ findings }) => findings),
    ...[...rules.values()].flatMap(({ value }) => value.findings),
  ]
  const sizes = parents.map(({ parent, attachments, rules }) => ({
    gateway: parent.gateway,
    matches: attachments.reduce((sum, { hostnames }) => sum + hostnames.length, 0) * rules.matches.length,
  }))
  return { route, parents, sizes, findings }
}
