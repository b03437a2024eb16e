import { oldestFirst } from './age.ts'
import { error } from './finding.ts'
import { containing } from './hostnames.ts'
import { type Claim, claims, type Losses, placeOf, refuse } from './losses.ts'
import { compareText } from './merge.ts'
import type { RouteState } from './route-state.ts'

/** GRPCRouteSpec.hostnames: of an HTTPRoute and a GRPCRoute with a common hostname on a listener exactly one is accepted,
 *  the older. */
export function refuseTakenHostnames(
  routes: readonly RouteState[],
  others: readonly RouteState[],
  losses: Losses,
): void {
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
