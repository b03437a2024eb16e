import type { Host, Rule } from '../../proto/gen/route_table.ts'
import type { RuleName } from '../rule-name.ts'
import type { TableSide } from './table-side.ts'

export const ruleKey = ({ route, index }: Pick<Rule, 'route' | 'index'>): string => `${route}#${index}`

export const nameOf = ({ route, index, name }: Rule): RuleName => ({ route, rule: index, ruleName: name })

/** Which rules of two tables are the same rule, changed or not. A rule has no name that it must keep, only a place. */
export interface RulePairs {
  /** By ruleKey in the first table, that in the second. */
  readonly later: ReadonlyMap<string, string>
  /** The other way round. */
  readonly earlier: ReadonlyMap<string, string>
}

interface Entry {
  readonly key: string
  readonly route: string
  readonly name: string
  readonly matches: string
  readonly effect: string
}

/** What the rules of a route have in common, the strongest sign first. */
const SIGNS: readonly ((entry: Entry) => string | undefined)[] = [
  ({ name }) => (name === '' ? undefined : name),
  ({ matches, effect }) => `${matches} ${effect}`,
  ({ matches }) => matches,
  ({ key, effect }) => `${key} ${effect}`,
  ({ effect }) => effect,
]

export function rulePairs(before: TableSide, after: TableSide): RulePairs {
  const later = new Map<string, string>()
  const earlier = new Map<string, string>()
  const pair = (old: string, young: string): void => {
    later.set(old, young)
    earlier.set(young, old)
  }
  const common = new Set([...before.hosts.values()].filter((host) => isIn(after, host)))
  // In a host that has not changed every rule is what it was.
  for (const { rules } of common) for (const rule of rules) pair(ruleKey(rule), ruleKey(rule))
  const young = Map.groupBy(entriesOf(after, common, earlier), ({ route }) => route)
  for (const [route, entries] of Map.groupBy(entriesOf(before, common, later), ({ route }) => route)) {
    let left = young.get(route) ?? []
    let unpaired = entries
    for (const sign of SIGNS) {
      const bySign = Map.groupBy(left, sign)
      for (const entry of unpaired) {
        const shown = sign(entry)
        const partner = shown === undefined ? undefined : bySign.get(shown)?.shift()
        if (partner !== undefined) pair(entry.key, partner.key)
      }
      unpaired = unpaired.filter(({ key }) => !later.has(key))
      left = left.filter(({ key }) => !earlier.has(key))
    }
  }
  return { later, earlier }
}

const isIn = ({ hosts }: TableSide, host: Host): boolean => hosts.get(`${host.listener} ${host.hostname}`) === host

/** Each rule once, as it stands in the first host that has changed. */
function entriesOf({ hosts }: TableSide, common: ReadonlySet<Host>, paired: ReadonlyMap<string, string>): Entry[] {
  const entries = new Map<string, Entry>()
  for (const host of hosts.values()) {
    if (common.has(host)) continue
    const matches = Map.groupBy(host.matches, ({ rule }) => rule)
    for (const [place, rule] of host.rules.entries()) {
      const key = ruleKey(rule)
      if (paired.has(key) || entries.has(key)) continue
      const own = matches.get(place)?.map((match) => JSON.stringify({ ...match, rule: 0 })) ?? []
      const { route, index, name, ...effect } = rule
      entries.set(key, { key, route, name, matches: own.sort().join(), effect: JSON.stringify(effect) })
    }
  }
  return [...entries.values()]
}
