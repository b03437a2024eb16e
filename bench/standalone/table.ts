import { median, type Report, type Row, tableOf } from '../report.ts'
import type { Cell, Figures } from './figures.ts'
import { cores } from './process.ts'
import type { Scenario } from './scenarios.ts'

/** What a run of the stand-alone bench was, and what it came to. */
export interface Outcome {
  readonly figures: Figures
  readonly scenarios: readonly Scenario[]
  /** By name, in the order of the table; `version` is undefined of who is not installed. */
  readonly contenders: readonly { readonly name: string; readonly version: string | undefined }[]
  /** What made the load and what stood behind, with versions. */
  readonly tools: string
  /** Numbers of HTTPRoutes. */
  readonly counts: readonly number[]
  readonly starts: number
  readonly rounds: number
}

export function standaloneReport(outcome: Outcome): Report {
  const rows = rowsOf(outcome)
  return { table: standaloneTable(outcome, rows), rows }
}

function standaloneTable(outcome: Outcome, rows: readonly Row[]): string {
  const { scenarios, contenders, counts, tools, starts, rounds } = outcome
  const versions = contenders.map(({ name, version }) =>
    version === undefined ? `**${name} is missing** (apt install ${name})` : `${name} ${version}`,
  )
  return [
    '## The stand-alone data plane beside its peers',
    '',
    `${versions.join(', ')}; ${tools}.`,
    '',
    'Of every contender: CPU time in us a request (or handshake, or MB); in brackets requests a second, and how busy its one core was.',
    'A contender whose core was not busy waited for the load or the origin, so its CPU time says more than its rate.',
    `Medians of ${starts} starts with ${rounds} rounds of a second each, in turns, after two rounds of warm-up.`,
    `${cores.load === cores.origin ? 'Contenders ran on core 0, load and origin together on core 1' : 'Contenders ran on core 0, load on core 1, origin on core 2'}.`,
    'Of the HTTPRoutes half have a path of their own, half share a hostname and a path and differ by a header only;',
    'the peers have them as maps.',
    '',
    `| | | ${counts.map(routesOf).join(' | ')} |`,
    `| --- | --- | ${counts.map(() => '---: |').join(' ')}`,
    ...scenarios.flatMap(({ name }) => contenders.map((contender) => line(outcome, name, contender.name))),
    '',
    ...scenarios.map(({ name, how }) => `- ${name}: ${how}`),
    '',
    ...tableOf(rows),
    '',
  ].join('\n')
}

function line({ figures, counts }: Outcome, scenario: Scenario['name'], contender: string): string {
  const cells = counts.map((count) => shown(figures.cell(scenario, contender, count)))
  return `| ${scenario} | ${contender} | ${cells.join(' | ')} |`
}

function shown({ fault, rates, cpu, busy }: Cell): string {
  if (fault !== undefined) return fault.replaceAll('|', '/')
  if (rates.length === 0) return '-'
  const rate = Math.round(median(rates)).toLocaleString('en')
  return `${median(cpu).toFixed(1)} (${rate}/s, ${(median(busy) * 100).toFixed(0)} %)`
}

const routesOf = (count: number): string => `${count.toLocaleString('en')} ${count === 1 ? 'route' : 'routes'}`

/** What the data plane is held to. Requests a core are the inverse of CPU time a request. */
function rowsOf({ figures, counts, scenarios }: Outcome): readonly Row[] {
  const measured = new Set(scenarios.map(({ name }) => name))
  const cell = figures.cell.bind(figures)
  const first = counts[0] ?? 1
  const last = counts.at(-1) ?? 1
  const smallGets = counts.map((count) => ({
    name: `small GETs a core, landfall / caddy, ${routesOf(count)}`,
    value: figures.ratio('cpu', cell('small GET', 'caddy', count), cell('small GET', 'landfall', count)),
    unit: '',
    bar: { atLeast: 2 },
  }))
  const scale = {
    name: `small GETs a core, landfall, ${routesOf(last)} / ${routesOf(first)}`,
    value: figures.ratio('cpu', cell('small GET', 'landfall', first), cell('small GET', 'landfall', last)),
    unit: '',
    bar: { atLeast: 0.9 },
  }
  const stream = (of: 'rates' | 'cpu', over: string, under: string): number =>
    figures.ratio(of, cell('passthrough', over, first), cell('passthrough', under, first))
  return [
    ...(measured.has('small GET') ? [...smallGets, scale] : []),
    ...(measured.has('passthrough')
      ? [
          {
            name: 'passthrough MB/s, landfall / haproxy',
            value: stream('rates', 'landfall', 'haproxy'),
            unit: '',
            bar: { atLeast: 0.9 },
          },
          { name: 'passthrough MB a core, landfall / haproxy', value: stream('cpu', 'haproxy', 'landfall'), unit: '' },
        ]
      : []),
  ]
}
