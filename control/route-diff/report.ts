import type { Change } from './change.ts'
import { fateText } from './facets.ts'
import { differs, type RouteDiff } from './route-diff.ts'

/** What `landfall diff -o json` prints. */
export function reportOf(diffs: readonly RouteDiff[]) {
  return {
    differs: diffs.some(differs),
    isComplete: diffs.every(({ isComplete }) => isComplete),
    gateways: diffs.map((diff) => ({ ...diff, changes: diff.changes.map(changeReport) })),
  }
}

function changeReport({ before, after, fateBefore, fateAfter, witness, ...change }: Change) {
  return {
    ...change,
    request: witness,
    before: { rule: before, answer: fateText(fateBefore), fate: fateBefore },
    after: { rule: after, answer: fateText(fateAfter), fate: fateAfter },
  }
}
