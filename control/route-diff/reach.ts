import type { ChainMatch } from './chain.ts'
import { chainAt, entranceOf } from './entrances.ts'
import { judge } from './fate.ts'
import { PreparedChain } from './prepared-chain.ts'
import type { RegionSearch } from './region.ts'
import { nameOf, type RuleName, ruleKey } from './rule-pairs.ts'
import type { TableSide } from './table-side.ts'
import { type Entrance, factsOf, type Witness, witnessOf } from './witness.ts'

/** A rule that no request reaches. */
export interface Unreached {
  readonly rule: RuleName
  /** Whether the rule is new; otherwise requests reached it before. */
  readonly isNew: boolean
  /** A rule that takes what this one could, and one such request; undefined where the matches of the rule hold for nothing. */
  readonly by: RuleName | undefined
  readonly witness: Witness | undefined
}

/** Where a rule stands: Host by Host. */
interface Standing {
  readonly entrance: Entrance
  readonly chain: PreparedChain
  /** Indexes of its matches. */
  readonly places: readonly number[]
}

/** Hosts of one rule that are looked into. */
const MOST_HOSTS = 50

/** Says which rules of a table requests reach. */
export class Reach {
  readonly #side: TableSide
  readonly #samples: ReadonlyMap<string, string>
  readonly #search: RegionSearch

  constructor(side: TableSide, samples: ReadonlyMap<string, string>, search: RegionSearch) {
    this.#side = side
    this.#samples = samples
    this.#search = search
  }

  /** undefined when some request reaches the rule, or that is not known. */
  unreached(key: string, isNew: boolean): Unreached | undefined {
    const standings = this.#standings(key)
    for (const { entrance, chain, places } of standings) {
      for (const place of places) {
        const match = chain.matches[place]
        if (match === undefined) continue
        const inside = [match.conditions]
        const found = this.#search.find({ inside, outside: chain.before(place, inside), host: entrance.hostname })
        if (found !== 'none') return undefined
      }
    }
    const [first] = standings
    const match = first?.chain.matches[first.places[0] ?? -1]
    return first === undefined || match === undefined ? undefined : this.#told(first.entrance, match, isNew)
  }

  #told(entrance: Entrance, { conditions, rule }: ChainMatch, isNew: boolean): Unreached {
    const sample = this.#search.find({ inside: [conditions], outside: [], host: entrance.hostname })
    const witness = typeof sample === 'string' ? undefined : witnessOf(entrance, sample)
    const winner = witness && judge(this.#side, factsOf(witness)).winner
    return { rule: nameOf(rule), isNew, by: winner && nameOf(winner.rule), witness: winner && witness }
  }

  #standings(key: string): readonly Standing[] {
    const { hosts } = this.#side
    const standings: Standing[] = []
    for (const host of hosts.values()) {
      if (!host.rules.some((rule) => ruleKey(rule) === key)) continue
      const entrance = entranceOf(this.#side, host, this.#samples)
      if (entrance === undefined) continue
      const chain = new PreparedChain(chainAt(this.#side, entrance))
      const places = [...chain.matches.keys()].filter((place) => {
        const match = chain.matches[place]
        return match !== undefined && ruleKey(match.rule) === key
      })
      standings.push({ entrance, chain, places })
      if (standings.length >= MOST_HOSTS) break
    }
    return standings
  }
}
