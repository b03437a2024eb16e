import { hash } from 'node:crypto'
import type { ManifestText } from './manifest-text.ts'

/** Characters of a piece: at least, and at most. About twice the least is the rule. */
const least = 32 * 1024
const most = 256 * 1024
/** One place in so many ends a piece once it has its least length: 2 to the power of 15. */
const rarity = 15

/** A piece of text, by the SHA-256 of its UTF-8 in hex. */
export interface Chunk {
  readonly hash: string
  readonly text: string
}

/** A number for each character code, for the rolling hash: any will do, as long as they stay the same for ever. */
const gear = Uint32Array.from({ length: 256 }, (_, code) =>
  Number.parseInt(hash('sha256', `gear ${code}`).slice(0, 8), 16),
)

/**
 * Cuts a text where its own words say so (content-defined chunking with a gear hash), so that a change of one place changes one
 * piece or two, however much was put in or taken out before the others.
 */
export function cut(text: string): readonly Chunk[] {
  const chunks: Chunk[] = []
  for (let start = 0; start < text.length; ) {
    const end = endOf(text, start)
    const piece = text.slice(start, end)
    chunks.push({ hash: hash('sha256', piece), text: piece })
    start = end
  }
  return chunks
}

function endOf(text: string, start: number): number {
  const last = Math.min(start + most, text.length)
  let rolling = 0
  for (let at = Math.min(start + least, last); at < last; at++) {
    const code = text.charCodeAt(at)
    rolling = ((rolling << 1) + (gear[code & 255] ?? 0)) | 0
    if (rolling >>> (32 - rarity) === 0 && !isHighSurrogate(code)) return at + 1
  }
  return last < text.length && isHighSurrogate(text.charCodeAt(last - 1)) ? last - 1 : last
}

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff

/** Files as one text: a line of JSON with the name and the length in characters, then the file. */
export const joined = (files: readonly ManifestText[]): string =>
  files.flatMap(({ name, text }) => [`${JSON.stringify([name, text.length])}\n`, text]).join('')

/** What was joined. */
export function parted(text: string): readonly ManifestText[] {
  const files: ManifestText[] = []
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at)
    const [name, length]: [string, number] = JSON.parse(text.slice(at, newline))
    files.push({ name, text: text.slice(newline + 1, newline + 1 + length) })
    at = newline + 1 + length
  }
  return files
}

/** Of a whole set: the SHA-256 over the hashes of its pieces. */
export const digestOf = (chunks: readonly Chunk[]): string =>
  hash('sha256', chunks.map((chunk) => chunk.hash).join('\n'))
