import type { EngineRow } from '../engine.ts'
import { type Report, type Row, tableOf } from '../report.ts'

/** The engine's bench: a row a table, a column a router, in nanoseconds a decision: of requests for a working
 *  set of 1,000 routes, and of requests for all routes, which meet a processor's caches cold. */
export function engineReport(rows: readonly EngineRow[]): Report {
  const held = growth(rows)
  const routers = [...new Set(rows.map(({ router }) => router))]
  const tables = Map.groupBy(rows, ({ shape, hosts, routes }) => `${shape} | ${hosts} | ${routes}`)
  const lines = [...tables].map(([table, of]) => {
    const cells = routers.map((router) => shown(of.find((row) => row.router === router)))
    return `| ${table} | ${cells.join(' | ')} |`
  })
  const text = [
    '## A decision, in ns (median): of requests for a working set of 1,000 routes / for all routes',
    '',
    'For requests of a working set of 1,000 routes from all over the table; in brackets for requests of every route equally',
    'often, where the time is that of the memory in which the route lies.',
    '',
    `| table | hosts | routes | ${routers.join(' | ')} |`,
    `| --- | ---: | ---: |${routers.map(() => ' ---: |').join('')}`,
    ...lines,
    '',
    ...tableOf(held),
    '',
    ...notes(rows),
  ].join('\n')
  return { table: text, rows: held }
}

const shown = (row: EngineRow | undefined): string =>
  row?.median === undefined || row.medianOfAll === undefined
    ? '-'
    : `${row.median.toFixed(0)} / ${row.medianOfAll.toFixed(0)}`

/** What landfall takes for each shape at 100,000 routes, and how many times what it takes at 1,000. */
function growth(rows: readonly EngineRow[]): readonly Row[] {
  const own = rows.filter(({ router }) => router === 'landfall')
  const shapes = Map.groupBy(own, ({ shape, hosts }) => `${shape}, ${hosts === 1 ? 'one host' : 'many hosts'}`)
  return [...shapes].flatMap(([shape, of]): readonly Row[] => {
    const [small, large] = [of.find(({ routes }) => routes === 1_000), of.find(({ routes }) => routes === 100_000)]
    const times = (key: 'median' | 'medianOfAll'): number => (large?.[key] ?? Number.NaN) / (small?.[key] ?? Number.NaN)
    const name = `landfall, ${shape}, 100,000 routes`
    return [
      { name: `${name}, working set`, value: large?.median ?? Number.NaN, unit: 'ns', bar: { atMost: 1000 } },
      { name: `${name} / 1,000, working set`, value: times('median'), unit: '', bar: { atMost: 2 } },
      { name: `${name} / 1,000, all routes`, value: times('medianOfAll'), unit: '' },
    ]
  })
}

/** Why some router is not in some table, once each. */
const notes = (rows: readonly EngineRow[]): string[] => [
  ...new Set(rows.filter(({ note }) => note !== '').map(({ router, shape, note }) => `- ${router}, ${shape}: ${note}`)),
]
