import { oldestFirst } from './age.ts'
import type { Attachment } from './attach.ts'
import { error, type Finding } from './finding.ts'
import { type Loss, type Losses, refuse } from './losses.ts'
import { leaveToOldest } from './oldest-streams.ts'
import { isAcceptedAt, type ParentState, type RouteState } from './route-state.ts'
import { refuseTakenHostnames } from './taken-hostnames.ts'

// What keeps a route out because of other routes. All else about a route is decided without looking at its neighbours.

/** Bound on the matches of a Gateway's table; a match counts once for each host that has it. Without it 64 listeners, 16
 *  hostnames and 10,000 routes make ten million hosts. */
export const maxMatches = 250_000

/** What a route lost before, to give the same object for the same losses. */
export type Admissions = ReadonlyMap<RouteState, { readonly key: string; readonly admitted: RouteState }>

/** The routes as they are after their losses. A route that loses nothing is the same object. */
export function admit(
  routes: readonly RouteState[],
  earlier: Admissions,
): { readonly routes: readonly RouteState[]; readonly admissions: Admissions } {
  const losses: Losses = new Map()
  // Of most Gateways nearly all routes are HTTPRoutes, which are looked at one by one only here.
  const others = routes.filter(({ route }) => route.kind !== 'HTTPRoute')
  if (others.length > 0) {
    refuseTakenHostnames(routes, others, losses)
    leaveToOldest(others, losses)
  }
  refuseOverflow(routes, losses)
  if (losses.size === 0) return { routes, admissions: new Map() }
  const admissions = new Map<RouteState, { readonly key: string; readonly admitted: RouteState }>()
  const admitted = routes.map((route) => {
    const lost = losses.get(route)
    if (lost === undefined) return route
    const key = keyOf(lost)
    const before = earlier.get(route)
    const kept = before?.key === key ? before : { key, admitted: without(route, lost) }
    admissions.set(route, kept)
    return kept.admitted
  })
  return { routes: admitted, admissions }
}

/** Says all that `without` depends on, each message once. */
const keyOf = (lost: ReadonlyMap<Attachment, Loss>): string =>
  Array.from(
    Map.groupBy(lost, ([, { finding }]) => finding.message),
    ([message, entries]) =>
      `${message}: ${entries.map(([{ listener }, { left }]) => `${listener} ${left?.join(',') ?? '-'}`).join(' ')}`,
  ).join('\n')

function without(state: RouteState, lost: ReadonlyMap<Attachment, Loss>): RouteState {
  const findings: Finding[] = []
  const parents = state.parents.map((parent): ParentState => {
    if (!parent.attachments.some((attachment) => lost.has(attachment))) return parent
    const attachments = parent.attachments.flatMap((attachment) => {
      const loss = lost.get(attachment)
      if (loss === undefined) return [attachment]
      return loss.left === undefined ? [] : [{ ...attachment, hostnames: loss.left }]
    })
    const reasons = [...new Set(parent.attachments.flatMap((attachment) => lost.get(attachment)?.finding ?? []))]
    findings.push(...reasons)
    // A route that some listener takes is accepted.
    return { ...parent, attachments, findings: attachments.length === 0 ? reasons : parent.findings }
  })
  return { ...state, parents, findings: [...state.findings, ...findings] }
}

/** Older routes go before younger ones until the table is full. */
function refuseOverflow(routes: readonly RouteState[], losses: Losses): void {
  const total = routes.reduce((sum, { sizes }) => sizes.reduce((sum, { matches }) => sum + matches, sum), 0)
  if (total <= maxMatches) return
  const sizes = new Map<string, number>()
  for (const state of routes) {
    for (const { gateway, matches } of state.sizes) sizes.set(gateway, (sizes.get(gateway) ?? 0) + matches)
  }
  const full = new Set([...sizes].flatMap(([gateway, size]) => (size > maxMatches ? [gateway] : [])))
  if (full.size === 0) return
  const left = new Map<string, number>()
  for (const state of routes.toSorted((a, b) => oldestFirst(a.route, b.route))) {
    for (const gateway of new Set(state.sizes.map(({ gateway }) => gateway))) {
      if (!full.has(gateway)) continue
      const size = state.sizes.reduce((sum, other) => sum + (other.gateway === gateway ? other.matches : 0), 0)
      const room = left.get(gateway) ?? maxMatches
      if (size <= room) {
        left.set(gateway, room - size)
        continue
      }
      const message = `with this route the table of Gateway ${gateway} would have more than ${maxMatches} matches, counted for each listener and hostname; remove hostnames, matches or other routes, or move some to another Gateway`
      for (const parent of state.parents) {
        if (parent.gateway !== gateway || !isAcceptedAt(parent)) continue
        const finding = error(state.route, parent.path, 'Accepted', 'TableFull', message)
        for (const attachment of parent.attachments) refuse(losses, { state, parent, attachment }, finding)
      }
    }
  }
}
