import { oldestFirst } from './age.ts'
import { few, warning } from './finding.ts'
import { claims, type Losses, lose, placeOf } from './losses.ts'
import type { RouteState } from './route-state.ts'
import { isStream } from './routes.ts'

/** Of the TLSRoutes, TCPRoutes or UDPRoutes of a listener only the oldest of a hostname gets traffic, though all are attached:
 *  nothing tells for which of them a connection is. */
export function leaveToOldest(routes: readonly RouteState[], losses: Losses): void {
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
