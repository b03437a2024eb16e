import type { TableToPublish } from '../publish/diff.ts'
import { encodeTable } from '../publish/encode.ts'
import { claimsOf, objectsIn, ownedByOthers } from './claims.ts'
import { type Content, contentOf } from './content.ts'
import { errorsOf } from './findings.ts'
import { Refusal } from './refusal.ts'
import type { Candidate } from './workspace.ts'

/** What a set is to say, in a form that can be published. */
export interface Proposal {
  readonly set: string
  readonly candidate: Candidate
  readonly tables: readonly TableToPublish[]
  readonly content: Content
  readonly objects: number
}

/** Things that others own which a refusal names. */
const maxOwned = 100

/** Throws a Refusal for what cannot be published. `before`: what the set says now. */
export function propose(set: string, candidate: Candidate, before: Content | undefined): Proposal {
  refuseOwned(candidate, set)
  const tables = publishable(candidate)
  const files = [...(candidate.sets.get(set) ?? [])].map(([name, { bytes }]) => ({ name, bytes }))
  const content = contentOf(files, before)
  return { set, candidate, tables, content, objects: objectsIn(candidate, set) }
}

/** Throws a Refusal where the set would have what others own. */
export function refuseOwned(candidate: Candidate, set: string): void {
  const owned = ownedByOthers(candidate, set)
  const [first] = owned
  if (first === undefined) return
  const detail = `${first.what} belongs to the set ${first.owner}${owned.length > 1 ? `, and ${owned.length - 1} more to others` : ''}`
  throw new Refusal(409, 'owned-by-another-set', detail, { owned: owned.slice(0, maxOwned) })
}

/** The tables of all sets. Throws a Refusal where any of them has an error, or what no store takes. */
export function publishable(candidate: Candidate): readonly TableToPublish[] {
  const problems = errorsOf(candidate)
  if (problems.length > 0) {
    const detail = `the manifests have errors: ${problems.length}, the first at ${problems[0]?.file}:${problems[0]?.line}`
    throw new Refusal(422, 'invalid-manifests', detail, { problems })
  }
  return candidate.compiled.tables.map((table) => {
    const encoded = encodeTable(table)
    if (encoded.ok) return { table, encoded: encoded.table }
    const detail = encoded.problems.map(({ message }) => message).join('; ')
    throw new Refusal(422, 'table-too-large', detail)
  })
}

/** In order. */
export const ownedNames = ({ candidate, set }: Pick<Proposal, 'candidate' | 'set'>): readonly string[] =>
  [...claimsOf(candidate, set)].sort()
