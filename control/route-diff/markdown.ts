import { fateLines } from './facets.ts'
import { differs, type RouteDiff } from './route-diff.ts'
import { connectionText, gatewayText, incompleteText, summaryText, titleOf, unreachedText } from './sentences.ts'
import { witnessText } from './witness.ts'

/** A comment of GitHub may have 65,536 characters; here some are left for what stands around it. */
const MOST_CHARACTERS = 60_000

/** A comment for a pull request. */
export function markdownOf(diffs: readonly RouteDiff[]): string {
  const isDifferent = diffs.some(differs)
  const head = isDifferent ? `### Landfall: ${summaryText(diffs)}` : '### Landfall: no request changes its fate'
  const rows = diffs.flatMap(section)
  let length = head.length
  const fitting = rows.filter((row) => {
    length += row.length + 1
    return length < MOST_CHARACTERS
  })
  const left = rows.length - fitting.length
  return [
    head,
    ...fitting,
    ...(left === 0 ? [] : ['', `… and ${left} lines more: \`landfall diff\` has them all.`]),
  ].join('\n')
}

function section(diff: RouteDiff): readonly string[] {
  const rows = [
    ...diff.changes.map((change) => {
      const { mark, text } = titleOf(change)
      const [before, after] = [change.fateBefore, change.fateAfter].map((fate) => cell(fateLines(fate, change.facets)))
      return `| ${SIGNS[mark]} ${plain(text)} | ${code(witnessText(change.witness))} | ${before} | ${after} |`
    }),
    ...diff.connections.map(
      ({ witness, before, after }) =>
        `| changed: connections | ${code(connectionText(witness))} | ${cell(before)} | ${cell(after)} |`,
    ),
    ...diff.settings.map(
      ({ name, before, after }) =>
        `| changed: ${plain(name)} | | ${cell([before || 'none'])} | ${cell([after || 'none'])} |`,
    ),
  ]
  const table =
    rows.length === 0 ? [] : ['', '| what | for example | before | after |', '| --- | --- | --- | --- |', ...rows]
  const notes = diff.unreached.map((each) => `- ${plain(unreachedText(each))}`)
  const limits = diff.isComplete ? [] : ['', incompleteText]
  return ['', `**${plain(gatewayText(diff))}**`, ...table, ...(notes.length === 0 ? [] : ['', ...notes]), ...limits]
}

const SIGNS = { '+': 'added:', '-': 'removed:', '~': 'changed:' } as const

const cell = (lines: readonly string[]): string => lines.map(code).join('<br>')

/** As code, whatever is in it; in a table a bar ends the cell even there. */
function code(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  const padding = text.startsWith('`') || text.endsWith('`') ? ' ' : ''
  return `${fence}${padding}${oneLine(text).replaceAll('|', '\\|')}${padding}${fence}`
}

/** As text, whatever is in it. */
const plain = (text: string): string => oneLine(text).replaceAll(/[\\`*_{}[\]<>()#|~@]/g, '\\$&')

const oneLine = (text: string): string => text.replaceAll(/[\r\n]+/g, ' ')
