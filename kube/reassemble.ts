import { type Assembled, type Holding, keptObject, loadedOf } from './loaded.ts'
import { type ManifestFile, soundKeys } from './manifest-file.ts'

/** A file as it was when `Assembled` was made, and as it is now. */
export type Version = readonly [before: ManifestFile, after: ManifestFile]

/**
 * What assemble gives when nothing but these files has changed, without a look at all others; the objects may come in another
 * order. undefined when the files say more than other versions of the same sound objects: then all has to be put together anew.
 */
export function reassemble(last: Assembled, versions: Iterable<Version>): Assembled | undefined {
  const { index, repeated } = last
  const changes = new Map<number, Holding>()
  for (const [before, after] of versions) {
    const keys = soundKeys(before)
    if (keys === undefined || keys.some((key) => key !== undefined && repeated.has(key))) return undefined
    // What it said holds, and nothing was told about it.
    if (after.isPending && !keys.includes(undefined)) continue
    const keysNow = soundKeys(after)
    if (keysNow?.length !== keys.length || keys.some((key, at) => key !== keysNow[at])) return undefined
    for (const [at, holding] of holdingsOf(after, before, last)) changes.set(at, holding)
  }
  if (changes.size === 0) return last
  const holdings = [...last.holdings]
  for (const [at, holding] of changes) holdings[at] = holding
  return { loaded: loadedOf(holdings, index, last.loaded), holdings, index, repeated }
}

/** Of the documents that are not the very same as before, with their places in `holdings`. */
function* holdingsOf(
  { name, documents }: ManifestFile,
  before: ManifestFile,
  { index, holdings }: Assembled,
): Generator<[number, Holding]> {
  const isSameFile = before.name === name && before.documents.length === documents.length
  for (const [place, document] of documents.entries()) {
    if (isSameFile && before.documents[place] === document) continue
    const { line, parsed } = document
    for (const { key, object, path } of parsed.entries) {
      const at = key === undefined ? undefined : index.get(key)
      if (object === undefined || at === undefined) continue
      yield [at, { object: keptObject(object, holdings[at]?.object), place: { file: name, line, parsed, path } }]
    }
  }
}
