import type { Listener, Root } from '../proto/gen/route_table.ts'
import { type Decision, type Missing, noEdit, type Respond } from './decision.ts'
import type { RequestFacts } from './facts.ts'
import { HostRoutes } from './host-routes.ts'
import { hostnameOf, wider } from './hosts.ts'
import { Listeners } from './listeners.ts'
import { outcome } from './outcome.ts'
import { MatchedRequest } from './predicates.ts'
import type { Table } from './table.ts'

/** Decides what happens to requests by the table of one Gateway. engine/table.ts makes it from a Root. */
export class Router {
  readonly table: Table
  readonly #listeners: Listeners

  constructor(table: Table) {
    this.table = table
    this.#listeners = new Listeners(table.root.listeners)
  }

  get root(): Root {
    return this.table.root
  }

  /** "namespace/name". */
  get gateway(): string {
    return this.root.gateway
  }

  get version(): string {
    return this.root.version
  }

  /** Adds what Missing named. That the bytes have the hash in `name` is for the caller to check. Throws TableError. */
  addShard(name: string, bytes: Uint8Array): void {
    this.table.addShard(name, bytes)
  }

  hasShard(name: string): boolean {
    return this.table.hasShard(name)
  }

  /** The shards to load so that this router can do at once what `before` could. */
  replacements(before: Router): readonly string[] {
    return this.table.replacements(before.table)
  }

  /** The listener that a request belongs to, whatever its routes. */
  listener(scheme: RequestFacts['scheme'], port: number | undefined, authority: string): Listener | undefined {
    return this.#listeners.choose(scheme, port, hostnameOf(authority))
  }

  /**
   * What to do with a request. `random` gives numbers in [0, 1) and is not called before all is loaded that they may
   * choose, so that to load and decide again does not change the odds; `now` is in milliseconds since the epoch.
   */
  decide(facts: RequestFacts, random: () => number, now: number): Decision {
    const { table } = this
    table.beginDecision()
    const hostname = hostnameOf(facts.authority)
    const listener = this.#listeners.choose(facts.scheme, facts.port, hostname)
    if (listener === undefined) return NO_LISTENER
    const request = new MatchedRequest(facts, table.patterns)
    // A Host is never less specific than its listener.
    for (let name = hostname; ; name = wider(name)) {
      const routes = table.host(listener.id, name)
      if (routes instanceof HostRoutes) {
        const match = routes.find(request)
        if (match !== undefined) {
          return outcome(routes.rule(match), { facts, listener, path: match.path, table, random, now })
        }
      } else if (routes !== undefined) return this.#missingHosts(listener, name)
      if (name === listener.hostname || name === '') return NO_ROUTE
    }
  }

  /** The shards of all Hosts from `hostname` on: they are loaded in one go. */
  #missingHosts(listener: Listener, hostname: string): Missing {
    const shards = new Set<string>()
    for (let name = hostname; ; name = wider(name)) {
      const routes = this.table.host(listener.id, name)
      if (routes !== undefined && !(routes instanceof HostRoutes)) shards.add(routes.name)
      if (name === listener.hostname || name === '') return { type: 'missing', shards: [...shards] }
    }
  }
}

const notFound = (why: 'no-listener' | 'no-route'): Respond => ({
  type: 'respond',
  matched: undefined,
  status: 404,
  why,
  responseHeaders: noEdit,
})

const NO_LISTENER = notFound('no-listener')
const NO_ROUTE = notFound('no-route')

/** Of several Gateways in one data plane, the one whose listener's hostname takes the request most specifically; of equal
 *  ones the first by name. */
export function chooseRouter(routers: readonly Router[], facts: RequestFacts): Router | undefined {
  if (routers.length < 2) return routers[0]
  let best: Router | undefined
  let highest = -1
  for (const router of routers) {
    const listener = router.listener(facts.scheme, facts.port, facts.authority)
    if (listener === undefined) continue
    const specificity = specificityOf(listener.hostname)
    if (specificity < highest || (specificity === highest && best !== undefined && best.gateway < router.gateway))
      continue
    best = router
    highest = specificity
  }
  return best
}

/** Orders hostnames that take the same request. */
export function specificityOf(hostname: string): number {
  return hostname === '' || hostname.startsWith('*') ? hostname.length : Number.POSITIVE_INFINITY
}
