import { stringify } from 'yaml'
import type { TestResult } from './run.ts'

/** https://testanything.org/tap-version-14-specification.html */
export const tap = (results: readonly TestResult[]): string =>
  ['TAP version 14', `1..${results.length}`, ...results.flatMap(point), ''].join('\n')

function point({ test, failures, explanation }: TestResult, index: number): string[] {
  const { name, file, line } = test
  const title = `${index + 1} - ${escaped(name)}`
  if (failures.length === 0) return [`ok ${title}`]
  const block = stringify({ at: `${file}:${line}`, failures, explain: explanation }, { lineWidth: 0 }).trimEnd()
  return [`not ok ${title}`, '  ---', ...block.split('\n').map((text) => `  ${text}`), '  ...']
}

/** Of a description, which would else end at a "#". */
const escaped = (name: string): string => name.replace(/[\\#]/g, '\\$&').replace(/\s+/g, ' ')
