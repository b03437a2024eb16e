import type { FileText } from '../../kube/file-text.ts'
import { type ManifestFile, parseFile } from '../../kube/manifest-file.ts'
import { parseDocument } from '../../kube/parsed-document.ts'
import { newlines, splitDocuments } from '../../kube/yaml/split.ts'
import { commonEnds } from './common-ends.ts'

/** A file of a set in memory. */
export interface HeldFile {
  readonly read: FileText
  readonly file: ManifestFile
  /** Where each of the documents begins in the text. */
  readonly starts: readonly number[]
}

/** A document's marker, and the character that ends it: what has to be the same for the document to begin there. */
const markerLength = 4
const marker = /^---[ \t\r\n]/

/** Parses a file; of one that differs from an earlier version in one place, what is around that place. */
export function heldFile(name: string, read: FileText, before: HeldFile | undefined): HeldFile {
  if (before !== undefined && 'text' in read && 'text' in before.read) {
    if (read.text === before.read.text) return before
    const patched = patchedFile(name, read.text, before.read.text, before)
    if (patched !== undefined) return patched
  }
  const file = parseFile(name, read, before === undefined ? [] : [before.file])
  return { read, file, starts: 'text' in read ? startsOf(read.text, file) : [] }
}

function startsOf(text: string, { documents }: ManifestFile): readonly number[] {
  let at = 0
  return documents.map((document) => {
    const start = text.indexOf(document.text, at)
    at = start + document.text.length
    return start
  })
}

/** undefined where the place of the change does not stand between two documents that are sure to be the same. */
function patchedFile(name: string, text: string, old: string, { file, starts }: HeldFile): HeldFile | undefined {
  const { documents } = file
  const { prefix, suffix } = commonEnds(text, old)
  const first = lastAtMost(starts, prefix - markerLength)
  // The newline before its marker has to be the same, too.
  const next = lastAtMost(starts, old.length - suffix) + 1
  const from = starts[first]
  const [begin, end] = [documents[first], documents[next]]
  if (begin === undefined || end === undefined || from === undefined || next <= first) return undefined
  if (!marker.test(begin.text) || !marker.test(end.text)) return undefined

  const shift = text.length - old.length
  const to = (starts[next] ?? 0) + shift
  // A copy: a piece of a text keeps the whole of it in memory.
  const middle = Buffer.from(text.slice(from, to)).toString()
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
  let at = 0
  const between = changed.map((document) => {
    const start = middle.indexOf(document.text, at)
    at = start + document.text.length
    return from + start
  })
  return {
    read: { text },
    file: { name, documents: [...documents.slice(0, first), ...changed, ...moved], fault: undefined, isPending: false },
    starts: [...starts.slice(0, first), ...between, ...starts.slice(next).map((start) => start + shift)],
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
