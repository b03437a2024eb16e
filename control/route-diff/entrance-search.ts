import { aligned } from './alignment.ts'
import { leadsTo } from './backend-search.ts'
import type { ChainMatch } from './chain.ts'
import type { Conditions } from './conditions.ts'
import { keyOf, type PreparedChain } from './prepared-chain.ts'
import type { RegionSearch, Sampled } from './region.ts'

/** Requests that one match takes in the first table and another in the second; undefined: none does. */
export interface Meeting {
  readonly before: ChainMatch | undefined
  readonly after: ChainMatch | undefined
  /** One such request, or why there is none to show. */
  readonly sample: Sampled
}

/**
 * Where the requests of one entrance may meet another fate: every pair of matches that do not the same and that some request
 * meets. Nothing is missed: of a request whose fate differs, the first match in one of the tables has no equal in the other
 * that keeps its place, for equals in the same order take the same requests. `backends`: keys of those that are not the same in both.
 */
export function* meetings(
  before: PreparedChain,
  after: PreparedChain,
  search: RegionSearch,
  host: string,
  backends: ReadonlySet<string>,
): Generator<Meeting> {
  const { partners, added } = aligned(before.matches.map(keyOf), after.matches.map(keyOf))
  const earlier = new Map(partners.flatMap((young, old) => (young === undefined ? [] : [[young, old] as const])))
  const regionOf = (old: number, young: number): Sampled => {
    const inside = [before.matches[old], after.matches[young]].flatMap((match) => match?.conditions ?? [])
    return search.find({ inside, outside: outsideOf(before, old, after, young, inside), host })
  }
  const areAlike = (match: ChainMatch, other: ChainMatch | undefined): boolean =>
    other?.does === match.does && !leadsTo(match.rule, backends)
  const nowhere = { before: before.matches.length, after: after.matches.length }

  for (const [old, partner] of partners.entries()) {
    const match = before.matches[old]
    if (partner !== undefined || match === undefined) continue
    for (const young of [...after.near.of(match.conditions.path), nowhere.after]) {
      const other = after.matches[young]
      // What an earlier match of the first table takes does not come to this one.
      if ((earlier.get(young) ?? old) < old || areAlike(match, other)) continue
      yield { before: match, after: other, sample: regionOf(old, young) }
    }
  }
  for (const young of added) {
    const match = after.matches[young]
    if (match === undefined) continue
    for (const old of [...before.near.of(match.conditions.path), nowhere.before]) {
      const other = before.matches[old]
      if (other !== undefined && partners[old] === undefined) continue
      if ((partners[old] ?? young) < young || areAlike(match, other)) continue
      yield { before: other, after: match, sample: regionOf(old, young) }
    }
  }
  if ((before.chain.listener === undefined) !== (after.chain.listener === undefined)) {
    yield { before: undefined, after: undefined, sample: regionOf(nowhere.before, nowhere.after) }
  }
}

function* outsideOf(
  before: PreparedChain,
  old: number,
  after: PreparedChain,
  young: number,
  inside: readonly Conditions[],
): Generator<Conditions> {
  const paths = inside.length === 0 ? [EVERYTHING] : inside
  yield* before.before(old, paths)
  yield* after.before(young, paths)
}

const EVERYTHING: Conditions = { path: undefined, method: '', values: [] }
