import type { Host } from '../../proto/gen/route_table.ts'
import type { RuleName } from '../rule-name.ts'
import type { ChainMatch } from './chain.ts'
import { chainAt, entranceOf } from './entrances.ts'
import { judge } from './fate.ts'
import { PreparedChain } from './prepared-chain.ts'
import type { RegionSearch } from './region.ts'
import { nameOf, ruleKey } from './rule-pairs.ts'
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

interface KnownHost {
  /** undefined where no request comes in. */
  readonly entrance: Entrance | undefined
  readonly chain: PreparedChain
  /** By ruleKey, as in Standing. */
  readonly places: ReadonlyMap<string, readonly number[]>
}

/** Hosts of one rule that are looked into. */
const MOST_HOSTS = 50

/** Says which rules of a table requests reach. */
export class Reach {
  readonly #side: TableSide
  readonly #samples: ReadonlyMap<string, string>
  readonly #search: RegionSearch
  readonly #known = new Map<Host, KnownHost>()
  #byRule: ReadonlyMap<string, readonly Host[]> | undefined

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
    const hosts = this.#hostsByRule().get(key) ?? []
    return hosts.slice(0, MOST_HOSTS).flatMap((host) => {
      const { entrance, chain, places } = this.#known.get(host) ?? this.#look(host)
      return entrance === undefined ? [] : [{ entrance, chain, places: places.get(key) ?? [] }]
    })
  }

  #hostsByRule(): ReadonlyMap<string, readonly Host[]> {
    if (this.#byRule === undefined) {
      const pairs = [...this.#side.hosts.values()].flatMap((host) => host.rules.map((rule) => ({ host, rule })))
      const groups = Map.groupBy(pairs, ({ rule }) => ruleKey(rule))
      this.#byRule = new Map([...groups].map(([key, group]) => [key, group.map(({ host }) => host)]))
    }
    return this.#byRule
  }

  #look(host: Host): KnownHost {
    const entrance = entranceOf(this.#side, host, this.#samples)
    const chain = new PreparedChain(
      entrance === undefined ? { listener: undefined, hosts: [] } : chainAt(this.#side, entrance),
    )
    const places = Map.groupBy(chain.matches.keys(), (place) => {
      const rule = chain.matches[place]?.rule
      return rule === undefined ? '' : ruleKey(rule)
    })
    if (this.#known.size >= MOST_KNOWN) this.#known.clear()
    const known = { entrance, chain, places }
    this.#known.set(host, known)
    return known
  }
}

/** Hosts that are kept ready. */
const MOST_KNOWN = 20
