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
]

/** All that is known of a file, without what is made anew each time. */
const shown = ({ documents, fault, name }: HeldFile['file']) => ({
  ...{ name, fault },
  documents: documents.map(({ text, line, parsed: { entries, fault } }) => ({ text, line, entries, fault })),
})

test('a file is the same whatever it was before', () => {
  const plain = fc.nat(99).map((n) => `---\nkind: B${n}\n`)
  const part = fc.oneof({ weight: 4, arbitrary: plain }, { weight: 1, arbitrary: fc.constantFrom(...documents) })
  const text = fc.array(part, { minLength: 4, maxLength: 12, size: 'max' }).map((parts) => parts.join(''))
  const edit = fc.tuple(
    fc.noBias(fc.integer({ min: 0, max: 1000 })),
    fc.nat(12),
    fc.constantFrom('', 'q', ...documents),
  )
  let patched = 0
  fc.assert(
    fc.property(text, fc.array(edit, { maxLength: 4 }), (first, edits) => {
      let held = heldFile('f', { text: first }, undefined)
      let last = first
      for (const [where, length, words] of edits) {
        const at = Math.floor((where * last.length) / 1000)
        last = last.slice(0, at) + words + last.slice(at + length)
        const before = held
        held = heldFile('f', { text: last }, before)
        if (before !== held && held.file.documents.some((document) => before.file.documents.includes(document)))
          patched++
        expect(shown(held.file)).toEqual(shown(parseFile('f', { text: last })))
        expect(held.starts.map((start, n) => last.startsWith(held.file.documents[n]?.text ?? '?', start))).toEqual(
          held.starts.map(() => true),
        )
      }
    }),
    { numRuns: 1_500 },
  )
  expect(patched).toBeGreaterThan(300)
})

test('a document that begins behind the end of another, and not by a marker, is not sure to be the same', () => {
  const [head, tail] = ['---\nkind: A\n---\nx: [\n', '...\n----\nkind: B\n---\nkind: C\n---\nkind: D\n']
  const before = heldFile('f', { text: head + tail }, undefined)
  const text = `${head}-${tail}`
  expect(shown(heldFile('f', { text }, before).file)).toEqual(shown(parseFile('f', { text })))
})

test('documents before and behind a change of one are the very same', () => {
  const text = Array.from({ length: 9 }, (_, n) => `---\nkind: A\nmetadata: {name: a-${n}}\n`).join('')
  const before = heldFile('f', { text }, undefined)
  const after = heldFile('f', { text: text.replace('a-4', 'other') }, before)
  const same = after.file.documents.map((document, n) => document === before.file.documents[n])
  expect(same).toEqual([true, true, true, true, false, true, true, true, true])
})
