import type { Rule } from '../../proto/gen/route_table.ts'
import { chainAt, entranceOf } from './entrances.ts'
import { plainBackend } from './fate.ts'
import { PreparedChain } from './prepared-chain.ts'
import type { RegionSearch, Sampled } from './region.ts'
import type { TableSide } from './table-side.ts'
import type { Entrance } from './witness.ts'

/** Keys of the backends that are not the same in both tables. */
export function differingBackends(before: TableSide, after: TableSide): Set<string> {
  const keys = new Set([...before.backends.keys(), ...after.backends.keys()])
  return new Set([...keys].filter((key) => contentOf(before, key) !== contentOf(after, key)))
}

function contentOf({ backends }: TableSide, key: string): string | undefined {
  const backend = backends.get(key)
  return backend && JSON.stringify(plainBackend(backend))
}

/** A request that meets the same match in both tables, and that leads to a backend which is not the same. */
export interface BackendMeeting {
  readonly entrance: Entrance
  readonly rule: Rule
  readonly sample: Sampled
}

/** For the backends in `open`, from which the caller takes what it has seen enough of. */
export function* backendMeetings(
  before: TableSide,
  after: TableSide,
  open: ReadonlySet<string>,
  samples: ReadonlyMap<string, string>,
  search: RegionSearch,
): Generator<BackendMeeting> {
  for (const host of before.hosts.values()) {
    if (open.size === 0) return
    if (!host.rules.some((rule) => leadsTo(rule, open))) continue
    const entrance = entranceOf(before, host, samples)
    if (entrance === undefined) continue
    const old = new PreparedChain(chainAt(before, entrance))
    const young = new PreparedChain(chainAt(after, entrance))
    for (const [place, match] of old.matches.entries()) {
      if (!leadsTo(match.rule, open)) continue
      const partner = young.placeOf(match)
      if (partner === undefined) continue
      const inside = [match.conditions]
      const outside = [...old.before(place, inside), ...young.before(partner, inside)]
      yield { entrance, rule: match.rule, sample: search.find({ inside, outside, host: entrance.hostname }) }
    }
  }
}

/** Whether a rule sends or copies requests to one of these backends. */
export function leadsTo({ filters, backends }: Rule, keys: ReadonlySet<string>): boolean {
  const all = [...filters, ...backends.flatMap((ref) => ref.filters)]
  return (
    backends.some(({ backend }) => keys.has(backend)) ||
    all.some(({ kind }) => kind?.$case === 'mirror' && keys.has(kind.value.backend))
  )
}
