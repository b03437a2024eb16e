import { faultsOf } from '../faults.ts'
import type { FindingAnswer } from './answers.ts'
import { type Candidate, setOf } from './workspace.ts'

/** Findings that are answered at a time; the rest is counted. */
const most = 5_000

/** What an API server would refuse, in any set. */
export const errorsOf = ({ loaded }: Candidate): readonly FindingAnswer[] =>
  loaded.problems
    .filter(({ severity }) => severity === 'error')
    .slice(0, most)
    .map((problem) => ({ ...problem, reason: '' }))

/** What is to be said about the objects of a set, in order of file and line. */
export function findingsOf(
  candidate: Candidate,
  set: string,
): { readonly findings: readonly FindingAnswer[]; readonly leftOut: number } {
  const findings = faultsOf(candidate).filter(({ file }) => setOf(file) === set)
  return { findings: findings.slice(0, most), leftOut: Math.max(findings.length - most, 0) }
}
