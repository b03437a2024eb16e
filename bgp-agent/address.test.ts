import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatAddress, parseAddress } from './address.ts'

test.for<readonly [string, string]>([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['::', '::'],
  ['1::', '1::'],
  ['::ffff:192.0.2.1', '::ffff:c000:201'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
])('%s is written %s', ([text, canonical]) => {
  expect(formatAddress(parseAddress(text) ?? new Uint8Array())).toBe(canonical)
})

test.for(['', '10.0.0', '10.0.0.256', 'fe80::1%eth0', '1::2::3', ':', 'a.b.c.d'])('"%s" is no address', (text) => {
  expect(parseAddress(text)).toBeUndefined()
})

test('every address is read as it was written', () => {
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  )
  fc.assert(
    fc.property(octets, (address) => {
      expect(parseAddress(formatAddress(address))).toEqual(address)
    }),
  )
})
