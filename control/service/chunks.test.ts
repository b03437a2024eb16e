import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cut, digestOf, joined, parted } from './chunks.ts'

const files = fc.array(fc.record({ name: fc.string({ unit: 'grapheme' }), text: fc.string({ unit: 'grapheme' }) }))

test('files come back as they were', () => {
  fc.assert(
    fc.property(files, (all) => {
      expect(parted(joined(all))).toEqual(all)
    }),
  )
})

/** Text as manifests have it: many alike pieces. */
const lines = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, n) => `name: route-${n + from} # 𐐷${((n + from) * 7919) % 104729}\n`).join('')

test('pieces put together are the text, and none is too large for a row of D1', () => {
  for (const text of ['', 'a', lines(40_000), '𐐷'.repeat(600_000), 'x'.repeat(1_000_000)]) {
    const chunks = cut(text)
    expect(chunks.map((chunk) => chunk.text).join('')).toBe(text)
    for (const { text } of chunks) {
      expect(Buffer.byteLength(text)).toBeLessThan(1_100_000)
      expect(text.isWellFormed()).toBe(true)
    }
  }
})

test('a change of one place leaves nearly all pieces as they are', () => {
  const before = new Set(cut(lines(40_000)).map(({ hash }) => hash))
  expect(before.size).toBeGreaterThan(10)
  const changed = [lines(20_000), 'one: line more\n', lines(20_000, 20_000)].join('')
  expect(cut(changed).filter(({ hash }) => !before.has(hash)).length).toBeLessThanOrEqual(2)
  expect(digestOf(cut(changed))).not.toBe(digestOf(cut(lines(40_000))))
})
