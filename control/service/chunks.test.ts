import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CutText, cut } from './chunks.ts'

/** Text as manifests have it: many alike pieces. */
const lines = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, n) => `name: route-${n + from} # 𐐷${((n + from) * 7919) % 104729}\n`).join('')

const pieces = (text: string, before?: CutText): readonly string[] => {
  let at = 0
  return cut(text, before).chunks.map(({ length }) => {
    at += length
    return text.slice(at - length, at)
  })
}

test('pieces put together are the text, and none is too large for a row of D1', () => {
  for (const text of ['', 'a', lines(40_000), '𐐷'.repeat(600_000), 'x'.repeat(1_000_000)]) {
    expect(pieces(text).join('')).toBe(text)
    for (const piece of pieces(text)) {
      expect(Buffer.byteLength(piece)).toBeLessThan(1_100_000)
      expect(piece.isWellFormed()).toBe(true)
    }
  }
})

test('a change of one place leaves nearly all pieces as they are', () => {
  const before = new Set(cut(lines(40_000)).chunks.map(({ hash }) => hash))
  expect(before.size).toBeGreaterThan(10)
  const changed = [lines(20_000), 'one: line more\n', lines(20_000, 20_000)].join('')
  expect(cut(changed).chunks.filter(({ hash }) => !before.has(hash)).length).toBeLessThanOrEqual(2)
})

test('a text is cut the same whatever it was before', () => {
  const text = lines(12_000)
  const edit = fc.tuple(fc.nat(text.length), fc.nat(100_000), fc.string({ maxLength: 2_000 }))
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 3 }), (edits) => {
      let last = cut(text)
      for (const [at, length, words] of edits) {
        const next = last.text.slice(0, at) + words + last.text.slice(at + length)
        last = cut(next, last)
        expect(last).toEqual(cut(next))
      }
    }),
    { numRuns: 30 },
  )
})
