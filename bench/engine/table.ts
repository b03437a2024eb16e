import type { EngineRow } from '../engine.ts'

/** The engine's bench as a Markdown table: a row a table, a column a router, in nanoseconds a decision: of requests for a working
 *  set of 1,000 routes, and of requests for all routes, which meet a processor's caches cold. */
export function engineTable(rows: readonly EngineRow[]): string {
  const routers = [...new Set(rows.map(({ router }) => router))]
  const tables = Map.groupBy(rows, ({ shape, hosts, routes }) => `${shape} | ${hosts} | ${routes}`)
  const lines = [...tables].map(([table, of]) => {
    const cells = routers.map((router) => shown(of.find((row) => row.router === router)))
    return `| ${table} | ${cells.join(' | ')} |`
  })
  return [
    '## A decision, in ns (median): of requests for a working set of 1,000 routes / for all routes',
    '',
    'For requests of a working set of 1,000 routes from all over the table; in brackets for requests of every route equally',
    'often, where the time is that of the memory in which the route lies.',
    '',
    `| table | hosts | routes | ${routers.join(' | ')} |`,
    `| --- | ---: | ---: |${routers.map(() => ' ---: |').join('')}`,
    ...lines,
    '',
    'Held to: landfall at most 1000 ns at 100,000 routes, and at most twice its figure at 1,000 routes.',
    ...growth(rows),
    '',
    ...notes(rows),
  ].join('\n')
}

const shown = (row: EngineRow | undefined): string =>
  row?.median === undefined || row.medianOfAll === undefined
    ? '-'
    : `${row.median.toFixed(0)} / ${row.medianOfAll.toFixed(0)}`

/** How each shape grows from 1,000 to 100,000 routes. */
function growth(rows: readonly EngineRow[]): string[] {
  const own = rows.filter(({ router }) => router === 'landfall')
  const shapes = Map.groupBy(own, ({ shape, hosts }) => `${shape}, ${hosts === 1 ? 'one host' : 'many hosts'}`)
  return [...shapes].map(([shape, of]) => {
    const [small, large] = [of.find(({ routes }) => routes === 1_000), of.find(({ routes }) => routes === 100_000)]
    const times = (key: 'median' | 'medianOfAll'): string =>
      ((large?.[key] ?? Number.NaN) / (small?.[key] ?? Number.NaN)).toFixed(2)
    return `- ${shape}: ${times('median')} / ${times('medianOfAll')} times`
  })
}

/** Why some router is not in some table, once each. */
const notes = (rows: readonly EngineRow[]): string[] => [
  ...new Set(rows.filter(({ note }) => note !== '').map(({ router, shape, note }) => `- ${router}, ${shape}: ${note}`)),
]
