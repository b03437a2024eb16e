import { formatField } from '../../kube/problem.ts'
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
  { loaded, compiled }: Candidate,
  set: string,
): { readonly findings: readonly FindingAnswer[]; readonly leftOut: number } {
  const findings = loaded.problems
    .filter(({ file }) => setOf(file) === set)
    .map((problem): FindingAnswer => ({ ...problem, reason: '' }))
  for (const { severity, object, path, message, reason } of compiled.findings) {
    const place = loaded.where(object, path)
    if (setOf(place.file) !== set) continue
    const { kind, metadata } = object
    const { name, namespace = '' } = metadata
    findings.push({ severity, ...place, kind, namespace, name, field: formatField(path), message, reason })
  }
  findings.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
  return { findings: findings.slice(0, most), leftOut: Math.max(findings.length - most, 0) }
}
