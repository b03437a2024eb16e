import { fateLines } from '../control/route-diff/facets.ts'
import type { RouteDiff } from '../control/route-diff/route-diff.ts'
import {
  connectionText,
  gatewayText,
  incompleteText,
  summaryText,
  type Title,
  titleOf,
  unreachedText,
} from '../control/route-diff/sentences.ts'
import { witnessText } from '../control/route-diff/witness.ts'
import { bad, dim, good, strong, warn } from './terminal.ts'

/** What `landfall diff` prints for people. */
export const diffText = (diffs: readonly RouteDiff[]): string =>
  [...diffs.flatMap((diff) => [...gatewayLines(diff), '']), summaryText(diffs)].join('\n')

const MARKS = { '+': good('+'), '-': bad('-'), '~': warn('~') } as const

function gatewayLines(diff: RouteDiff): readonly string[] {
  return [
    strong(gatewayText(diff)),
    ...diff.changes.flatMap((change) => [
      ...headed(titleOf(change), witnessText(change.witness)),
      ...turned(fateLines(change.fateBefore, change.facets), fateLines(change.fateAfter, change.facets)),
      ...(change.hostnames.length > 1 ? [`      ${dim(`on ${change.hostnames.map(named).join(', ')}`)}`] : []),
    ]),
    ...diff.connections.flatMap(({ witness, before, after }) => [
      ...headed({ mark: '~', text: 'connections' }, connectionText(witness)),
      ...turned(before, after),
    ]),
    ...diff.settings.flatMap(({ name, before, after }) => [
      `  ${MARKS['~']} ${name}`,
      ...turned([before || 'none'], [after || 'none']),
    ]),
    ...diff.unreached.map((each) => `  ${warn('!')} ${unreachedText(each)}`),
    ...(diff.isComplete ? [] : [`  ${warn(incompleteText)}`]),
  ]
}

const headed = ({ mark, text }: Title, example: string): string[] => [
  `  ${MARKS[mark]} ${text}`,
  `      ${strong(example)}`,
]

const turned = (before: readonly string[], after: readonly string[]): string[] => [
  ...before.map((line) => `      ${bad('-')} ${line}`),
  ...after.map((line) => `      ${good('+')} ${line}`),
]

const named = (hostname: string): string => (hostname === '' ? 'every hostname' : hostname)
