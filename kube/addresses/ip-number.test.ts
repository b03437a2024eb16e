import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bitsOf, canonicalIP, formatIP, type IPFamily, parseIP } from './ip-number.ts'

test.for<[string, string]>([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['::', '::'],
  ['0:0:1:0:0:0:1:0', '0:0:1::1:0'],
  ['1:0:1:1:1:1:1:1', '1:0:1:1:1:1:1:1'],
  ['::ffff:192.0.2.1', '::ffff:c000:201'],
  ['2001:db8::', '2001:db8::'],
])('%s is written %s', ([text, expected]) => {
  expect(canonicalIP(text)).toBe(expected)
})

test.for(['', '1.2.3', '01.2.3.4', 'fe80::1%eth0', '1::2::3', '192.0.2.0/24'])('%j is no address', (text) => {
  expect(parseIP(text)).toBeUndefined()
})

test('every address is read as it is written', () => {
  const numbers = fc.constantFrom<IPFamily>('IPv4', 'IPv6').chain((family) =>
    fc.record({
      family: fc.constant(family),
      value: fc.oneof(
        fc.bigInt(0n, (1n << BigInt(bitsOf(family))) - 1n),
        // With runs of zeros.
        fc
          .array(fc.constantFrom(0n, 0n, 1n, 0xffffn), { minLength: 8, maxLength: 8 })
          .map((groups) =>
            groups.slice(0, bitsOf(family) / 16).reduce<bigint>((sum, group) => (sum << 16n) | group, 0n),
          ),
      ),
    }),
  )
  fc.assert(
    fc.property(numbers, (number) => {
      expect(parseIP(formatIP(number))).toEqual(number)
    }),
  )
})
