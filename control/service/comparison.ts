import { diffTables, type Tables } from '../route-diff/diff-tables.ts'
import type { DiffAnswer } from './answers.ts'
import type { History } from './history.ts'
import { publishable, refuseOwned } from './proposal.ts'
import { Refusal } from './refusal.ts'
import type { SetFile } from './set-file.ts'
import type { Union } from './union.ts'
import type { Candidate } from './workspace.ts'

export type VersionName = number | 'latest'

/** What is compared of a set, beside the latest versions of all other sets. */
export interface Comparison {
  readonly set: string
  readonly from: VersionName
  /** Another version, or manifests that might be pushed. */
  readonly to: VersionName | readonly SetFile[]
}

/** Which requests change their fate. Publishes nothing, and throws a Refusal for what could not be published. */
export async function compare(
  { history, union }: { readonly history: History; readonly union: Union },
  { set, from, to }: Comparison,
): Promise<DiffAnswer> {
  await union.refresh()
  const latest = union.versions.get(set)
  if (latest === undefined) throw new Refusal(404, 'no-such-set', `there is no set ${set}`)
  const numberOf = (name: VersionName): number => (name === 'latest' ? latest.version : name)
  const filesAt = async (name: VersionName): Promise<readonly SetFile[] | undefined> => {
    const version = numberOf(name)
    if (version === latest.version) return undefined
    const files = await history.files(set, version)
    if (files !== undefined) return files
    throw new Refusal(404, 'no-such-version', `the history has no version ${version} of ${set}`)
  }
  const old = await filesAt(from)
  const young = isFiles(to) ? to : await filesAt(to)
  const candidateOf = (files: readonly SetFile[] | undefined): Candidate =>
    files === undefined ? union.current : union.candidate(set, files)
  const after = candidateOf(young)
  refuseOwned(after, set)
  const gateways = diffTables(tablesOf(candidateOf(old)), tablesOf(after))
  return { set, from: numberOf(from), ...(isFiles(to) ? {} : { to: numberOf(to) }), gateways }
}

const isFiles = (to: Comparison['to']): to is readonly SetFile[] => typeof to === 'object'

const tablesOf = (candidate: Candidate): Tables =>
  new Map(publishable(candidate).map(({ table, encoded }) => [table.gateway, encoded]))
