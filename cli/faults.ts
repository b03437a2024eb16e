import type { Finding } from '../control/compile/finding.ts'
import type { Reading } from '../control/project.ts'
import { formatField, formatProblem, type Problem } from '../kube/problem.ts'
import { bad, count, dim, good, warn } from './terminal.ts'

/** Problems of the manifests and findings of compile, alike: each with its place. */
export interface Fault extends Omit<Problem, 'severity'> {
  readonly severity: Finding['severity']
  /** Reason of the condition that shows it; "" for a manifest that an API server would refuse. */
  readonly reason: string
}

/** In order of file and line. */
export function faultsOf({ loaded, compiled }: Reading): readonly Fault[] {
  const faults: Fault[] = loaded.problems.map((problem) => ({ ...problem, reason: '' }))
  for (const { severity, object, path, message, reason } of compiled.findings) {
    const { kind, metadata } = object
    const place = loaded.where(object, path)
    const { name, namespace = '' } = metadata
    faults.push({ severity, ...place, kind, namespace, name, field: formatField(path), message, reason })
  }
  return faults.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
}

export function printFault(fault: Fault): string {
  const { severity } = fault
  const text = formatProblem({ ...fault, severity: 'error' })
  const mark = severity === 'error' ? bad('error') : severity === 'warning' ? warn('warning') : dim('note')
  return `${mark} ${text}`
}

/** "12 objects, 1 error, 2 warnings". */
export function summary({ loaded }: Reading, faults: readonly Fault[]): string {
  const of = (severity: Fault['severity']): number => faults.filter((fault) => fault.severity === severity).length
  const parts = [count(loaded.objects.length, 'object')]
  if (loaded.ignored > 0) parts.push(`${loaded.ignored} of other kinds left alone`)
  parts.push(of('error') === 0 ? good('no errors') : bad(count(of('error'), 'error')))
  if (of('warning') > 0) parts.push(warn(count(of('warning'), 'warning')))
  return parts.join(', ')
}
