import { styleText } from 'node:util'

/** Rows under a head, in columns as wide as they need; colours only where `stream` is a terminal. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [styleText('bold', line(head)), ...rows.map(line)].join('\n')
}

export const good = (text: string): string => styleText('green', text)
export const bad = (text: string): string => styleText('red', text)
export const warn = (text: string): string => styleText('yellow', text)
export const dim = (text: string): string => styleText('dim', text)
export const strong = (text: string): string => styleText('bold', text)

/** "1 route", "2 routes", "2 entries". */
export const count = (number: number, noun: string, several = `${noun}s`): string =>
  `${number} ${number === 1 ? noun : several}`

export const printJson = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}
