import type { KubeObject } from '../../kube/objects.ts'
import type { FieldPath } from '../../kube/rule.ts'
import type { Reason } from '../status/reasons.ts'

/** error: something is not served as its author meant it. warning: it is served, but hardly as meant. info: how it is served. */
export type Severity = 'error' | 'warning' | 'info'

/** The conditions that a finding can turn from what they are for an object without mistakes. */
export type FindingCondition =
  | 'Accepted'
  | 'Conflicted'
  | 'InsecureFrontendValidationMode'
  | 'OverlappingTLSConfig'
  | 'PartiallyInvalid'
  | 'Programmed'
  | 'ResolvedRefs'

/** What compile has to say about a field of a manifest. The result that carries it tells whose condition it turns. */
export interface Finding {
  readonly severity: Severity
  /** Where the mistake stands; this may be another object than the one whose status shows it. */
  readonly object: KubeObject
  readonly path: FieldPath
  /** undefined for what no condition shows. */
  readonly condition: FindingCondition | undefined
  readonly reason: Reason
  /** What is wrong, and what would be right; without a full stop at the end. */
  readonly message: string
}

export const error = (
  object: KubeObject,
  path: FieldPath,
  condition: FindingCondition,
  reason: Reason,
  message: string,
): Finding => ({ severity: 'error', object, path, condition, reason, message })

export const warning = (
  object: KubeObject,
  path: FieldPath,
  reason: Reason,
  message: string,
  condition?: FindingCondition,
): Finding => ({ severity: 'warning', object, path, condition, reason, message })

export const info = (object: KubeObject, path: FieldPath, reason: Reason, message: string): Finding => ({
  severity: 'info',
  object,
  path,
  condition: undefined,
  reason,
  message,
})

/** Whether one of `conditions` is turned. */
export const turns = (findings: readonly Finding[], ...conditions: readonly FindingCondition[]): boolean =>
  findings.some(({ condition }) => condition !== undefined && conditions.includes(condition))

/** "a, b and 7 more": what there is, for a message that must not grow with it. */
export function few(names: readonly (string | number)[], most = 8): string {
  const shown = names.slice(0, most).join(', ')
  return names.length > most ? `${shown} and ${names.length - most} more` : shown
}
