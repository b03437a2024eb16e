import { hash } from 'node:crypto'
import { commonEnds } from './common-ends.ts'

/** Characters of a piece: at least, and at most. About twice the least is the rule. */
const least = 32 * 1024
const most = 256 * 1024
/** One place in so many ends a piece once it has its least length: 2 to the power of 15. */
const rarity = 15

/** A piece of a text. */
export interface Chunk {
  /** SHA-256 of its UTF-8, in hex. */
  readonly hash: string
  /** Characters. */
  readonly length: number
}

/** A text and the pieces that it consists of, in order. */
export interface CutText {
  readonly text: string
  readonly chunks: readonly Chunk[]
}

/** A number for each character code, for the rolling hash: any will do, as long as they stay the same for ever. */
const gear = Uint32Array.from({ length: 256 }, (_, code) =>
  Number.parseInt(hash('sha256', `gear ${code}`).slice(0, 8), 16),
)

/**
 * Cuts a text where its own words say so (content-defined chunking with a gear hash), so that a change of one place changes one
 * piece or two, however much was put in or taken out before the others. Where it is known how much the same text was cut before,
 * only the place of the change is looked at.
 */
export function cut(text: string, before: CutText = { text: '', chunks: [] }): CutText {
  const { prefix, suffix } = commonEnds(text, before.text)
  const chunks: Chunk[] = []
  let start = 0
  for (const chunk of before.chunks) {
    if (start + chunk.length >= prefix) break
    chunks.push(chunk)
    start += chunk.length
  }
  const rest = restsOf(before, suffix)
  while (start < text.length) {
    const same = rest.get(text.length - start)
    if (same !== undefined) return { text, chunks: [...chunks, ...before.chunks.slice(same)] }
    const end = endOf(text, start)
    chunks.push({ hash: hash('sha256', text.slice(start, end)), length: end - start })
    start = end
  }
  return { text, chunks }
}

/** The pieces that stand in the last `length` characters, by how many characters are left where they begin. */
function restsOf({ text, chunks }: CutText, length: number): ReadonlyMap<number, number> {
  const rests = new Map<number, number>()
  let left = text.length
  for (const [index, chunk] of chunks.entries()) {
    if (left <= length) rests.set(left, index)
    left -= chunk.length
  }
  return rests
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
