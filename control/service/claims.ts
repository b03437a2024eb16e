import type { ManifestFile } from '../../kube/manifest-file.ts'
import type { OwnedAnswer } from './answers.ts'
import type { Candidate } from './workspace.ts'

/** What a set owns: "Namespace shop" for every namespace that it has an object in or of, "GatewayClass edge" for every other object
 *  of the whole cluster. */
export type Claims = ReadonlySet<string>

const ofFile = new WeakMap<ManifestFile, Claims>()

function claimsOfFile(file: ManifestFile): Claims {
  const known = ofFile.get(file)
  if (known !== undefined) return known
  const claims = new Set<string>()
  for (const { parsed } of file.documents) {
    for (const { object } of parsed.entries) {
      if (object === undefined) continue
      const { namespace, name } = object.metadata
      claims.add(namespace === undefined ? `${object.kind} ${name}` : `Namespace ${namespace}`)
    }
  }
  ofFile.set(file, claims)
  return claims
}

export function claimsOf(candidate: Candidate, set: string): Claims {
  const claims = new Set<string>()
  for (const { file } of candidate.sets.get(set)?.values() ?? [])
    for (const claim of claimsOfFile(file)) claims.add(claim)
  return claims
}

/** What the set would own that another owns already. */
export function ownedByOthers(candidate: Candidate, set: string): readonly OwnedAnswer[] {
  const wanted = claimsOf(candidate, set)
  const owned: OwnedAnswer[] = []
  for (const owner of candidate.sets.keys()) {
    if (owner === set) continue
    for (const what of claimsOf(candidate, owner)) if (wanted.has(what)) owned.push({ what, owner })
  }
  return owned.toSorted((a, b) => (a.what < b.what ? -1 : 1))
}

/** Objects of a set that Landfall reads. */
export function objectsIn(candidate: Candidate, set: string): number {
  let objects = 0
  for (const { file } of candidate.sets.get(set)?.values() ?? []) {
    for (const { parsed } of file.documents)
      objects += parsed.entries.filter(({ object }) => object !== undefined).length
  }
  return objects
}
