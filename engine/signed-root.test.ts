import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SignedRoot } from '../proto/gen/route_table.ts'
import { encodeTable } from '../test/engine-tables.ts'
import { joinEntry, type RootEntry, type Signed, signedMessage, splitEntry } from './signed-root.ts'
import { readRoot, TableError } from './table.ts'

const { root } = encodeTable()
const signed: Signed = {
  sequence: 1_700_000_000_000,
  notAfter: 1_702_592_000,
  signatures: [{ keyId: 'k1', signature: new Uint8Array(64).fill(7) }],
}
const entry = joinEntry(root, signed)

test('an entry comes apart into what it was made of', () => {
  expect(splitEntry(entry)).toEqual({ root, signed })
})

test('a root that nobody has signed is an entry as it is', () => {
  expect(splitEntry(root)).toEqual({ root, signed: undefined })
})

test('a reader that knows of no signatures takes a signed root for none', () => {
  expect(() => readRoot(entry)).toThrow('the root has no schema number')
})

test('what is signed is five lines', () => {
  const text = Buffer.from(signedMessage('gateway/infra/edge', signed, Uint8Array.of(0x9f, 0x06))).toString()
  expect(text).toBe('landfall root 1\ngateway/infra/edge\n1700000000000\n1702592000\n9f06')
})

test.for(['gateway/a\nb', 'gateway/straße', 'gateway/', 'shard/a'])('no key %j can be signed', (key) => {
  expect(() => signedMessage(key, signed, new Uint8Array(32))).toThrow(TableError)
})

const signature = { keyId: 'k', signature: new Uint8Array(64) }

test.for<[string, Partial<SignedRoot>]>([
  ['without a sequence', { sequence: 0 }],
  ['with more signatures than anyone needs', { signatures: new Array(9).fill(signature) }],
  ['with a signature of no key', { signatures: [{ ...signature, keyId: '' }] }],
  ['with a key id that would spoil a log', { signatures: [{ ...signature, keyId: 'k\n' }] }],
  ['with a signature that is too short', { signatures: [{ ...signature, signature: new Uint8Array(63) }] }],
])('an entry %s is refused', ([, changes]) => {
  const bytes = SignedRoot.encode({ root, ...signed, ...changes }).finish()
  expect(() => splitEntry(bytes)).toThrow(TableError)
})

test('a sequence beyond what numbers hold is refused', () => {
  // 2 ** 60 as field 101.
  const sequence = [0xa8, 0x06, ...new Array(8).fill(0x80), 0x10]
  expect(() => splitEntry(Uint8Array.from([0xa2, 0x06, 0, ...sequence]))).toThrow(TableError)
})

test('a signed root that is cut short anywhere says nothing that was signed', () => {
  for (let length = 2; length < entry.length; length++) {
    const parts = splitOrError(entry.subarray(0, length))
    if (parts instanceof TableError) continue
    expect(parts.signed?.signatures, String(length)).toEqual([])
  }
})

test.for([
  ['a field that nobody knows', [0xd8, 0x3e, 1]],
  ['a root for readers of another kind', [0x08, 1]],
  ['a second root', [0xa2, 0x06, 0]],
  ['a second sequence', [0xa8, 0x06, 1]],
] as const)('an entry with %s is refused', ([, more]) => {
  expect(() => splitEntry(Uint8Array.from([...entry, ...more]))).toThrow(TableError)
})

function splitOrError(bytes: Uint8Array): RootEntry | TableError {
  try {
    return splitEntry(bytes)
  } catch (error) {
    if (error instanceof TableError) return error
    throw error
  }
}

/** The entry with some of its bytes changed, dropped or doubled. */
const damaged = fc
  .array(fc.record({ at: fc.nat(entry.length - 1), byte: fc.nat(255), cut: fc.nat(3), twice: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((edits) => {
    let bytes = Buffer.from(entry)
    for (const { at, byte, cut, twice } of edits) {
      const before = bytes.subarray(0, at)
      bytes = Buffer.concat([
        before,
        Buffer.of(byte),
        twice ? before.subarray(-9) : Buffer.of(),
        bytes.subarray(at + cut),
      ])
    }
    return new Uint8Array(bytes)
  })

test('whatever the bytes are, they are an entry or a TableError, and no part is longer than the whole', () => {
  const anything = fc.oneof(
    damaged,
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }).map((rest) => Uint8Array.from([0xa2, 0x06, ...rest])),
  )
  let [whole, refused] = [0, 0]
  fc.assert(
    fc.property(anything, (bytes) => {
      const parts = splitOrError(bytes)
      if (parts instanceof TableError) {
        refused++
        return
      }
      expect(parts.root.length).toBeLessThanOrEqual(bytes.length)
      // Of what was signed, nothing can be changed and still be read.
      if (parts.signed !== undefined) expect(joinEntry(parts.root, parts.signed)).toEqual(bytes)
      whole++
    }),
    { numRuns: 20_000 },
  )
  expect(whole).toBeGreaterThan(1000)
  expect(refused).toBeGreaterThan(1000)
})
