import type { RequestFacts } from '../engine/facts.ts'
import {
  type Host,
  type Listener,
  type Match,
  PathMatch_Kind,
  Protocol,
  type Rule,
  type ValueMatch,
} from '../proto/gen/route_table.ts'

// The Gateway API's text on matching, sentence by sentence and without a thought for speed, to hold the engine against.
// Expressions are V8's and queries Node's, so that nothing here is the engine's own.

export interface NaiveTable {
  readonly listeners: readonly Listener[]
  readonly hosts: readonly Host[]
}

export type NaiveResult =
  | {
      readonly found: 'rule'
      readonly listener: Listener
      readonly host: Host
      readonly match: Match
      readonly rule: Rule
    }
  | { readonly found: 'no-listener' | 'no-route' }

export function naiveMatch({ listeners, hosts }: NaiveTable, facts: RequestFacts): NaiveResult {
  const hostname = naiveHostname(facts.authority)

  // Gateway.spec.listeners: "the Gateway must route each request to the most specific Listener".
  const [listener] = listeners
    .filter(({ protocol }) => protocol === (facts.scheme === 'https' ? Protocol.HTTPS : Protocol.HTTP))
    .filter(({ port }) => facts.port === undefined || port === facts.port)
    .filter((candidate) => covers(candidate.hostname, hostname))
    .sort((a, b) => mostSpecificFirst(a, b) || ownPortFirst(facts)(a, b))
  if (listener === undefined) return { found: 'no-listener' }

  // HTTPRoute.spec.hostnames: "precedence must be given to rules from the HTTPRoute with the largest number of characters
  // in a matching non-wildcard hostname, characters in a matching hostname".
  const candidates = hosts
    .filter((host) => host.listener === listener.id && covers(host.hostname, hostname))
    .sort(mostSpecificFirst)
  for (const host of candidates) {
    // HTTPRouteRule.matches: the table is in order of precedence.
    const match = host.matches.find((each) => holds(each, facts))
    const rule = match && host.rules[match.rule]
    if (match !== undefined && rule !== undefined) return { found: 'rule', listener, host, match, rule }
  }
  return { found: 'no-route' }
}

/** "Implementations MUST ignore any port value specified in the HTTP Host header." */
function naiveHostname(authority: string): string {
  return authority.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
}

/** "`*.example.com` would match both `test.example.com`, and `foo.test.example.com`, but not `example.com`." */
function covers(pattern: string, hostname: string): boolean {
  if (pattern === '') return true
  if (pattern.startsWith('*')) return hostname.endsWith(pattern.slice(1)) && hostname !== pattern.slice(1)
  return pattern === hostname
}

type Named = { readonly hostname: string }

function mostSpecificFirst(a: Named, b: Named): number {
  const isExact = ({ hostname }: Named) => Number(hostname !== '' && !hostname.startsWith('*'))
  return isExact(b) - isExact(a) || b.hostname.length - a.hostname.length
}

const ownPortFirst = (facts: RequestFacts) => {
  const own = facts.scheme === 'https' ? 443 : 80
  return (a: Listener, b: Listener) => Number(b.port === own) - Number(a.port === own)
}

/** "Multiple match types are ANDed together." HTTPRouteMatch */
function holds({ path, method, headers, query }: Match, facts: RequestFacts): boolean {
  const parameters = new URLSearchParams(facts.query)
  return (
    (path === undefined || pathHolds(path.kind, path.value, facts.path)) &&
    (method === '' || method === facts.method) &&
    headers.every((header) => valueHolds(header, facts.header(header.name))) &&
    query.every((parameter) => valueHolds(parameter, parameters.get(parameter.name) ?? undefined))
  )
}

function pathHolds(kind: PathMatch_Kind, value: string, path: string): boolean {
  switch (kind) {
    case PathMatch_Kind.EXACT:
      return path === value
    case PathMatch_Kind.REGEX:
      return matchesWhole(value, path)
    case PathMatch_Kind.PREFIX: {
      // "Matching is … done on a path element by element basis."
      const wanted = value.split('/').filter((element) => element !== '')
      const elements = path.split('/').slice(1)
      return wanted.every((element, index) => element === elements[index])
    }
  }
}

function valueHolds({ value, regex }: ValueMatch, given: string | undefined): boolean {
  if (given === undefined) return false
  return regex ? matchesWhole(value, given) : value === given
}

const matchesWhole = (pattern: string, text: string): boolean => new RegExp(`^(?:${pattern})$`, 'us').test(text)
