import { describeCall, describeFilter, describeMatch } from '../../engine/describe.ts'
import type { RequestFacts } from '../../engine/facts.ts'
import { HostRoutes } from '../../engine/host-routes.ts'
import { MatchedRequest } from '../../engine/predicates.ts'
import type { Filter, Host, Match, Rule } from '../../proto/gen/route_table.ts'
import type { GatewayTable } from '../table.ts'
import type { Draws } from './draws.ts'
import type { Arrival } from './gateways.ts'
import type { Outcome } from './outcome.ts'

/** A part of a route that a test may reach. */
export interface Part {
  readonly kind: 'rule' | 'match' | 'filter'
  /** Rule.route. */
  readonly route: string
  /** Place in the route, and the rule's own name or "". */
  readonly rule: number
  readonly ruleName: string
  /** What a match wants, or a filter does; "" for a rule. */
  readonly words: string
  /** Of a filter: the place of the backendRef that it belongs to, if it is not the rule's. */
  readonly backendRef?: number
}

/** What there is in tables to be reached, and what tests have reached of it. A route that stands under several hostnames or
 *  Gateways counts once. */
export class Coverage {
  readonly #parts = new Map<string, Part>()
  readonly #reached = new Set<string>()
  readonly #hosts = new Map<string, Host>()

  constructor(tables: readonly GatewayTable[]) {
    for (const { gateway, hosts } of tables) {
      for (const host of hosts) {
        this.#hosts.set(hostKey(gateway, host), host)
        for (const rule of host.rules) this.#addRule(rule)
        for (const match of host.matches) this.#addMatch(host, match)
      }
    }
  }

  /** In the order of the tables. */
  get parts(): readonly Part[] {
    return [...this.#parts.values()]
  }

  get unreached(): readonly Part[] {
    return [...this.#parts].flatMap(([key, part]) => (this.#reached.has(key) ? [] : [part]))
  }

  /** Marks what a test reaches, whether it passes or not. */
  add({ drawn, gateway, arrival }: Draws): void {
    for (const { outcome } of drawn) {
      const { matched } = outcome
      const host = matched && this.#hosts.get(hostKey(gateway, matched))
      if (matched === undefined || host === undefined) continue
      const match = arrival && winner(arrival, host)
      const rule = host.rules[match?.rule ?? 0]
      if (rule === undefined) continue
      this.#reached.add(ruleKey(rule))
      if (match !== undefined) this.#reached.add(matchKey(rule, match))
      for (const { key, filter, backend } of filtersOf(rule)) {
        if (arrival !== undefined && hasEffect(filter, backend, outcome, arrival.facts)) this.#reached.add(key)
      }
    }
  }

  #addRule(rule: Rule): void {
    const part = partOf(rule)
    this.#parts.set(ruleKey(rule), { kind: 'rule', ...part, words: '' })
    for (const { key, filter, index } of filtersOf(rule)) {
      const words = describeFilter(filter)
      this.#parts.set(key, { kind: 'filter', ...part, words, ...(index !== undefined && { backendRef: index }) })
    }
  }

  #addMatch({ rules }: Host, match: Match): void {
    const rule = rules[match.rule]
    // A connection has nothing that could be matched.
    if (rule === undefined || match.path === undefined) return
    this.#parts.set(matchKey(rule, match), { kind: 'match', ...partOf(rule), words: matchWords(rule.route, match) })
  }
}

const partOf = ({ route, index, name }: Rule) => ({ route, rule: index, ruleName: name })

const hostKey = (gateway: string | undefined, { listener, hostname }: Pick<Host, 'listener' | 'hostname'>): string =>
  `${gateway} ${listener} ${hostname}`

const ruleKey = ({ route, index }: Rule): string => `${route} ${index}`

/** Matches of one rule that want the same are one. */
const matchKey = (rule: Rule, match: Match): string => `${ruleKey(rule)} match ${matchWords(rule.route, match)}`

export const matchWords = (route: string, match: Match): string =>
  (route.startsWith('GRPCRoute ') ? describeCall(match) : describeMatch(match)).join(', ')

/** A rule's filters, then those of its backendRefs; `index` and `backend` are of the backendRef. */
function* filtersOf(rule: Rule) {
  for (const [place, filter] of rule.filters.entries()) {
    yield { key: `${ruleKey(rule)} filter ${place}`, filter, index: undefined, backend: undefined }
  }
  for (const [index, { backend, filters }] of rule.backends.entries()) {
    for (const [place, filter] of filters.entries()) {
      yield { key: `${ruleKey(rule)} backend ${index} filter ${place}`, filter, index, backend }
    }
  }
}

/** The match that the engine chose in the Host that it chose. */
function winner({ router: { table }, facts }: Arrival, { listener, hostname, matches }: Host): Match | undefined {
  const routes = table.host(listener, hostname)
  const found = routes instanceof HostRoutes ? routes.find(new MatchedRequest(facts, table.patterns)) : undefined
  return found && matches[found.rank]
}

/** Whether a filter of the rule, or of its backendRef to `backend`, had a part in the outcome. */
function hasEffect({ kind }: Filter, backend: string | undefined, outcome: Outcome, facts: RequestFacts): boolean {
  if (kind?.$case === 'redirect') return outcome.redirect !== undefined
  if (backend !== undefined && backend !== outcome.backend) return false
  switch (kind?.$case) {
    case 'requestHeaders':
    case 'rewrite':
      return outcome.backend !== undefined
    case 'mirror':
      return outcome.mirrors.includes(kind.value.backend)
    case 'cors':
      return facts.header('origin') !== undefined
    default:
      return true
  }
}
