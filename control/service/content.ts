import { hash } from 'node:crypto'
import { type Chunk, type CutText, cut } from './chunks.ts'
import type { SetFile } from './set-file.ts'

/** All manifests of a set as the history keeps them. */
export interface Content {
  /** A line of JSON: name and length in bytes of each file. */
  readonly files: CutText
  /** Their texts, one behind the other. */
  readonly texts: CutText
  /** SHA-256 over the hashes of all pieces: sets that say the same have the same. */
  readonly digest: string
}

/** `before`: what the set said last, so that only what differs is looked at. */
export function contentOf(files: readonly SetFile[], before?: Content): Content {
  const names = files.map(({ name, bytes }) => [name, bytes.length])
  const [only, ...more] = files
  // A large text is not copied.
  const all = only !== undefined && more.length === 0 ? only.bytes : Buffer.concat(files.map(({ bytes }) => bytes))
  const parts = { files: cut(Buffer.from(`${JSON.stringify(names)}\n`), before?.files), texts: cut(all, before?.texts) }
  return { ...parts, digest: hash('sha256', [...chunksOf(parts)].map((chunk) => chunk.hash).join('\n')) }
}

/** In the order in which they are put together. */
export const chunksOf = ({ files, texts }: Pick<Content, 'files' | 'texts'>): readonly Chunk[] => [
  ...files.chunks,
  ...texts.chunks,
]

/** The files of what all pieces come to. Throws where the lengths do not add up. */
export function filesIn(bytes: Buffer): readonly SetFile[] {
  const newline = bytes.indexOf('\n')
  const names: readonly (readonly [name: string, length: number])[] = JSON.parse(bytes.toString('utf8', 0, newline))
  let at = newline + 1
  const files = names.map(([name, length]) => {
    at += length
    return { name, bytes: bytes.subarray(at - length, at) }
  })
  if (at !== bytes.length) throw new Error('the history has files that are longer or shorter than it says')
  return files
}
