import { type ExplainedMatch, explain } from '../../engine/explain.ts'
import type { Arrival } from './gateways.ts'

/** Matches that lost and are told. */
const nearest = 3

/** What a request meets where it arrives and why, a line each, for those whose test has failed. */
export function explanation({ router, listener, facts }: Arrival, now: number): readonly string[] {
  const explained = explain(router, facts, () => 0, now)
  if (explained.type === 'missing') throw new Error('a router with its whole table misses something')
  const { winner, others } = explained
  const { method, scheme, authority, path, query } = facts
  const lines = [
    `${method} ${scheme}://${authority}${path}${query === '' ? '' : `?${query}`} at Gateway ${router.gateway}`,
  ]
  lines.push(`listener ${listener.id}, port ${listener.port}, ${listener.hostname || 'any hostname'}`)
  if (winner === undefined) lines.push('no match takes it')
  else {
    lines.push(`${ruleName(winner)}, by ${winner.wants.join(', ') || 'everything'}`)
    lines.push(...winner.filters.map((filter) => `  filter ${filter}`))
    for (const { backend, share, invalid, filters } of winner.backends) {
      const what = invalid === '' ? backend : `a reference that does not resolve (${invalid})`
      lines.push(`  backend ${what}, ${(share * 100).toFixed(0)} % of the requests`)
      lines.push(...filters.map((filter) => `    filter ${filter}`))
    }
  }
  const lost = others.slice(0, nearest)
  return [...lines, ...lost.map(({ why, ...match }) => `not ${ruleName(match)}: ${why.join('; ')}`)]
}

const ruleName = ({ route, rule, ruleName }: Pick<ExplainedMatch, 'route' | 'rule' | 'ruleName'>): string =>
  `${route} rule ${rule}${ruleName === '' ? '' : ` "${ruleName}"`}`
