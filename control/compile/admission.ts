import { oldestFirst } from './age.ts'
import type { Attachment } from './attach.ts'
import { error, type Finding } from './finding.ts'
import { containing } from './hostnames.ts'
import { isAcceptedAt, type ParentState, type RouteState } from './route-state.ts'

// What keeps a route out because of other routes. All else about a route is decided without looking at its neighbours.

/** Bound on the matches of a Gateway's table; a match counts once for each host that has it. Without it 64 listeners, 16
 *  hostnames and 10,000 routes make ten million hosts. */
export const maxMatches = 250_000

/** Attachments that are refused, with the reason. */
type Refusals = Map<RouteState, Map<Attachment, Finding>>

/** What a route was refused before, to give the same object for the same refusal. */
export type Admissions = ReadonlyMap<RouteState, { readonly key: string; readonly admitted: RouteState }>

/** The routes as they are after refusals. A route that loses nothing is the same object. */
export function admit(
  routes: readonly RouteState[],
  earlier: Admissions,
): { readonly routes: readonly RouteState[]; readonly admissions: Admissions } {
  const refusals: Refusals = new Map()
  refuseTakenHostnames(routes, refusals)
  refuseOverflow(routes, refusals)
  if (refusals.size === 0) return { routes, admissions: new Map() }
  const admissions = new Map<RouteState, { readonly key: string; readonly admitted: RouteState }>()
  const admitted = routes.map((route) => {
    const refused = refusals.get(route)
    if (refused === undefined) return route
    const key = keyOf(refused)
    const before = earlier.get(route)
    const kept = before?.key === key ? before : { key, admitted: without(route, refused) }
    admissions.set(route, kept)
    return kept.admitted
  })
  return { routes: admitted, admissions }
}

/** Says all that `without` depends on, each message once. */
const keyOf = (refused: ReadonlyMap<Attachment, Finding>): string =>
  Array.from(
    Map.groupBy(refused, ([, { message }]) => message),
    ([message, entries]) => `${message}: ${entries.map(([{ listener }]) => listener).join(' ')}`,
  ).join('\n')

function without(state: RouteState, refused: ReadonlyMap<Attachment, Finding>): RouteState {
  const findings: Finding[] = []
  const parents = state.parents.map((parent): ParentState => {
    const attachments = parent.attachments.filter((attachment) => !refused.has(attachment))
    if (attachments.length === parent.attachments.length) return parent
    const reasons = [...new Set(parent.attachments.flatMap((attachment) => refused.get(attachment) ?? []))]
    findings.push(...reasons)
    // A route that some listener takes is accepted.
    return { ...parent, attachments, findings: attachments.length === 0 ? reasons : parent.findings }
  })
  return { ...state, parents, findings: [...state.findings, ...findings] }
}

interface Claim {
  readonly state: RouteState
  readonly parent: ParentState
  readonly attachment: Attachment
}

const refuse = (refusals: Refusals, { state, attachment }: Claim, finding: Finding): void => {
  const refused = refusals.get(state) ?? new Map<Attachment, Finding>()
  refusals.set(state, refused.set(attachment, finding))
}

const placeOf = ({ parent, attachment }: Claim): string => `${parent.gateway} ${attachment.listener}`

function* claims(states: Iterable<RouteState>): Generator<Claim> {
  for (const state of states) {
    for (const parent of state.parents) {
      if (!isAcceptedAt(parent)) continue
      for (const attachment of parent.attachments) yield { state, parent, attachment }
    }
  }
}

/** GRPCRouteSpec.hostnames: of an HTTPRoute and a GRPCRoute with a common hostname on a listener exactly one is accepted,
 *  the older. */
function refuseTakenHostnames(routes: readonly RouteState[], refusals: Refusals): void {
  const mixed = new Set([...claims(routes.filter(({ route }) => route.kind === 'GRPCRoute'))].map(placeOf))
  if (mixed.size === 0) return
  const both = routes.filter(({ route }) => route.kind === 'HTTPRoute' || route.kind === 'GRPCRoute')
  const taken = new Map<string, Taken>()
  for (const claim of claims(both.toSorted((a, b) => oldestFirst(a.route, b.route)))) {
    const place = placeOf(claim)
    if (!mixed.has(place)) continue
    const { state, parent, attachment } = claim
    const own = `${place} ${state.route.kind}`
    const other = taken.get(`${place} ${state.route.kind === 'HTTPRoute' ? 'GRPCRoute' : 'HTTPRoute'}`)
    const common = attachment.hostnames.find((hostname) => other?.meets(hostname) ?? false)
    if (common === undefined) {
      const mine = taken.get(own) ?? new Taken()
      taken.set(own, mine)
      mine.add(attachment.hostnames)
    } else {
      const kind = state.route.kind === 'HTTPRoute' ? 'GRPCRoute' : 'HTTPRoute'
      const message = `an older ${kind} has ${common === '' ? 'every host' : common} on listener ${attachment.listener}, and an HTTPRoute and a GRPCRoute cannot share a hostname; change one of the two`
      refuse(refusals, claim, error(state.route, parent.path, 'Accepted', 'HostnameTaken', message))
    }
  }
}

/** Hostnames of routes, by which others can be found that have names in common. */
class Taken {
  readonly #names = new Set<string>()
  readonly #wider = new Set<string>()

  add(hostnames: readonly string[]): void {
    for (const hostname of hostnames) {
      this.#names.add(hostname)
      for (const wider of containing(hostname)) this.#wider.add(wider)
    }
  }

  meets(hostname: string): boolean {
    if (this.#names.has(hostname) || this.#wider.has(hostname)) return true
    for (const wider of containing(hostname)) if (this.#names.has(wider)) return true
    return false
  }
}

/** Older routes go before younger ones until the table is full. */
function refuseOverflow(routes: readonly RouteState[], refusals: Refusals): void {
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
        for (const attachment of parent.attachments) refuse(refusals, { state, parent, attachment }, finding)
      }
    }
  }
}
