import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { base64url, fromBase64url } from './base64url.ts'
import { formatTableKey, readTableKey } from './table-key.ts'

test('what is written as base64url reads as the same bytes, as Node.js does', () => {
  for (let length = 0; length < 70; length++) {
    const bytes = randomBytes(length)
    expect(base64url(bytes)).toBe(bytes.toString('base64url'))
    expect(Buffer.from(fromBase64url(base64url(bytes)))).toEqual(bytes)
  }
})

test('a key reads as it was written', () => {
  const key = { id: 'prod-1', publicKey: new Uint8Array(randomBytes(32)) }
  expect(readTableKey(` ${formatTableKey(key)}\n`)).toEqual(key)
})

const digits = 'A'.repeat(43)

test.for([
  ['without an id', digits],
  ['with an empty id', `:${digits}`],
  ['with an id that no signature has', `a b:${digits}`],
  ['that is too short', `k:${digits.slice(1)}`],
  ['that is too long', `k:${digits}A`],
  ['with characters of base64', `k:${'+'.repeat(43)}`],
  ['whose last digit says what no key can', `k:${digits.slice(1)}B`],
  ['with something behind it', `k:${digits}:x`],
])('a key %s is none', ([, text = '']) => {
  expect(readTableKey(text)).toBeUndefined()
})
