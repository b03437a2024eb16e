import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chunksOf, contentOf, filesIn } from './content.ts'

const files = fc.array(fc.record({ name: fc.string({ unit: 'grapheme' }), text: fc.string({ unit: 'grapheme' }) }))

test('files come back as they were', () => {
  fc.assert(
    fc.property(files, (all) => {
      const content = contentOf(all)
      expect(filesIn(content.files.text + content.texts.text)).toEqual(all)
    }),
  )
})

test('sets have the same digest when they say the same, whatever was there before', () => {
  fc.assert(
    fc.property(files, files, (one, other) => {
      const [first, second] = [contentOf(one), contentOf(other)]
      expect(contentOf(one, second)).toEqual(first)
      expect(first.digest === second.digest).toBe(JSON.stringify(one) === JSON.stringify(other))
    }),
  )
})

test('a set without files has pieces too', () => {
  expect(chunksOf(contentOf([]))).toHaveLength(1)
  expect(filesIn('[]\n')).toEqual([])
})
