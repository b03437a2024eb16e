import type { FieldPath } from './rule.ts'

/** Something wrong in the user's manifests. An error keeps its object out of the result; a warning does not. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  readonly file: string
  /** From 1. */
  readonly line: number
  /** With namespace and name: the object that is meant; "" where that cannot be known. */
  readonly kind: string
  /** "" for kinds without namespaces. */
  readonly namespace: string
  readonly name: string
  /** As formatField prints it; "" for the whole object. */
  readonly field: string
  readonly message: string
}

/** "spec.rules[0].matches[1].path"; a key that is no plain word is quoted: `metadata.labels["a/b"]`. */
export const formatField = (path: FieldPath): string =>
  path.reduce<string>((before, whole) => {
    if (typeof whole === 'number') return `${before}[${whole}]`
    const step = whole.length > 100 ? `${whole.slice(0, 97)}...` : whole
    if (!/^[A-Za-z_$][\w-]*$/.test(step)) return `${before}[${JSON.stringify(step)}]`
    return before === '' ? step : `${before}.${step}`
  }, '')

/** "file:line: kind namespace/name field: message", without the parts that are "". */
export function formatProblem({ severity, file, line, kind, namespace, name, field, message }: Problem): string {
  const object = namespace === '' || name === '' ? name : `${namespace}/${name}`
  const subject = [kind, object, field].filter((part) => part !== '').join(' ')
  const mark = severity === 'warning' ? 'warning: ' : ''
  return `${file}:${line}: ${mark}${subject === '' ? '' : `${subject}: `}${message}`
}
