import { type Host, type Listener, type Match, Protocol, type ValueMatch } from '../proto/gen/route_table.ts'
import type { Decision, Missing } from './decision.ts'
import {
  describeCall,
  describeCallPath,
  describeFilter,
  describeMatch,
  describePath,
  describeValue,
} from './describe.ts'
import type { RequestFacts } from './facts.ts'
import { HostRoutes } from './host-routes.ts'
import { covers, hostnameOf, wider } from './hosts.ts'
import { MatchedRequest, pathHolds, valueHolds } from './predicates.ts'
import type { Router } from './router.ts'
import type { Table } from './table.ts'

/** Why a request meets what it meets. */
export interface Explanation {
  readonly type: 'explanation'
  readonly decision: Exclude<Decision, Missing>
  /** The one that takes the request. */
  readonly listener: Listener | undefined
  readonly otherListeners: readonly { readonly listener: Listener; readonly why: string }[]
  /** Hostnames of the listener that take the request and have routes, most specific first. */
  readonly hostnames: readonly string[]
  readonly winner: ExplainedMatch | undefined
  /** Matches that lost, the nearest first. */
  readonly others: readonly LostMatch[]
}

/** A match and the rule behind it. */
export interface ExplainedMatch {
  /** Host.hostname. */
  readonly hostname: string
  /** "HTTPRoute namespace/name". */
  readonly route: string
  readonly rule: number
  /** The rule's own name, or "". */
  readonly ruleName: string
  /** Place in the order of precedence among the matches of the hostname, from 0. */
  readonly rank: number
  readonly wants: readonly string[]
  readonly filters: readonly string[]
  readonly backends: readonly ExplainedBackend[]
  /** Rule.invalid. */
  readonly invalid: string
}

export interface ExplainedBackend {
  /** Backend.key. */
  readonly backend: string
  readonly weight: number
  /** Of the rule's requests, 0 to 1. */
  readonly share: number
  /** BackendRef.invalid. */
  readonly invalid: string
  readonly filters: readonly string[]
}

export interface LostMatch extends ExplainedMatch {
  /** Each part that does not hold; or what came before. */
  readonly why: readonly string[]
}

/** How many of the matches that lost are told. */
const NEAREST = 5

/** Walks the table as Router.decide does, but looks at everything and takes its time. */
export function explain(router: Router, facts: RequestFacts, random: () => number, now: number): Explanation | Missing {
  const decision = router.decide(facts, random, now)
  if (decision.type === 'missing') return decision
  const listener = router.listener(facts.scheme, facts.port, facts.authority)
  const otherListeners = router.root.listeners
    .filter((other) => other !== listener)
    .map((other) => ({ listener: other, why: whyNotListener(other, facts) }))
  const hosts = listener === undefined ? [] : decodedHosts(router.table, listener, hostnameOf(facts.authority))
  if ('shards' in hosts) return hosts
  const hostnames = hosts.map(({ hostname }) => hostname)
  return { type: 'explanation', decision, listener, otherListeners, hostnames, ...explainMatches(hosts, facts, router) }
}

function whyNotListener({ protocol, port, hostname }: Listener, facts: RequestFacts): string {
  const wanted = protocolName(protocol)
  if (wanted !== facts.scheme) return `scheme is ${facts.scheme}, wants ${wanted}`
  if (facts.port !== undefined && port !== facts.port) return `port is ${facts.port}, wants ${port}`
  const asked = hostnameOf(facts.authority)
  return covers(hostname, asked) ? 'another listener comes before it' : `host is '${asked}', wants '${hostname}'`
}

export const protocolName = (protocol: Protocol): string =>
  Object.entries(Protocol)
    .find(([, value]) => value === protocol)?.[0]
    .toLowerCase() ?? String(protocol)

/** What Router.decide and Streams.decide look at in turn. */
export function decodedHosts(table: Table, listener: Listener, hostname: string): readonly Host[] | Missing {
  const hosts: Host[] = []
  const missing: string[] = []
  for (let name = hostname; ; name = wider(name)) {
    const routes = table.host(listener.id, name)
    if (routes instanceof HostRoutes) hosts.push(routes.decode())
    else if (routes !== undefined) missing.push(routes.name)
    if (name === listener.hostname || name === '') break
  }
  return missing.length === 0 ? hosts : { type: 'missing', shards: [...new Set(missing)] }
}

function explainMatches(
  hosts: readonly Host[],
  facts: RequestFacts,
  { table }: Router,
): Pick<Explanation, 'winner' | 'others'> {
  const request = new MatchedRequest(facts, table.patterns)
  const all = hosts.flatMap((host) =>
    host.matches.map((match, rank) => ({
      host,
      match,
      rank,
      why: whyNotMatch(match, isOfCalls(host, match), request),
    })),
  )
  const winner = all.find(({ why }) => why.length === 0)
  const others = all
    .filter((each) => each !== winner)
    .map((each) => (each.why.length === 0 ? { ...each, why: ['another match comes before it'] } : each))
    .sort((a, b) => a.why.length - b.why.length)
  return {
    winner: winner && explained(winner.host, winner.match, winner.rank),
    others: others.slice(0, NEAREST).map(({ host, match, rank, why }) => ({ ...explained(host, match, rank), why })),
  }
}

/** A sentence for each part that does not hold. */
function whyNotMatch(
  { path, method, headers, query }: Match,
  isCall: boolean,
  request: MatchedRequest,
): readonly string[] {
  const { facts, patterns } = request
  const why: string[] = []
  if (!pathHolds(path, request)) {
    if (isCall) why.push(`call is '${facts.path.slice(1)}', wants ${describeCallPath(path)}`)
    else why.push(`path is '${facts.path}', wants ${describePath(path)}`)
  }
  if (method !== '' && method !== facts.method) why.push(`method is ${facts.method}, wants ${method}`)
  const lacking = (part: string, wanted: ValueMatch, value: string | undefined) => {
    if (valueHolds(wanted, value, patterns)) return
    why.push(
      `${part} ${wanted.name} is ${value === undefined ? 'absent' : `'${value}'`}, wants ${describeValue(wanted)}`,
    )
  }
  for (const header of headers) lacking(isCall ? 'metadata' : 'header', header, request.header(header.name))
  for (const parameter of query) lacking('query parameter', parameter, request.query(parameter.name))
  return why
}

const isOfCalls = ({ rules }: Host, { rule }: Match): boolean => rules[rule]?.route.startsWith('GRPCRoute ') === true

export function explained(host: Host, match: Match, rank: number): ExplainedMatch {
  const { hostname, rules } = host
  const rule = rules[match.rule]
  const { route = '', index = 0, name = '', filters = [], backends = [], invalid = '' } = rule ?? {}
  const total = backends.reduce((sum, { weight }) => sum + weight, 0)
  return {
    hostname,
    route,
    rule: index,
    ruleName: name,
    rank,
    wants: isOfCalls(host, match) ? describeCall(match) : describeMatch(match),
    filters: filters.map(describeFilter),
    backends: backends.map((ref) => ({
      backend: ref.backend,
      weight: ref.weight,
      share: total === 0 ? 0 : ref.weight / total,
      invalid: ref.invalid,
      filters: ref.filters.map(describeFilter),
    })),
    invalid,
  }
}
