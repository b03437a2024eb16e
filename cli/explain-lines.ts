import type { Reading } from '../control/project.ts'
import { ruleText } from '../control/rule-name.ts'
import type { ExplainedMatch, LostMatch } from '../engine/explain.ts'
import { hostPort } from '../engine/host-port.ts'
import type { Backend, Listener } from '../proto/gen/route_table.ts'
import { bad, dim } from './terminal.ts'

// Lines that explanations of requests and of connections have in common.

export const listenerLine = ({ id, port, hostname }: Listener): string =>
  `  listener  ${id} (port ${port}, ${hostname === '' ? 'any hostname' : hostname})`

/** `what`: of which backends have a share. */
export function routeLines(winner: ExplainedMatch, what: string, reading: Reading): readonly string[] {
  const lines = [
    `  route     ${ruleText(winner)}  ${dim(placeOf(winner, reading))}`,
    `  match     ${winner.wants.join(', ') || 'everything'}`,
    ...winner.filters.map((filter) => `  filter    ${filter}`),
  ]
  for (const { backend, share, invalid, filters } of winner.backends) {
    const name = invalid === '' ? backend : bad(`${backend || 'a reference'} that does not resolve: ${invalid}`)
    lines.push(
      `  backend   ${name} (${(share * 100).toFixed(0)} % of the ${what})`,
      ...filters.map((filter) => `            ${filter}`),
    )
  }
  return lines
}

export function lostLines(others: readonly LostMatch[], reading: Reading): readonly string[] {
  if (others.length === 0) return []
  return [
    'Matches that lost, the nearest first:',
    ...others.flatMap(({ why, wants, ...lost }) => [
      `  ${ruleText(lost)}  ${dim(placeOf(lost, reading))}`,
      `    ${wants.join(', ') || 'everything'}: ${why.join('; ')}`,
    ]),
  ]
}

/** Where a backend is reached. */
export function endpointsOf({ endpoints, originAddress }: Backend): string {
  const all = endpoints.map(({ address, port }) => hostPort(address, port))
  return all.length > 0 ? all.join(' or ') : originAddress
}

/** Where the rule is written. */
function placeOf({ route, rule }: Pick<ExplainedMatch, 'route' | 'rule'>, { loaded }: Reading): string {
  const object = loaded.objects.find(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}` === route)
  if (object === undefined) return ''
  const { file, line } = loaded.where(object, ['spec', 'rules', rule])
  return `${file}:${line}`
}
