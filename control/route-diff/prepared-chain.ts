import { type Chain, type ChainMatch, chainMatches } from './chain.ts'
import type { Conditions } from './conditions.ts'
import { NearPaths } from './near-paths.ts'

/** A chain with what searches in it need. */
export class PreparedChain {
  readonly chain: Chain
  readonly matches: readonly ChainMatch[]
  readonly near: NearPaths
  #places: ReadonlyMap<string, number> | undefined

  constructor(chain: Chain) {
    this.chain = chain
    this.matches = chainMatches(chain)
    this.near = new NearPaths(this.matches)
  }

  /** Index of the first match that wants and does the same. */
  placeOf({ wants, does }: ChainMatch): number | undefined {
    this.#places ??= new Map(this.matches.map((match, index): [string, number] => [keyOf(match), index]).reverse())
    return this.#places.get(keyOf({ wants, does }))
  }

  /** Of the matches before an index those that may take requests that all of `inside` take. */
  *before(index: number, inside: readonly Conditions[]): Generator<Conditions> {
    const lists = inside.map(({ path }) => this.near.of(path))
    const [shortest = []] = lists.sort((a, b) => a.length - b.length)
    for (const place of shortest) {
      if (place >= index) return
      const match = this.matches[place]
      if (match !== undefined) yield match.conditions
    }
  }
}

export const keyOf = ({ wants, does }: Pick<ChainMatch, 'wants' | 'does'>): string => `${wants} ${does}`
