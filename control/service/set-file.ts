import { isUtf8 } from 'node:buffer'
import { type FileText, textOf } from '../../kube/file-text.ts'
import { type ManifestFile, parseFile } from '../../kube/manifest-file.ts'
import { parseDocument } from '../../kube/parsed-document.ts'
import { newlines, type Source, splitDocuments } from '../../kube/yaml/split.ts'
import { commonEnds } from './common-ends.ts'

/** A file of a set as it was pushed. */
export interface SetFile {
  /** Below the set: "routes/cart.yaml". */
  readonly name: string
  /** UTF-8, if all is well. A large text weighs less outside of V8's heap. */
  readonly bytes: Buffer
}

/** A file of a set in memory. */
export interface HeldFile {
  readonly bytes: Buffer
  readonly file: ManifestFile
  /** Where each of the documents begins in the bytes. */
  readonly starts: readonly number[]
}

/** A document's marker, and the character that ends it: what has to be the same for the document to begin there. */
const markerLength = 4
const marker = /^---[ \t\r\n]/

/** Parses a file; of one that differs from an earlier version in one place, what is around that place. */
export function heldFile(name: string, bytes: Buffer, before: HeldFile | undefined): HeldFile {
  if (before !== undefined) {
    if (bytes.equals(before.bytes)) return before
    const patched = patchedFile(name, bytes, before)
    if (patched !== undefined) return patched
  }
  const read = withoutNul(textOf(bytes))
  const file = parseFile(name, read, before === undefined ? [] : [before.file])
  return {
    bytes,
    file,
    starts: 'text' in read ? startsOf(read.text, file.documents, bytes.length - Buffer.byteLength(read.text)) : [],
  }
}

/** A text with the character NUL is none that a database keeps. */
function withoutNul(read: FileText): FileText {
  const at = 'text' in read ? read.text.indexOf('\0') : -1
  if (!('text' in read) || at === -1) return read
  return { message: 'holds the character NUL, which is no text', line: 1 + newlines(read.text.slice(0, at)) }
}

/** Where the documents of a text begin in bytes in which it begins at `first`: it may stand behind a byte-order mark. */
function startsOf(text: string, documents: readonly Source[], first: number): readonly number[] {
  let [character, byte] = [0, first]
  return documents.map((document) => {
    const at = text.indexOf(document.text, character)
    const start = byte + Buffer.byteLength(text.slice(character, at))
    character = at + document.text.length
    byte = start + Buffer.byteLength(document.text)
    return start
  })
}

/** undefined where the place of the change does not stand between two documents that are sure to be the same. */
function patchedFile(name: string, bytes: Buffer, { bytes: old, file, starts }: HeldFile): HeldFile | undefined {
  const { documents } = file
  const { prefix, suffix } = commonEnds(bytes, old)
  const first = lastAtMost(starts, prefix - markerLength)
  // The newline before its marker has to be the same, too.
  const next = lastAtMost(starts, old.length - suffix) + 1
  const from = starts[first]
  const [begin, end] = [documents[first], documents[next]]
  if (begin === undefined || end === undefined || from === undefined || next <= first) return undefined
  if (!marker.test(begin.text) || !marker.test(end.text)) return undefined

  const shift = bytes.length - old.length
  const part = bytes.subarray(from, (starts[next] ?? 0) + shift)
  if (!isUtf8(part) || part.includes(0)) return undefined
  const middle = part.toString()
  const sources = splitDocuments(middle)
  const last = sources.at(-1)
  // A marker with nothing but comments before it parts nothing.
  if (last === undefined || !middle.endsWith(last.text)) return undefined
  const known = new Map(documents.slice(first, next).map((document) => [document.text, document.parsed]))
  const changed = sources.map(({ text, line }) => ({
    text,
    line: begin.line + line - 1,
    parsed: known.get(text) ?? parseDocument(text),
  }))
  const lines = begin.line + newlines(middle) - end.line
  const after = documents.slice(next)
  const moved = lines === 0 ? after : after.map((document) => ({ ...document, line: document.line + lines }))
  const between = startsOf(middle, sources, from)
  const behind = starts.slice(next)
  return {
    bytes,
    file: { name, documents: [...documents.slice(0, first), ...changed, ...moved], fault: undefined, isPending: false },
    starts: [...starts.slice(0, first), ...between, ...(shift === 0 ? behind : behind.map((start) => start + shift))],
  }
}

/** The index of the last of the sorted numbers that is at most `limit`; -1 when none is. */
function lastAtMost(sorted: readonly number[], limit: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? 0) <= limit) low = middle + 1
    else high = middle
  }
  return low - 1
}
