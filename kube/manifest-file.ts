import { Buffer } from 'node:buffer'
import type { FileText } from './file-text.ts'
import { type ParsedDocument, parseDocument } from './parsed-document.ts'
import { splitDocuments } from './yaml/split.ts'

/** Documents of a file. */
const maxDocuments = 200_000

/** One version of a file: its documents, or why it has none. */
export interface ManifestFile {
  /** As problems name it. */
  readonly name: string
  readonly documents: readonly { readonly text: string; readonly line: number; readonly parsed: ParsedDocument }[]
  readonly fault: { readonly message: string; readonly line: number } | undefined
  /** Whether it is not known yet what the file says: nothing is told about it, and what it last said holds. */
  readonly isPending: boolean
}

export const faultyFile = (name: string, message: string, line = 1): ManifestFile => ({
  name,
  documents: [],
  fault: { message, line },
  isPending: false,
})

export const pendingFile = (name: string): ManifestFile => ({ name, documents: [], fault: undefined, isPending: true })

/** Documents that an earlier version has, with the same text, are not parsed again. */
export function parseFile(name: string, read: FileText, earlier: readonly ManifestFile[] = []): ManifestFile {
  if ('message' in read) return faultyFile(name, read.message, read.line)
  const sources = splitDocuments(read.text)
  if (sources.length > maxDocuments) {
    const message = `holds ${sources.length} documents; at most ${maxDocuments} are read, so split it into several files`
    return faultyFile(name, message)
  }
  const known = new Map(
    earlier.flatMap(({ documents }) => documents.map(({ text, parsed }): [string, ParsedDocument] => [text, parsed])),
  )
  const documents = sources.map(({ text, line }) => ({
    text,
    line,
    // A copy: a piece of a text keeps the whole of it in memory, for as long as this document stays.
    parsed: known.get(text) ?? parseDocument(known.size === 0 ? text : Buffer.from(text).toString()),
  }))
  return { name, documents, fault: undefined, isPending: false }
}

/** Keys of the objects of a file in which all is well, in its order, undefined for those that Landfall does not read; no list
 *  for any other file. */
export function soundKeys(file: ManifestFile): SoundKeys {
  if (!knownKeys.has(file)) knownKeys.set(file, readKeys(file))
  return knownKeys.get(file)
}

type SoundKeys = readonly (string | undefined)[] | undefined

/** A version of a file is asked for them when it comes and when it goes. */
const knownKeys = new WeakMap<ManifestFile, SoundKeys>()

function readKeys({ documents, fault, isPending }: ManifestFile): SoundKeys {
  if (fault !== undefined || isPending) return undefined
  const keys: (string | undefined)[] = []
  for (const { parsed } of documents) {
    if (parsed.fault !== undefined) return undefined
    for (const { key, object, faults } of parsed.entries) {
      if (faults.length > 0 || (object !== undefined && key === undefined)) return undefined
      keys.push(key)
    }
  }
  return keys
}

/** Whether a file may have been read while it was being written: it is cut off, does not parse, or lacks objects that the
 *  version before it had. */
export function mayBeHalfWritten(file: ManifestFile, before: ManifestFile | undefined): boolean {
  if (file.fault !== undefined || isCutOff(file, before)) return true
  const keys = new Set<string | undefined>([undefined])
  for (const { parsed } of file.documents) {
    if (parsed.fault !== undefined) return true
    for (const { key, object, faults } of parsed.entries) {
      if (object === undefined && faults.length > 0) return true
      keys.add(key)
    }
  }
  return before?.documents.some(({ parsed }) => parsed.entries.some(({ key }) => !keys.has(key))) ?? false
}

/** Text that is written in pieces is hardly ever cut at the end of a line. */
const isCutOff = (file: ManifestFile, before: ManifestFile | undefined): boolean =>
  endsLine(before) === true && endsLine(file) === false

const endsLine = (file: ManifestFile | undefined): boolean | undefined => file?.documents.at(-1)?.text.endsWith('\n')
