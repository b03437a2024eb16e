import { oldestFirst } from './age.ts'
import type { Attachment } from './attach.ts'
import { error, type Finding, few, warning } from './finding.ts'
import { containing } from './hostnames.ts'
import { compareText } from './merge.ts'
import { isAcceptedAt, type ParentState, type RouteState } from './route-state.ts'
import { isStream } from './routes.ts'

// What keeps a route out because of other routes. All else about a route is decided without looking at its neighbours.

/** Bound on the matches of a Gateway's table; a match counts once for each host that has it. Without it 64 listeners, 16
 *  hostnames and 10,000 routes make ten million hosts. */
export const maxMatches = 250_000

/** What an attachment loses to other routes, and why. */
interface Loss {
  /** The hostnames that it keeps; undefined when the route is not attached at all. */
  readonly left: readonly string[] | undefined
  readonly finding: Finding
}

type Losses = Map<RouteState, Map<Attachment, Loss>>

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

interface Claim {
  readonly state: RouteState
  readonly parent: ParentState
  readonly attachment: Attachment
}

const lose = (losses: Losses, { state, attachment }: Claim, loss: Loss): void => {
  const lost = losses.get(state) ?? new Map<Attachment, Loss>()
  losses.set(state, lost.set(attachment, loss))
}

const refuse = (losses: Losses, claim: Claim, finding: Finding): void =>
  lose(losses, claim, { left: undefined, finding })

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
function refuseTakenHostnames(routes: readonly RouteState[], others: readonly RouteState[], losses: Losses): void {
  const calls = [...claims(others.filter(({ route }) => route.kind === 'GRPCRoute'))]
  if (calls.length === 0) return
  const requests = [...claims(routes.filter(({ route }) => route.kind === 'HTTPRoute'))]
  const taken = new Map<string, Taken>()
  for (const claim of contested(calls, requests).sort(firstServed)) {
    const { state, parent, attachment } = claim
    const { kind } = state.route
    const otherKind = kind === 'HTTPRoute' ? 'GRPCRoute' : 'HTTPRoute'
    const other = taken.get(`${placeOf(claim)} ${otherKind}`)
    const common = attachment.hostnames.find((hostname) => other?.meets(hostname) ?? false)
    if (common === undefined) take(taken, `${placeOf(claim)} ${kind}`, claim)
    else {
      const message = `an older ${otherKind} has ${common === '' ? 'every host' : common} on listener ${attachment.listener}, and an HTTPRoute and a GRPCRoute cannot share a hostname; change one of the two`
      refuse(losses, claim, error(state.route, parent.path, 'Accepted', 'HostnameTaken', message))
    }
  }
}

/** Where age and name are equal, the API leaves it open: then the HTTPRoute goes first, however many there are of each. */
const firstServed = ({ state: { route: a } }: Claim, { state: { route: b } }: Claim): number =>
  oldestFirst(a, b) || compareText(b.kind, a.kind)

/** The claims that have a hostname in common with one on the other side: as a rule there is none. */
function contested(some: readonly Claim[], others: readonly Claim[]): Claim[] {
  const [few, many] = some.length < others.length ? [some, others] : [others, some]
  const ofMany = meeting(many, few)
  return ofMany.length === 0 ? [] : [...meeting(few, ofMany), ...ofMany]
}

function meeting(all: readonly Claim[], others: readonly Claim[]): readonly Claim[] {
  const taken = new Map<string, Taken>()
  for (const claim of others) take(taken, placeOf(claim), claim)
  return all.filter((claim) => {
    const own = taken.get(placeOf(claim))
    return own !== undefined && claim.attachment.hostnames.some((hostname) => own.meets(hostname))
  })
}

function take(taken: Map<string, Taken>, key: string, { attachment }: Claim): void {
  const own = taken.get(key) ?? new Taken()
  taken.set(key, own)
  own.add(attachment.hostnames)
}

/** Hostnames of routes, by which others can be found that have names in common. */
class Taken {
  readonly #names = new Set<string>()
  readonly #wider = new Set<string>()
  #hasWildcards = false

  add(hostnames: readonly string[]): void {
    for (const hostname of hostnames) {
      if (hostname === '' || hostname.startsWith('*')) this.#hasWildcards = true
      this.#names.add(hostname)
      for (const wider of containing(hostname)) this.#wider.add(wider)
    }
  }

  meets(hostname: string): boolean {
    if (this.#names.has(hostname) || this.#wider.has(hostname)) return true
    if (this.#hasWildcards) for (const wider of containing(hostname)) if (this.#names.has(wider)) return true
    return false
  }
}

/** Of the TLSRoutes, TCPRoutes or UDPRoutes of a listener only the oldest of a hostname gets traffic, though all are attached:
 *  nothing tells for which of them a connection is. */
function leaveToOldest(routes: readonly RouteState[], losses: Losses): void {
  const all = [...claims(routes.filter(({ route }) => isStream(route)))].filter(({ attachment }) => attachment.isServed)
  const holders = new Map<string, Map<string, RouteState>>()
  let clashes = false
  for (const claim of all) {
    const place = placeOf(claim)
    const ofPlace = holders.get(place) ?? new Map<string, RouteState>()
    holders.set(place, ofPlace)
    for (const hostname of claim.attachment.hostnames) {
      const holder = ofPlace.get(hostname)
      if (holder !== undefined) clashes = true
      if (holder === undefined || oldestFirst(claim.state.route, holder.route) < 0) ofPlace.set(hostname, claim.state)
    }
  }
  if (!clashes) return
  for (const claim of all) {
    const { state, parent, attachment } = claim
    const { listener, hostnames } = attachment
    const ofPlace = holders.get(placeOf(claim))
    const taken = hostnames.filter((hostname) => ofPlace?.get(hostname) !== state)
    if (taken.length === 0) continue
    const left = hostnames.filter((hostname) => !taken.includes(hostname))
    const names = taken.includes('') ? '' : `${few(taken)} on `
    const message = `an older ${state.route.kind} has ${names}listener ${listener} and gets all traffic for it; remove one, or give this one a listener${state.route.kind === 'TLSRoute' ? ' or hostnames' : ''} of its own`
    lose(losses, claim, { left, finding: warning(state.route, parent.path, 'NoTraffic', message) })
  }
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
