import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseFile } from '../../kube/manifest-file.ts'
import { type HeldFile, heldFile } from './set-file.ts'

const documents = [
  'kind: A\nmetadata: {name: a}\n',
  '# only a comment\n',
  '---\nkind: B\n',
  '---\n# c\n',
  '---\n',
  '...\n',
  '---\nx: [\n',
  'y: 1',
  '\n',
  '--- z\n',
  '{"kind": "C"}\n',
  '---\nkind: Ä𐐷\n',
]

/** All that is known of a file, without what is made anew each time. */
const shown = ({ documents, fault, name }: HeldFile['file']) => ({
  ...{ name, fault },
  documents: documents.map(({ text, line, parsed: { entries, fault } }) => ({ text, line, entries, fault })),
})

const held = (text: string, before?: HeldFile): HeldFile => heldFile('f', Buffer.from(text), before)

test('a file is the same whatever it was before', () => {
  const plain = fc.nat(99).map((n) => `---\nkind: B𐐹${n}\n`)
  const part = fc.oneof({ weight: 4, arbitrary: plain }, { weight: 1, arbitrary: fc.constantFrom(...documents) })
  const text = fc.array(part, { minLength: 4, maxLength: 12, size: 'max' }).map((parts) => parts.join(''))
  const edit = fc.tuple(
    fc.noBias(fc.integer({ min: 0, max: 1000 })),
    fc.nat(12),
    fc.constantFrom('', 'q', 'Ö', '𐐸', ...documents),
  )
  let patched = 0
  fc.assert(
    fc.property(text, fc.array(edit, { maxLength: 4 }), (first, edits) => {
      let file = held(first)
      let last = first
      for (const [where, length, words] of edits) {
        const at = Math.floor((where * last.length) / 1000)
        last = (last.slice(0, at) + words + last.slice(at + length)).toWellFormed()
        const before = file
        file = held(last, before)
        if (before !== file && file.file.documents.some((document) => before.file.documents.includes(document)))
          patched++
        expect(shown(file.file)).toEqual(shown(parseFile('f', { text: last })))
        expect(file.starts).toEqual(held(last).starts)
        const { bytes, starts } = file
        for (const [n, { text }] of file.file.documents.entries())
          expect(bytes.toString('utf8', starts[n], (starts[n] ?? 0) + Buffer.byteLength(text))).toBe(text)
      }
    }),
    { numRuns: 1_500 },
  )
  expect(patched).toBeGreaterThan(300)
})

test('a document that begins behind the end of another, and not by a marker, is not sure to be the same', () => {
  const [head, tail] = ['---\nkind: A\n---\nx: [\n', '...\n----\nkind: B\n---\nkind: C\n---\nkind: D\n']
  const before = held(head + tail)
  const text = `${head}-${tail}`
  expect(shown(held(text, before).file)).toEqual(shown(parseFile('f', { text })))
})

test('documents before and behind a change of one are the very same', () => {
  const text = Array.from({ length: 9 }, (_, n) => `---\nkind: A\nmetadata: {name: a-${n}}\n`).join('')
  const before = held(text)
  const after = held(text.replace('a-4', 'other'), before)
  const same = after.file.documents.map((document, n) => document === before.file.documents[n])
  expect(same).toEqual([true, true, true, true, false, true, true, true, true])
})

test('bytes that are no text are refused with their line, whether documents before them are known or not', () => {
  const text = Array.from({ length: 9 }, (_, n) => `---\nkind: Ä${n}\n`).join('')
  const before = held(text)
  const at = Buffer.from(text).indexOf('Ä4')
  for (const [byte, length, message] of [
    [0xff, 1, 'holds bytes that are not UTF-8; save it as UTF-8'],
    [0xc3, 2, 'holds bytes that are not UTF-8; save it as UTF-8'],
    [0, 2, 'holds the character NUL, which is no text'],
  ] as const) {
    const bytes = Buffer.from(text).fill(byte, at, at + length)
    for (const earlier of [before, undefined])
      expect(heldFile('f', bytes, earlier).file).toMatchObject({ documents: [], fault: { message, line: 10 } })
  }
  const end = Buffer.from(text).subarray(0, -3)
  expect(heldFile('f', Buffer.concat([end, Buffer.of(0xc3)]), before).file.fault?.line).toBe(18)
})

test('a byte-order mark is no part of the first document', () => {
  const text = Array.from({ length: 9 }, (_, n) => `---\nkind: A${n}\n`).join('')
  const before = held(`\ufeff${text}`)
  expect(shown(before.file)).toEqual(shown(held(text).file))
  const after = held(`\ufeff${text.replace('A4', 'other')}`, before)
  expect(after.file.documents[3]).toBe(before.file.documents[3])
  expect(after).toMatchObject({ starts: held(`\ufeff${text.replace('A4', 'other')}`).starts })
  expect(shown(after.file)).toEqual(shown(held(text.replace('A4', 'other')).file))
})
