import { wider } from '../../engine/hosts.ts'
import type { Host, Listener, Match, Rule } from '../../proto/gen/route_table.ts'
import { type Conditions, conditionsOf } from './conditions.ts'
import { hostKey, type TableSide } from './table-side.ts'

/** What the requests of one hostname meet at a listener, in the order in which it is tried. */
export interface Chain {
  /** undefined where no listener takes them. */
  readonly listener: Listener | undefined
  /** The most specific hostname first. */
  readonly hosts: readonly Host[]
}

/** A match in a chain, and the rule behind it. */
export interface ChainMatch {
  readonly hostname: string
  readonly match: Match
  readonly rule: Rule
  readonly conditions: Conditions
  /** Equal for matches with equal conditions. */
  readonly wants: string
  /** Equal for matches that make the same of a request, as long as the backends are the same. */
  readonly does: string
}

export function chainOf({ hosts }: TableSide, listener: Listener | undefined, hostname: string): Chain {
  const found: Host[] = []
  for (let name = hostname; listener !== undefined; name = wider(name)) {
    const host = hosts.get(hostKey(listener.id, name))
    if (host !== undefined) found.push(host)
    if (name === listener.hostname || name === '') break
  }
  return { listener, hosts: found }
}

export function chainMatches({ listener, hosts }: Chain): readonly ChainMatch[] {
  return hosts.flatMap((host) => {
    const known = new Map<Rule, string>()
    return host.matches.flatMap((match) => {
      const rule = host.rules[match.rule]
      if (rule === undefined) return []
      let effect = known.get(rule)
      if (effect === undefined) {
        effect = effectOf(rule, listener)
        known.set(rule, effect)
      }
      const { path, method, headers, query } = match
      return {
        hostname: host.hostname,
        match,
        rule,
        conditions: conditionsOf(match),
        wants: JSON.stringify([path, method, headers, query]),
        does: needsPath(rule) ? `${effect} ${JSON.stringify(path)}` : effect,
      }
    })
  })
}

/** Sessions belong to one rule and end with its name. A redirect may name the listener's port. */
function effectOf(rule: Rule, listener: Listener | undefined): string {
  const { route, index, name, ...effect } = rule
  const own = rule.session === undefined ? undefined : [route, name === '' ? index : name]
  return JSON.stringify([effect, own, filtersOf(rule).includes('redirect') ? listener?.port : undefined])
}

/** Whether it matters by which path a request matched: prefixes are replaced, and cookies given for them. */
const needsPath = (rule: Rule): boolean =>
  rule.session !== undefined || filtersOf(rule).some((kind) => kind === 'redirect' || kind === 'rewrite')

const filtersOf = ({ filters, backends }: Rule): readonly (string | undefined)[] =>
  [...filters, ...backends.flatMap((ref) => ref.filters)].map(({ kind }) => kind?.$case)
