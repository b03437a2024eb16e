import { formatField, type Problem } from '../kube/problem.ts'
import type { Finding } from './compile/finding.ts'
import type { Reading } from './project.ts'

/** Problems of the manifests and findings of compile, alike: each with its place. */
export interface Fault extends Omit<Problem, 'severity'> {
  readonly severity: Finding['severity']
  /** Reason of the condition that shows it; "" for a manifest that an API server would refuse. */
  readonly reason: string
}

/** In order of file and line. */
export function faultsOf({ loaded, compiled }: Pick<Reading, 'loaded' | 'compiled'>): readonly Fault[] {
  const faults: Fault[] = loaded.problems.map((problem) => ({ ...problem, reason: '' }))
  for (const { severity, object, path, message, reason } of compiled.findings) {
    const { kind, metadata } = object
    const place = loaded.where(object, path)
    const { name, namespace = '' } = metadata
    faults.push({ severity, ...place, kind, namespace, name, field: formatField(path), message, reason })
  }
  return faults.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
}
