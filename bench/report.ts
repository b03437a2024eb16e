import process from 'node:process'

/** What a figure is held to, in its unit. */
export type Bar = { readonly atLeast: number } | { readonly atMost: number }

/** One figure of a bench; NaN if it could not be measured, which holds no bar. */
export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly bar?: Bar
}

/** What a bench came to: the text that is kept, and the figures of which some are held to a bar. */
export interface Report {
  readonly table: string
  readonly rows: readonly Row[]
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

export const report = (title: string, rows: readonly Row[]): Report => ({
  table: [`## ${title}`, '', ...tableOf(rows), ''].join('\n'),
  rows,
})

/** As lines of Markdown. */
export const tableOf = (rows: readonly Row[]): readonly string[] => [
  '| | median | held to |',
  '| --- | ---: | --- |',
  ...rows.map((row) => `| ${row.name} | ${shown(row)} | ${row.bar === undefined ? '' : inWords(row.bar)} |`),
]

/** Prints a report, and to standard error which bars were missed: the process will then end with 1. */
export function tell({ table, rows }: Report): void {
  process.stdout.write(`\n${table}\n`)
  for (const row of rows) {
    if (row.bar === undefined || holds(row.value, row.bar)) continue
    process.stderr.write(`missed: ${row.name}: ${shown(row)}, held to ${inWords(row.bar)}\n`)
    process.exitCode = 1
  }
}

const holds = (value: number, bar: Bar): boolean => ('atLeast' in bar ? value >= bar.atLeast : value <= bar.atMost)

const inWords = (bar: Bar): string => ('atLeast' in bar ? `at least ${bar.atLeast}` : `at most ${bar.atMost}`)

function shown({ value, unit }: Row): string {
  if (Number.isNaN(value)) return 'not measured'
  return `${value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)} ${unit}`.trimEnd()
}
