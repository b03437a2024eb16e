import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chunksOf, contentOf, filesIn } from './content.ts'

const words = fc.string({ unit: 'grapheme' })
const files = fc.array(fc.record({ name: words, bytes: words.map((text) => Buffer.from(text)) }))

test('files come back as they were', () => {
  fc.assert(
    fc.property(files, (all) => {
      const content = contentOf(all)
      expect(filesIn(Buffer.concat([content.files.bytes, content.texts.bytes]))).toEqual(all)
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
  expect(filesIn(Buffer.from('[]\n'))).toEqual([])
})

test('files that are not as long as it says are none', () => {
  expect(() => filesIn(Buffer.from('[["a",2]]\na'))).toThrow('longer or shorter')
  expect(() => filesIn(Buffer.from('[["a",1]]\n\u00e4'))).toThrow('longer or shorter')
})
