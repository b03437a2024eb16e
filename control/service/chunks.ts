import { hash } from 'node:crypto'
import { commonEnds } from './common-ends.ts'

/** Bytes of a piece: at least, and at most. About twice the least is the rule. */
const least = 32 * 1024
const most = 256 * 1024
/** One place in so many ends a piece once it has its least length: 2 to the power of 15. */
const rarity = 15

/** A piece of a text. */
export interface Chunk {
  /** SHA-256 of its UTF-8, in hex. */
  readonly hash: string
  /** Bytes. */
  readonly length: number
}

/** A text in UTF-8 and the pieces that it consists of, in order. */
export interface CutText {
  readonly bytes: Buffer
  readonly chunks: readonly Chunk[]
}

/** A number for each byte, for the rolling hash: any will do, as long as they stay the same for ever. */
const gear = Uint32Array.from({ length: 256 }, (_, code) =>
  Number.parseInt(hash('sha256', `gear ${code}`).slice(0, 8), 16),
)

/**
 * Cuts a text where its own words say so (content-defined chunking with a gear hash), so that a change of one place changes one
 * piece or two, however much was put in or taken out before the others. Where it is known how much the same text was cut before,
 * only the place of the change is looked at.
 */
export function cut(bytes: Buffer, before: CutText = { bytes: Buffer.alloc(0), chunks: [] }): CutText {
  const { prefix, suffix } = commonEnds(bytes, before.bytes)
  const chunks: Chunk[] = []
  let start = 0
  for (const chunk of before.chunks) {
    if (start + chunk.length >= prefix) break
    chunks.push(chunk)
    start += chunk.length
  }
  const rest = restsOf(before, suffix)
  while (start < bytes.length) {
    const same = rest.get(bytes.length - start)
    if (same !== undefined) return { bytes, chunks: [...chunks, ...before.chunks.slice(same)] }
    const end = endOf(bytes, start)
    chunks.push({ hash: hash('sha256', bytes.subarray(start, end)), length: end - start })
    start = end
  }
  return { bytes, chunks }
}

/** The pieces that stand in the last `length` bytes, by how many bytes are left where they begin. */
function restsOf({ bytes, chunks }: CutText, length: number): ReadonlyMap<number, number> {
  const rests = new Map<number, number>()
  let left = bytes.length
  for (const [index, chunk] of chunks.entries()) {
    if (left <= length) rests.set(left, index)
    left -= chunk.length
  }
  return rests
}

function endOf(bytes: Buffer, start: number): number {
  const last = Math.min(start + most, bytes.length)
  let rolling = 0
  for (let at = Math.min(start + least, last); at < last; at++) {
    rolling = ((rolling << 1) + (gear[bytes[at] ?? 0] ?? 0)) | 0
    if (rolling >>> (32 - rarity) === 0 && !isInside(bytes, at + 1)) return at + 1
  }
  let end = last
  while (isInside(bytes, end)) end--
  return end
}

/** Whether the byte goes on with a character. */
const isInside = (bytes: Buffer, at: number): boolean => ((bytes[at] ?? 0) & 0xc0) === 0x80
