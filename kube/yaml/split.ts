import { jsonStarts } from './json.ts'

/** One document of a file. */
export interface Source {
  readonly text: string
  /** Of its first character in the file, from 1. */
  readonly line: number
}

/** A document's beginning or end. YAML 1.2.2 section 9.1.2. */
const marker = /^(---|\.\.\.)(?=[ \t\r\n]|$)/gm
/** A line that is not blank, a comment or a directive. */
const content = /^(?!%)[ \t]*[^\s#]/m

/** The documents of a file's text, without those that hold nothing. */
export function splitDocuments(text: string): Source[] {
  const json = text.trimStart().startsWith('{') ? jsonStarts(text) : []
  const ends = json.length > 1 ? json.slice(1) : markers(text)
  const sources: Source[] = []
  let start = 0
  let line = 1
  for (const end of [...ends, text.length]) {
    const part = text.slice(start, end)
    if (content.test(part.startsWith('---') ? part.slice(3) : part)) sources.push({ text: part, line })
    line += newlines(part)
    start = end
  }
  return sources
}

/** Where a document ends and another may begin. Comments and directives go with the document that they precede. */
function markers(text: string): number[] {
  const ends: number[] = []
  let start = 0
  for (const { 0: found, index } of text.matchAll(marker)) {
    if (found === '---' && !content.test(text.slice(start, index))) continue
    const newline = text.indexOf('\n', index)
    start = found === '---' ? index : newline === -1 ? text.length : newline + 1
    ends.push(start)
  }
  return ends
}

export function newlines(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++
  return count
}
