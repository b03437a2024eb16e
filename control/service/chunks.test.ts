import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CutText, cut } from './chunks.ts'

/** Text as manifests have it: many alike pieces. */
const lines = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, n) => `name: route-${n + from} # 𐐷${((n + from) * 7919) % 104729}\n`).join('')

const cutText = (text: string, before?: CutText): CutText => cut(Buffer.from(text), before)

const pieces = (text: string): readonly Buffer[] => {
  const { bytes, chunks } = cutText(text)
  let at = 0
  return chunks.map(({ length }) => {
    at += length
    return bytes.subarray(at - length, at)
  })
}

test('pieces put together are the text, and none is too large for a row of D1', () => {
  for (const text of ['', 'a', lines(40_000), '𐐷'.repeat(600_000), 'x'.repeat(1_000_000)]) {
    expect(Buffer.concat(pieces(text)).toString()).toBe(text)
    for (const piece of pieces(text)) {
      expect(piece.length).toBeLessThanOrEqual(256 * 1024)
      expect(isUtf8(piece)).toBe(true)
    }
  }
})

test('a change of one place leaves nearly all pieces as they are', () => {
  const before = new Set(cutText(lines(40_000)).chunks.map(({ hash }) => hash))
  expect(before.size).toBeGreaterThan(10)
  const changed = [lines(20_000), 'one: line more\n', lines(20_000, 20_000)].join('')
  expect(cutText(changed).chunks.filter(({ hash }) => !before.has(hash)).length).toBeLessThanOrEqual(2)
})

test('a text is cut the same whatever it was before', () => {
  const text = lines(12_000)
  const edit = fc.tuple(fc.nat(text.length), fc.nat(100_000), fc.string({ maxLength: 2_000 }))
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 3 }), (edits) => {
      let last = text
      let before = cutText(text)
      for (const [at, length, words] of edits) {
        last = last.slice(0, at) + words + last.slice(at + length)
        before = cutText(last, before)
        expect(before.chunks).toEqual(cutText(last).chunks)
      }
    }),
    { numRuns: 30 },
  )
})
