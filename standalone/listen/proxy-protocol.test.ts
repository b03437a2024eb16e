import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ProxyVerdict, readProxyHeader, unmapped } from './proxy-protocol.ts'

const line = (text: string): Buffer => Buffer.from(text, 'latin1')

interface Header {
  readonly command: number
  readonly family: number
  readonly content: Buffer
  readonly length: number
}

const signature = line('\r\n\r\n\0\r\nQUIT\n')

function binary(changes: Partial<Header> = {}): Buffer {
  const content = changes.content ?? overIPv4
  const { command, family, length }: Header = {
    command: 0x21,
    family: 0x11,
    content,
    length: content.length,
    ...changes,
  }
  return Buffer.concat([signature, Buffer.from([command, family, length >> 8, length & 0xff]), content])
}

const ports = Buffer.from([0xc8, 0x22, 0x01, 0xbb])
const overIPv4 = Buffer.concat([Buffer.from([192, 0, 2, 7, 198, 51, 100, 1]), ports])
const ipv6 = (text: string): Buffer => Buffer.from(text.replaceAll(':', ''), 'hex')
const overIPv6 = (source: string): Buffer =>
  Buffer.concat([ipv6(source), ipv6('2001:0db8:0000:0000:0000:0000:0000:0001'), ports])
const tlv = (type: number, value: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value])

const client = { address: '192.0.2.7', port: 51234 }

test.for<[string, Buffer, { readonly address: string; readonly port: number } | undefined]>([
  ['TCP4', line('PROXY TCP4 192.0.2.7 198.51.100.1 51234 443\r\n'), client],
  ['TCP6', line('PROXY TCP6 2001:db8::7 2001:db8::1 51234 443\r\n'), { address: '2001:db8::7', port: 51234 }],
  ['TCP6, long', line('PROXY TCP6 2001:0DB8:0:0:0:0:0:7 2001:db8::1 1 0\r\n'), { address: '2001:db8::7', port: 1 }],
  ['TCP6 of an IPv4 address', line('PROXY TCP6 ::ffff:192.0.2.7 ::1 51234 443\r\n'), client],
  ['UNKNOWN', line('PROXY UNKNOWN\r\n'), undefined],
  ['UNKNOWN with anything', line('PROXY UNKNOWN ffff::1 what? 99999\r\n'), undefined],
  ['UNKNOWN as long as may be', line(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`), undefined],
  ['version 2 over IPv4', binary(), client],
  [
    'version 2 over IPv6',
    binary({ family: 0x21, content: overIPv6('2001:0db8:0000:0000:0000:0000:0000:0007') }),
    { address: '2001:db8::7', port: 51234 },
  ],
  [
    'version 2 of an IPv4 address in IPv6',
    binary({ family: 0x21, content: overIPv6('0000:0000:0000:0000:0000:ffff:c000:0207') }),
    client,
  ],
  [
    'version 2 with TLVs',
    binary({ content: Buffer.concat([overIPv4, tlv(1, line('h2')), tlv(4, Buffer.alloc(300))]) }),
    client,
  ],
  ['version 2, LOCAL', binary({ command: 0x20 }), undefined],
  ['version 2, LOCAL with nothing', binary({ command: 0x20, family: 0, content: Buffer.alloc(0) }), undefined],
  ['version 2, LOCAL with anything', binary({ command: 0x20, family: 0xff, content: Buffer.from([1]) }), undefined],
  ['version 2 of no family', binary({ family: 0, content: Buffer.from([1, 2, 3]) }), undefined],
  ['version 2 of a Unix socket', binary({ family: 0x31, content: Buffer.alloc(216) }), undefined],
])('%s is read, whatever follows it and however it comes', ([, header, source]) => {
  const bytes = Buffer.concat([header, line('GET / HTTP/1.1\r\n')])
  for (let length = 0; length < header.length; length++)
    expect(readProxyHeader(bytes.subarray(0, length)), `${length} bytes`).toBeUndefined()
  for (let length = header.length; length <= bytes.length; length++)
    expect(readProxyHeader(bytes.subarray(0, length))).toEqual({ type: 'header', length: header.length, source })
})

test.for<[string, Buffer]>([
  ['a request', line('GET / HTTP/1.1\r\n')],
  ['a request that begins alike', line('PROPFIND / HTTP/1.1\r\n')],
  ['a ClientHello', Buffer.from([22, 3, 1, 2, 0])],
  ['lower case', line('proxy TCP4 192.0.2.7 198.51.100.1 51234 443\r\n')],
  ['another family', line('PROXY UDP4 192.0.2.7 198.51.100.1 51234 443\r\n')],
  ['an address of the other family', line('PROXY TCP4 2001:db8::7 198.51.100.1 51234 443\r\n')],
  ['an IPv4 address as TCP6', line('PROXY TCP6 192.0.2.7 198.51.100.1 51234 443\r\n')],
  ['an octet with a zero in front', line('PROXY TCP4 192.0.2.07 198.51.100.1 51234 443\r\n')],
  ['an address with a zone', line('PROXY TCP6 fe80::1%lo ::1 51234 443\r\n')],
  ['a name', line('PROXY TCP4 localhost 198.51.100.1 51234 443\r\n')],
  ['a port above 65535', line('PROXY TCP4 192.0.2.7 198.51.100.1 65536 443\r\n')],
  ['a port with a zero in front', line('PROXY TCP4 192.0.2.7 198.51.100.1 0443 443\r\n')],
  ['a port with a sign', line('PROXY TCP4 192.0.2.7 198.51.100.1 +443 443\r\n')],
  ['a port too few', line('PROXY TCP4 192.0.2.7 198.51.100.1 51234\r\n')],
  ['a field too much', line('PROXY TCP4 192.0.2.7 198.51.100.1 51234 443 1\r\n')],
  ['two blanks', line('PROXY TCP4  192.0.2.7 198.51.100.1 51234 443\r\n')],
  ['a line feed alone', line(`PROXY TCP4 192.0.2.7 198.51.100.1 51234 443\n${' '.repeat(99)}`)],
  ['a line that does not end in 107 bytes', line(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`)],
  ['version 1 in binary', binary({ command: 0x11 })],
  ['version 3', binary({ command: 0x31 })],
  ['an unknown command', binary({ command: 0x22 })],
  ['datagrams', binary({ family: 0x12 })],
  ['an unknown family', binary({ family: 0x41 })],
  ['too little for its addresses', binary({ content: overIPv4.subarray(0, 11) })],
  ['a TLV beyond the end', binary({ content: Buffer.concat([overIPv4, Buffer.from([1, 0, 9, 1])]) })],
  ['half a TLV', binary({ content: Buffer.concat([overIPv4, Buffer.from([1, 0])]) })],
  ['more TLVs than anyone needs', binary({ length: 8_177 })],
])('refused: %s', ([, bytes]) => {
  expect(readProxyHeader(bytes)?.type).toBe('fault')
})

const anyVersion1 = fc
  .tuple(fc.constantFrom('TCP4', 'TCP6'), fc.ipV4(), fc.ipV6(), fc.nat(65_535))
  .map(
    ([family, four, six, port]) =>
      `PROXY ${family} ${family === 'TCP4' ? four : six} ${family === 'TCP4' ? four : six} ${port} 80\r\n`,
  )

test('a header with a few bytes changed meets a verdict that no byte behind it alters', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        anyVersion1.map(line),
        fc.uint8Array({ maxLength: 60 }).map((content) => binary({ content: Buffer.concat([overIPv4, content]) })),
        fc.uint8Array({ maxLength: 60 }).map((content) => binary({ content: Buffer.from(content) })),
      ),
      fc.array(fc.tuple(fc.nat(150), fc.nat(255)), { maxLength: 3 }),
      fc.uint8Array({ maxLength: 20 }),
      (header, changes, behind) => {
        for (const [at, byte] of changes) header[at % header.length] = byte
        const bytes = Buffer.concat([header, behind])
        let first: ProxyVerdict | undefined
        for (let length = 0; length <= bytes.length; length++) {
          const verdict = readProxyHeader(bytes.subarray(0, length))
          first ??= verdict
          expect(verdict).toEqual(first)
        }
        if (first?.type === 'header') expect(first.length).toBeLessThanOrEqual(bytes.length)
      },
    ),
    { numRuns: 2000 },
  )
})

test('every address of IPv6 is written as the kernel writes it', () => {
  fc.assert(
    fc.property(fc.ipV6(), fc.nat(65_535), (address, port) => {
      const verdict = readProxyHeader(line(`PROXY TCP6 ${address} ::1 ${port} 1\r\n`))
      const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1)
      const source = verdict?.type === 'header' ? verdict.source : undefined
      expect(source?.port).toBe(port)
      expect(
        new URL(`http://[${source?.address.includes(':') ? source.address : `::ffff:${source?.address}`}]/`).hostname,
      ).toBe(`[${canonical}]`)
    }),
  )
})

test.for([
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8::1', '2001:db8::1'],
  ['::ffff:0:1', '::ffff:0:1'],
])('%s is %s', ([address, plain]) => {
  expect(unmapped(address ?? '')).toBe(plain)
})
