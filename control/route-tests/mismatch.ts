import type { FieldPath } from '../../kube/rule.ts'
import type { Draws } from './draws.ts'
import type { Outcome } from './outcome.ts'

/** An expectation that does not hold. */
export interface Mismatch {
  /** Below `expect`. */
  readonly path: FieldPath
  readonly expected: string
  readonly got: string
}

/** What holds for an outcome where another was expected; undefined when the expectation holds. */
export type Look = (outcome: Outcome) => string | undefined

/** An expectation has to hold for every draw. */
export function everyDraw(path: FieldPath, expected: string, { drawn, total }: Draws, look: Look): Mismatch[] {
  const wrong = new Map<string, number>()
  for (const { outcome, times } of drawn) {
    const got = look(outcome)
    if (got !== undefined) wrong.set(got, (wrong.get(got) ?? 0) + times)
  }
  if (wrong.size === 0) return []
  const got = [...wrong].map(([text, times]) => (total === 1 ? text : `${text} in ${times} of ${total} draws`))
  return [{ path, expected, got: got.join(', ') }]
}
