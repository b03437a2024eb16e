import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isAuthority } from './authority.ts'

test.for([
  'shop.example.com',
  'Shop.Example:8443',
  'a',
  'a:80',
  'a:443',
  'a:65535',
  'a.example.',
  'a_b.example',
  'xn--bcher-kva.example',
  '127.0.0.1:8080',
  '[::1]',
  '[::1]:8080',
  '[2001:DB8::1]',
  '1.example',
])('%s is an authority', (text) => {
  expect(isAuthority(text)).toBe(true)
})

test.for([
  '',
  ' ',
  ':80',
  'a:',
  'a:65536',
  'a:99999999',
  'a:-1',
  'a:080',
  'a:80:80',
  'a b',
  'a,b',
  'a/b',
  'a\\b',
  'a?b',
  'a#b',
  'a%41',
  'user@a',
  'user:word@a',
  'a\0',
  'b\xfccher.example',
  '[::1',
  '::1',
  '[::1]x',
  '[0:0:0:0:0:0:0:1]',
  '127.1',
  '0x7f.0.0.1',
  '256.0.0.1',
  '1',
  'a.1',
  'a~b',
  'a;b',
  'a*b',
  'http://a',
])('%j is no authority', (text) => {
  expect(isAuthority(text)).toBe(false)
})

test('an authority is one that a URL leaves as it is', () => {
  const label = fc.constantFrom(
    'a',
    'A',
    '1',
    '0',
    '255',
    '256',
    '01',
    '0x1',
    'xn--a',
    'XN--',
    'a-',
    '-',
    '',
    'a_b',
    'b2',
    '\u212a',
  )
  const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
  const port = fc.constantFrom('', ':', ':0', ':80', ':080', ':8080', ':65535', ':65536', ':x')
  const any = fc.array(fc.constantFrom(...'aA1.:[]@/\\%-_ ,#?'), { maxLength: 6 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(
      fc.oneof(
        fc.tuple(host, port).map((parts) => parts.join('')),
        any,
      ),
      (text) => {
        const lower = text.toLowerCase()
        const host = URL.parse(`https://${lower}/`)?.host
        const same = host !== undefined && (host === lower || `${host}:443` === lower)
        expect(isAuthority(text)).toBe(same && !/[,\u212a]/.test(text))
      },
    ),
    { numRuns: 20_000 },
  )
})
