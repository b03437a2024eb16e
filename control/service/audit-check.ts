import type { AuditHead } from './answers.ts'
import { type Audit, hashOf, noHead } from './audit.ts'
import type { Version } from './history.ts'

export interface AuditVerdict {
  readonly head: AuditHead
  /** What does not fit, as sentences; none: the log is as it was written. */
  readonly faults: readonly string[]
}

/** Faults that are told. */
const maxFaults = 20

/**
 * Walks through the whole log. `known` is a head that was kept elsewhere; `versions` are those of the history, of which each must
 * have been written down when it was made.
 */
export async function verifyAudit(
  audit: Audit,
  known: AuditHead | undefined,
  versions: Iterable<Version>,
): Promise<AuditVerdict> {
  const faults: string[] = []
  const made = new Set<string>()
  let head = noHead
  for (;;) {
    const entries = await audit.after(head.sequence)
    for (const entry of entries) {
      const { sequence, action, set, version, digest, previous, hash } = entry
      if (sequence !== head.sequence + 1)
        faults.push(`entry ${sequence} follows entry ${head.sequence}: some are missing`)
      if (previous !== head.hash) faults.push(`entry ${sequence} does not follow from the one before it`)
      if (hash !== hashOf(entry)) faults.push(`entry ${sequence} is not what was written`)
      if (sequence === known?.sequence && hash !== known.hash)
        faults.push(`entry ${sequence} is another than the head that was kept`)
      if (action === 'push' || action === 'rollback') made.add(`${set} ${version} ${digest}`)
      head = { sequence, hash }
    }
    if (entries.length === 0 || faults.length > maxFaults) break
  }
  if (known !== undefined && head.sequence < known.sequence) {
    faults.push(`the log ends with entry ${head.sequence}, and entry ${known.sequence} was written: its end is cut off`)
  }
  for (const { set, version, digest } of versions) {
    if (!made.has(`${set} ${version} ${digest}`))
      faults.push(`version ${version} of ${set} is in the history and not in the log`)
  }
  return { head, faults: faults.slice(0, maxFaults) }
}
