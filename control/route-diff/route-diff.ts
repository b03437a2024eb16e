import type { Rule } from '../../proto/gen/route_table.ts'
import type { RuleName } from '../rule-name.ts'
import { backendMeetings, differingBackends } from './backend-search.ts'
import { type Change, Changes } from './change.ts'
import { type ConnectionChange, connectionChanges } from './connections.ts'
import { meetings } from './entrance-search.ts'
import { differingEntrances, samplesOf } from './entrances.ts'
import { judge, sameFate } from './fate.ts'
import { PreparedChain } from './prepared-chain.ts'
import { probesOf } from './probes.ts'
import { Reach, type Unreached } from './reach.ts'
import { RegionSearch, type Sampled } from './region.ts'
import { type RulePairs, ruleKey, rulePairs } from './rule-pairs.ts'
import { type SettingChange, settingChanges } from './setting-changes.ts'
import { expressions, type PublishedTable, type TableSide, tableSides } from './table-side.ts'
import { TextSearch } from './text-search.ts'
import { type Entrance, factsOf, witnessOf } from './witness.ts'

/** What changes for the clients of one Gateway. */
export interface RouteDiff {
  /** "namespace/name". */
  readonly gateway: string
  /** Whether the Gateway itself comes, goes or stays. */
  readonly gatewayChange: 'added' | 'removed' | 'kept'
  readonly changes: readonly Change[]
  readonly connections: readonly ConnectionChange[]
  readonly settings: readonly SettingChange[]
  /** Rules that requests cannot reach, and could before or that are new. */
  readonly unreached: readonly Unreached[]
  /** False when expressions were too intricate, or the tables too different, to look everywhere. */
  readonly isComplete: boolean
}

/** Meetings of two matches that are looked into for one Gateway. */
const MOST_MEETINGS = 200_000

/**
 * Compares what two tables make of requests: undefined stands for a Gateway that is not there. Every change comes with a
 * request that the engine was asked about on both sides. Throws TableError.
 */
export function diffRoutes(
  gateway: string,
  before: PublishedTable | undefined,
  after: PublishedTable | undefined,
): RouteDiff {
  const [old, young] = tableSides(gateway, before, after)
  return new Comparison(old, young).diff(
    gateway,
    before === undefined ? 'added' : after === undefined ? 'removed' : 'kept',
  )
}

/** Whether anything changes for anybody. A rule that cannot be reached changes nothing. */
export const differs = ({ changes, connections, settings }: RouteDiff): boolean =>
  changes.length + connections.length + settings.length > 0

class Comparison {
  readonly #before: TableSide
  readonly #after: TableSide
  readonly #search: RegionSearch
  readonly #pairs: RulePairs
  /** Keys of those that are not the same in both tables. */
  readonly #backends: ReadonlySet<string>
  readonly #changes: Changes
  readonly #samples: ReadonlyMap<string, string>
  #isComplete = true

  constructor(before: TableSide, after: TableSide) {
    const patterns = expressions()
    this.#before = before
    this.#after = after
    this.#search = new RegionSearch(new TextSearch(patterns), patterns)
    this.#pairs = rulePairs(before, after)
    this.#backends = differingBackends(before, after)
    this.#changes = new Changes(this.#pairs, this.#backends)
    this.#samples = samplesOf(before, after)
  }

  diff(gateway: string, gatewayChange: RouteDiff['gatewayChange']): RouteDiff {
    this.#compareEntrances()
    this.#compareBackends()
    const changes = this.#changes.list()
    return {
      gateway,
      gatewayChange,
      changes,
      connections: connectionChanges(this.#before, this.#after),
      settings: gatewayChange === 'kept' ? settingChanges(this.#before.root, this.#after.root) : [],
      unreached: this.#unreached(changes),
      isComplete: this.#isComplete,
    }
  }

  #compareEntrances(): void {
    let left = MOST_MEETINGS
    for (const { entrance, before, after } of differingEntrances(this.#before, this.#after, this.#samples)) {
      const chains = [new PreparedChain(before), new PreparedChain(after)] as const
      for (const meeting of meetings(...chains, this.#search, entrance.hostname, this.#backends)) {
        if (this.#changes.isFull || left-- === 0) {
          this.#isComplete = false
          return
        }
        this.#probe(entrance, meeting.sample, [meeting.before?.rule, meeting.after?.rule])
      }
    }
  }

  /** Looks for a change of fate among requests like the sample. The keys of the backends whose change shows in it. */
  #probe(entrance: Entrance, sample: Sampled, rules: readonly (Rule | undefined)[]): readonly string[] {
    if (sample === 'unknown') this.#isComplete = false
    if (typeof sample === 'string') return []
    for (const witness of probesOf(witnessOf(entrance, sample), rules)) {
      const facts = factsOf(witness)
      const before = judge(this.#before, facts)
      const after = judge(this.#after, facts)
      if (!sameFate(before.fate, after.fate)) return this.#changes.add(witness, before, after)
    }
    return []
  }

  /** Backends that have changed while rules that lead there have not: each is shown by one request. */
  #compareBackends(): void {
    const open = new Set(this.#backends)
    for (const { entrance, sample, rule } of backendMeetings(
      this.#before,
      this.#after,
      open,
      this.#samples,
      this.#search,
    )) {
      for (const key of this.#probe(entrance, sample, [rule])) open.delete(key)
    }
  }

  /** New rules that take nothing, and rules that lost requests and have none left. */
  #unreached(changes: readonly Change[]): readonly Unreached[] {
    const losing = [...this.#changes.losing].flatMap((key) => this.#pairs.later.get(key) ?? [])
    const reach = new Reach(this.#after, this.#samples, this.#search)
    const taking = new Set(changes.flatMap(({ after }) => (after === undefined ? [] : [keyOf(after)])))
    const isSilent = (key: string): boolean => !this.#pairs.earlier.has(key) && !taking.has(key)
    const silent = [...this.#after.hosts.values()].flatMap(({ rules }) => rules.map(ruleKey)).filter(isSilent)
    return [
      ...losing.slice(0, MOST_RULES).flatMap((key) => reach.unreached(key, false) ?? []),
      ...[...new Set(silent)].slice(0, MOST_RULES).flatMap((key) => reach.unreached(key, true) ?? []),
    ]
  }
}

/** Rules of a kind that are looked into for whether requests reach them. */
const MOST_RULES = 1000

const keyOf = ({ route, rule }: RuleName): string => ruleKey({ route, index: rule })
