import type { Fault } from '../control/faults.ts'
import type { Reading } from '../control/project.ts'
import { formatProblem } from '../kube/problem.ts'
import { bad, count, dim, good, warn } from './terminal.ts'

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
