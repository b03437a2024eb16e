import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  clockSkew,
  formatToken,
  isCurrent,
  type OriginToken,
  parseToken,
  tokenLifetime,
  tokenPayload,
} from './origin-token.ts'
import { endpointKey, parseEndpointKey } from './origin-token-address.ts'

const sign = (payload: string) => createHmac('sha256', 'secret').update(payload).digest()
const token: OriginToken = {
  keyId: 'k1',
  protocol: 'http1',
  tls: '',
  endpoint: '10.0.0.1:8080',
  expires: 1_800_000_000,
}

describe('a token', () => {
  test('reads as the header says', () => {
    expect(formatToken(tokenPayload(token), new Uint8Array(32))).toBe(
      'lf1/k1/http1/1800000000/10.0.0.1:8080/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    )
  })

  test('comes back from its text, with the text that was signed', () => {
    const ip = fc.oneof(fc.ipV4(), fc.ipV6())
    const port = fc.integer({ min: 1, max: 65535 })
    const tokens = fc.record({
      keyId: fc.stringMatching(/^[\w-]{1,32}$/),
      protocol: fc.constantFrom('http1' as const, 'http2' as const),
      tls: fc.oneof(fc.constant(''), fc.stringMatching(/^[\w-]{22}$/)),
      endpoint: fc.tuple(ip, port).map(([address, port]) => endpointKey({ address, port }) ?? ''),
      expires: fc.integer({ min: 1, max: 999_999_999_999 }),
    })
    fc.assert(
      fc.property(tokens, (token) => {
        const payload = tokenPayload(token)
        const mac = sign(payload)
        expect(parseToken(formatToken(payload, mac))).toEqual({ token, payload, mac: mac.toString('base64url') })
      }),
    )
  })

  test.for([
    ['an unknown version', (text: string) => text.replace('lf1', 'lf2')],
    ['an unknown protocol', (text: string) => text.replace('http1', 'gopher')],
    ['no key id', (text: string) => text.replace('k1', '')],
    ['a long key id', (text: string) => text.replace('k1', 'k'.repeat(33))],
    ['a leading zero in the expiry', (text: string) => text.replace('18', '018')],
    ['a sign in the expiry', (text: string) => text.replace('18', '-18')],
    ['a long expiry', (text: string) => text.replace('18', '18000000000')],
    ['another spelling of the address', (text: string) => text.replace('10.0.0.1', '10.0.0.01')],
    ['a name for an address', (text: string) => text.replace('10.0.0.1', 'abc.def')],
    ['a port out of range', (text: string) => text.replace('8080', '80800')],
    ['a short mac', (text: string) => text.slice(0, -1)],
    ['a padded mac', (text: string) => `${text}=`],
    ['two tokens joined as two header lines are', (text: string) => `${text}, ${text}`],
    ['a line break', (text: string) => `${text}\n`],
    ['nothing', () => ''],
  ] as const)('with %s does not parse', ([, change]) => {
    const text = formatToken(tokenPayload(token), sign(tokenPayload(token)))
    expect(parseToken(text)).toBeDefined()
    expect(parseToken(change(text))).toBeUndefined()
  })

  test('of any text either does not parse or is written again as it was', () => {
    const piece = fc.constantFrom(
      'lf1',
      'k1',
      'http1',
      '/',
      '1',
      '10.0.0.1:80',
      '[::1]:80',
      'A'.repeat(43),
      ':',
      '\0',
      'ä',
    )
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 14 }).map((parts) => parts.join('')),
        (text) => {
          const parsed = parseToken(text)
          if (parsed !== undefined) expect(`${tokenPayload(parsed.token)}/${parsed.mac}`).toBe(text)
        },
      ),
    )
  })

  test.for([
    ['one second before it expires, by a connector whose clock is right', -1, true],
    ['while the connector is ahead by less than the skew', clockSkew - 1, true],
    ['no longer once the skew is used up', clockSkew, false],
    ['right after it was signed for the longest time', -tokenLifetime, true],
    ['while the connector is behind by the skew', -tokenLifetime - clockSkew, true],
    ['not when it expires later than any signer may choose', -tokenLifetime - clockSkew - 1, false],
  ] as const)('is believed %s: %s', ([, offset, believed]) => {
    expect(isCurrent(token, token.expires + offset)).toBe(believed)
  })
})

describe("an endpoint's key", () => {
  test.for([
    ['10.0.0.1', '10.0.0.1:80'],
    ['0.0.0.0', '0.0.0.0:80'],
    ['255.255.255.255', '255.255.255.255:80'],
    ['2001:DB8::1', '[2001:db8::1]:80'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '[2001:db8::1]:80'],
    ['2001:db8:0:1:1:1:1:1', '[2001:db8:0:1:1:1:1:1]:80'],
    ['2001:0:0:1:0:0:0:1', '[2001:0:0:1::1]:80'],
    ['2001:db8:0:0:1:0:0:1', '[2001:db8::1:0:0:1]:80'],
    ['::', '[::]:80'],
    ['::1', '[::1]:80'],
    ['fe80::', '[fe80::]:80'],
    ['1:2:3:4:5:6:7::', '[1:2:3:4:5:6:7:0]:80'],
    ['::ffff:169.254.169.254', '[::ffff:a9fe:a9fe]:80'],
    ['64:ff9b::192.0.2.33', '[64:ff9b::c000:221]:80'],
  ] as const)('of %s is %s', ([address, key]) => {
    expect(endpointKey({ address, port: 80 })).toBe(key)
    expect(endpointKey(parseEndpointKey(key) ?? { address: '', port: 0 })).toBe(key)
  })

  test.for([
    '',
    '1.2.3',
    '1.2.3.4.',
    '1.2.3.4.5',
    '256.0.0.1',
    '01.2.3.4',
    '0x7f.0.0.1',
    '2130706433',
    '1.2.3.4 ',
    'localhost',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    ':1::',
    '1:',
    '::1%eth0',
    '[::1]',
    '1.2.3.4::',
    '::1.2.3',
    '::1.2.3.4:5',
    '1:2:3:4:5:6:7:1.2.3.4',
  ])('does not exist for the address "%s"', (address) => {
    expect(endpointKey({ address, port: 80 })).toBeUndefined()
  })

  test.for([0, -1, 65536, 1.5, Number.NaN])('does not exist for port %s', (port) => {
    expect(endpointKey({ address: '::1', port })).toBeUndefined()
  })

  test.for(['10.0.0.1:080', '[::1]:65536', '[0::1]:80', '[::A]:80', '::1:80', '10.0.0.1', '[10.0.0.1]:80', 'a:1'])(
    'is not "%s"',
    (key) => {
      expect(parseEndpointKey(key)).toBeUndefined()
    },
  )
})
