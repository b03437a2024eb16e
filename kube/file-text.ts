import { Buffer, isUtf8 } from 'node:buffer'
import { newlines } from './yaml/split.ts'

/** Bytes of the largest file that is read. */
const maxBytes = 64 * 1024 * 1024

/** A file's text, or why there is none. Lines count from 1. */
export type FileText = { readonly text: string } | { readonly message: string; readonly line: number }

/** Of a whole stream, as far as a file may go. `size`: bytes to expect, where that is known. */
export async function readText(stream: AsyncIterable<Uint8Array>, size = 0): Promise<FileText> {
  const chunks: Uint8Array[] = []
  let read = 0
  if (size <= maxBytes) {
    for await (const chunk of stream) {
      chunks.push(chunk)
      read += chunk.length
      if (read > maxBytes) break
    }
  }
  return Math.max(read, size) > maxBytes
    ? { message: `is larger than ${maxBytes / 1024 / 1024} MiB; split it into several files`, line: 1 }
    : textOf(Buffer.concat(chunks))
}

/** UTF-8, with or without a byte-order mark. */
export function textOf(bytes: Buffer): FileText {
  const [first, second] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return { message: 'is UTF-16; save it as UTF-8', line: 1 }
  }
  const text = bytes.toString('utf8')
  if (isUtf8(bytes)) return { text: text.startsWith('\ufeff') ? text.slice(1) : text }
  const line = 1 + newlines(text.slice(0, text.indexOf('\ufffd')))
  return { message: 'holds bytes that are not UTF-8; save it as UTF-8', line }
}
