import { changedBackends, differingFacets, type Facet } from './facets.ts'
import type { Fate, Judged } from './fate.ts'
import { nameOf, type RuleName, type RulePairs, ruleKey } from './rule-pairs.ts'
import { effort, type Witness } from './witness.ts'

/**
 * Why requests change their fate.
 * - listener-added, listener-removed: they come to a listener that was not there, or is not any more
 * - rule-added: a new rule takes them; rule-removed: the rule is gone that took them
 * - rule-changed: the same rule takes them and does something else, or takes them where none did, or does not any more
 * - rule-moved: another rule takes them, though both were there before
 * - backend-changed: the backend itself is another, or is elsewhere
 */
export type ChangeKind =
  | 'listener-added'
  | 'listener-removed'
  | 'rule-added'
  | 'rule-removed'
  | 'rule-changed'
  | 'rule-moved'
  | 'backend-changed'

/** Requests that change their fate for one reason. */
export interface Change {
  readonly kind: ChangeKind
  /** The listener or the backend, by id or key; "" of the other kinds. */
  readonly subject: string
  /** The rule that takes them; undefined where none does. Of a listener or backend, that of the witness. */
  readonly before: RuleName | undefined
  readonly after: RuleName | undefined
  /** In what the fates differ. */
  readonly facets: readonly Facet[]
  /** Of those that were found the one that is easiest to send. */
  readonly witness: Witness
  readonly fateBefore: Fate
  readonly fateAfter: Fate
  /** Host.hostname of the rules that take such requests, "" for every one; in alphabetical order, the first few. */
  readonly hostnames: readonly string[]
  /** How many rules take such requests, before or after: more than one only of listeners and backends. */
  readonly rules: number
}

/** Hostnames that a change names. */
const MOST_HOSTNAMES = 10

/** More changes help nobody. */
export const MOST_CHANGES = 1000

interface Found {
  change: Omit<Change, 'hostnames' | 'rules'>
  /** Lower is better to show. */
  effort: number
  readonly hostnames: Set<string>
  readonly rules: Set<string>
}

/** An example that meets no rule, though others of its kind do, says little. */
const NO_RULE = 10_000

/** Collects what is found, a change for each reason. */
export class Changes {
  readonly #pairs: RulePairs
  readonly #found = new Map<string, Found>()

  constructor(pairs: RulePairs) {
    this.#pairs = pairs
  }

  get isFull(): boolean {
    return this.#found.size >= MOST_CHANGES
  }

  /** `before` and `after` are what the engine makes of the witness. */
  add(witness: Witness, before: Judged, after: Judged): void {
    const facets = differingFacets(before.fate, after.fate)
    const backends = changedBackends(before.fate, after.fate)
    const reason = this.#reason(before, after, facets, backends)
    const rules = { before: ruleOf(before), after: ruleOf(after) }
    const isOfRules = reason.subject === ''
    const key = JSON.stringify([reason, isOfRules ? [rules, facets] : []])
    const change = { ...reason, ...rules, facets, witness, fateBefore: before.fate, fateAfter: after.fate }
    const winner = after.winner ?? before.winner
    const cost = effort(witness) + (winner === undefined ? NO_RULE : 0)
    const found = this.#found.get(key) ?? { change, effort: cost, hostnames: new Set(), rules: new Set() }
    this.#found.set(key, found)
    if (winner !== undefined) found.hostnames.add(winner.matched.hostname)
    if (winner !== undefined) found.rules.add(ruleKey(winner.rule))
    if (cost < found.effort) Object.assign(found, { change, effort: cost })
  }

  list(): readonly Change[] {
    const changes = [...this.#found.values()].map(({ change, hostnames, rules }) => ({
      ...change,
      hostnames: [...hostnames].sort().slice(0, MOST_HOSTNAMES),
      rules: rules.size,
    }))
    return changes.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1))
  }

  #reason(
    { listener: old, winner: before }: Judged,
    { listener: young, winner: after }: Judged,
    facets: readonly Facet[],
    backends: readonly string[],
  ): Pick<Change, 'kind' | 'subject'> {
    const of = (kind: ChangeKind, subject = ''): Pick<Change, 'kind' | 'subject'> => ({ kind, subject })
    if (old === undefined) return of('listener-added', young)
    if (young === undefined) return of('listener-removed', old)
    if (facets.every((facet) => facet === 'endpoints')) return of('backend-changed', backends.join(' and '))
    if (before === undefined) {
      const isNew = after !== undefined && !this.#pairs.earlier.has(ruleKey(after.rule))
      return of(isNew ? 'rule-added' : 'rule-changed')
    }
    if (after === undefined) return of(this.#pairs.later.has(ruleKey(before.rule)) ? 'rule-changed' : 'rule-removed')
    const partner = this.#pairs.later.get(ruleKey(before.rule))
    if (partner === ruleKey(after.rule)) return of('rule-changed')
    if (!this.#pairs.earlier.has(ruleKey(after.rule))) return of('rule-added')
    return of(partner === undefined ? 'rule-removed' : 'rule-moved')
  }
}

const ruleOf = ({ winner }: Judged): RuleName | undefined => winner && nameOf(winner.rule)

const ORDER: readonly ChangeKind[] = [
  'listener-removed',
  'listener-added',
  'rule-removed',
  'rule-added',
  'rule-moved',
  'rule-changed',
  'backend-changed',
]

const orderOf = ({ kind, subject, before, after, facets }: Omit<Change, 'hostnames' | 'rules'>): string =>
  [
    ORDER.indexOf(kind),
    subject,
    ...[before ?? after, after].flatMap((rule) => [rule?.route, String(rule?.rule).padStart(4, '0')]),
    facets,
  ].join(' ')
