/** One figure of a bench. */
export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What it is held to. */
  readonly bar?: string
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** As a Markdown table. */
export function markdown(title: string, rows: readonly Row[]): string {
  const lines = rows.map(({ name, value, unit, bar }) => `| ${name} | ${shown(value)} ${unit} | ${bar ?? ''} |`)
  return [`## ${title}`, '', '| | median | held to |', '| --- | ---: | --- |', ...lines, ''].join('\n')
}

const shown = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
