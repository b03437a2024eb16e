import type { Changes, TableDiff } from '../control/publish/diff.ts'
import { bad, count, good, strong, warn } from './terminal.ts'

/** What changes of a Gateway's table, a line each. */
export function printDiff({ gateway, listeners, routes, backends, settingsChanged }: TableDiff): string {
  const lines = [
    strong(`Gateway ${gateway}`),
    ...changed('listener', listeners),
    ...changed('', routes),
    ...changed('backend', backends),
  ]
  if (settingsChanged) lines.push(`  ${warn('~')} settings`)
  return lines.join('\n')
}

function changed(what: string, { added, changed, removed }: Changes): string[] {
  const line = (mark: string) => (name: string) => `  ${mark} ${what === '' ? name : `${what} ${name}`}`
  return [...added.map(line(good('+'))), ...changed.map(line(warn('~'))), ...removed.map(line(bad('-')))]
}

/** "wrote 3 entries (512 bytes), deleted 1 old one". */
export function printWritten(entries: number, bytes: number, collected: number, dryRun: boolean): string {
  if (entries === 0 && collected === 0) return 'nothing to write: the store has these tables already'
  const parts = [`${dryRun ? 'would write' : 'wrote'} ${count(entries, 'entry', 'entries')} (${bytes} bytes)`]
  if (collected > 0) parts.push(`${dryRun ? 'would delete' : 'deleted'} ${count(collected, 'old one')}`)
  return parts.join(', ')
}
