import type { Rule } from '../../proto/gen/route_table.ts'
import type { RuleName } from '../rule-name.ts'
import { differingFacets, type Facet } from './facets.ts'
import { type Fate, type Judged, reachedBackends, type Winner } from './fate.ts'
import { nameOf, type RulePairs, ruleKey } from './rule-pairs.ts'
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
  /** How many rules take part: those that a new rule takes requests from, those that requests of a rule that is gone come to,
   *  those behind a listener, those that lead to a backend. */
  readonly rules: number
}

/** Hostnames that a change names. */
const MOST_HOSTNAMES = 10

/** More changes help nobody. */
const MOST_CHANGES = 1000

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
  readonly #backends: ReadonlySet<string>
  /** ruleKey, in the first table, of rules from which others take requests. */
  readonly losing = new Set<string>()
  readonly #found = new Map<string, Found>()

  /** `backends` are the keys of those that are not the same in both tables. */
  constructor(pairs: RulePairs, backends: ReadonlySet<string>) {
    this.#pairs = pairs
    this.#backends = backends
  }

  get isFull(): boolean {
    return this.#found.size >= MOST_CHANGES
  }

  /** `before` and `after` are what the engine makes of the witness. The keys of the backends whose change shows in it. */
  add(witness: Witness, before: Judged, after: Judged): readonly string[] {
    const facets = differingFacets(before.fate, after.fate)
    const backends = this.#changedBackends(before, after)
    const reason = this.#reason(before, after, backends)
    const rules = { before: ruleOf(before), after: ruleOf(after) }
    const key = JSON.stringify([reason, ...partsOf(reason.kind, rules, facets)])
    const change = { ...reason, ...rules, facets, witness, fateBefore: before.fate, fateAfter: after.fate }
    const winner = after.winner ?? before.winner
    const cost = effort(witness) + (winner === undefined ? NO_RULE : 0)
    const found = this.#found.get(key) ?? { change, effort: cost, hostnames: new Set(), rules: new Set() }
    this.#found.set(key, found)
    if (winner !== undefined) found.hostnames.add(winner.matched.hostname)
    const counted = countedRule(reason.kind, before.winner, after.winner)
    if (counted !== undefined) found.rules.add(ruleKey(counted))
    const isTaken = reason.kind === 'rule-added' || reason.kind === 'rule-moved'
    if (isTaken && before.winner !== undefined) this.losing.add(ruleKey(before.winner.rule))
    if (cost < found.effort) Object.assign(found, { change, effort: cost })
    return backends
  }

  list(): readonly Change[] {
    const changes = [...this.#found.values()].map(({ change, hostnames, rules }) => ({
      ...change,
      hostnames: [...hostnames].sort().slice(0, MOST_HOSTNAMES),
      rules: rules.size,
    }))
    return changes.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1))
  }

  /** Where the rule does what it did, those that it leads to and that are not what they were. */
  #changedBackends(before: Judged, after: Judged): readonly string[] {
    const [old, young] = [before.winner?.rule, after.winner?.rule]
    if (old === undefined || young === undefined || effectOf(old) !== effectOf(young)) return []
    if (this.#pairs.later.get(ruleKey(old)) !== ruleKey(young)) return []
    const reached = new Set([...before.fate, ...after.fate].flatMap(({ outcome }) => reachedBackends(outcome)))
    return [...reached].filter((key) => this.#backends.has(key)).sort()
  }

  #reason(
    { listener: old, winner: before }: Judged,
    { listener: young, winner: after }: Judged,
    backends: readonly string[],
  ): Pick<Change, 'kind' | 'subject'> {
    const of = (kind: ChangeKind, subject = ''): Pick<Change, 'kind' | 'subject'> => ({ kind, subject })
    if (old === undefined) return of('listener-added', young)
    if (young === undefined) return of('listener-removed', old)
    if (backends.length > 0) return of('backend-changed', backends.join(' and '))
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

type Rules = Pick<Change, 'before' | 'after'>

/** What changes of one kind and subject are told apart by. */
function partsOf(kind: ChangeKind, { before, after }: Rules, facets: readonly Facet[]): readonly unknown[] {
  switch (kind) {
    case 'rule-added':
      return [after, before === undefined]
    case 'rule-removed':
      return [before, after === undefined]
    case 'rule-changed':
    case 'rule-moved':
      return [before, after, facets]
    default:
      return []
  }
}

/** As in Change.rules. */
function countedRule(kind: ChangeKind, before: Winner | undefined, after: Winner | undefined): Rule | undefined {
  if (kind === 'rule-added') return before?.rule
  if (kind === 'rule-removed') return after?.rule
  return (after ?? before)?.rule
}

/** All that a rule does, whatever it is called. */
function effectOf({ route, index, name, ...effect }: Rule): string {
  return JSON.stringify(effect)
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
