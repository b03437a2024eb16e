import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseAddress } from '../address.ts'
import {
  decodeNeighbor,
  encodeNeighbor,
  type NdpDiscard,
  type NeighborMessage,
  neighborAnnouncement,
  neighborAnswer,
  neighborProbe,
  solicitedNodeGroup,
} from './ndp.ts'

const octetsOf = (address: string): Uint8Array => parseAddress(address) ?? new Uint8Array()
const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const mac = fromHex('020000000001')
const theirs = fromHex('020000000002')
const address = octetsOf('2001:db8::1:2')
const none = octetsOf('::')
const noFlags = { isRouter: false, isSolicited: false, isOverride: false }

/** 2001:db8::9 asks for 2001:db8::1:2. */
const solicitation: NeighborMessage = {
  kind: 'solicitation',
  source: octetsOf('2001:db8::9'),
  destination: octetsOf('ff02::1:ff01:2'),
  target: address,
  mac: theirs,
  flags: noFlags,
}

/** With its checksum mended, which is what makes the other faults the only ones. */
function changed(message: NeighborMessage, octets: Readonly<Record<number, number>>): Uint8Array {
  const bytes = encodeNeighbor(message)
  for (const [at, octet] of Object.entries(octets)) bytes[Number(at)] = octet
  bytes.set([0, 0], 42)
  let sum = bytes.length - 40 + 58
  for (let i = 8; i < bytes.length; i++) sum += (bytes[i] ?? 0) * (i % 2 === 0 ? 256 : 1)
  const checksum = 0xffff - (sum % 0xffff)
  bytes.set([checksum >> 8, checksum & 0xff], 42)
  return bytes
}

test('a solicitation is written as RFC 4861 section 4.3 draws it', () => {
  const hex = [
    '60000000 0020 3a ff',
    '20010db8000000000000000000000009',
    'ff0200000000000000000001ff010002',
    '87 00 1c1c 00000000',
    '20010db8000000000000000000010002',
    '01 01 020000000002',
  ]
  expect(Buffer.from(encodeNeighbor(solicitation)).toString('hex')).toBe(hex.join('').replaceAll(' ', ''))
})

test('the group of an address ends as the address does', () => {
  expect(solicitedNodeGroup(octetsOf('2001:db8::a1b2:c3d4'))).toEqual(octetsOf('ff02::1:ffb2:c3d4'))
})

test('who asks is answered, and may replace what it knows', () => {
  expect(neighborAnswer(mac, solicitation)).toEqual({
    kind: 'advertisement',
    source: address,
    destination: solicitation.source,
    target: address,
    mac,
    flags: { isRouter: false, isSolicited: true, isOverride: true },
  })
})

test('who has no address yet is answered before all', () => {
  const answer = neighborAnswer(mac, neighborProbe(address))
  expect(answer).toEqual(neighborAnnouncement(mac, address))
  expect(answer.destination).toEqual(octetsOf('ff02::1'))
  expect(answer.flags).toEqual({ isRouter: false, isSolicited: false, isOverride: true })
})

test('the flags of an advertisement are R, S and O', () => {
  const flagsOf = (message: NeighborMessage): number | undefined => encodeNeighbor(message)[44]
  const advertisement = neighborAnswer(mac, solicitation)
  const { flags } = advertisement
  expect(flagsOf(advertisement)).toBe(0x60)
  expect(flagsOf(neighborAnnouncement(mac, address))).toBe(0x20)
  expect(flagsOf({ ...advertisement, flags: { ...flags, isRouter: true } })).toBe(0xe0)
})

test('who asks whether an address is free has no address and tells no MAC', () => {
  const probe = neighborProbe(address)
  expect(probe).toMatchObject({ source: none, destination: octetsOf('ff02::1:ff01:2'), mac: undefined })
  expect(decodeNeighbor(encodeNeighbor(probe))).toEqual(probe)
})

test('other options are passed over, and so is what is behind the packet', () => {
  const bytes = new Uint8Array(40 + 24 + 16 + 5)
  // A nonce, RFC 3971 section 5.3.2, and then the MAC.
  bytes.set(changed(solicitation, {}).subarray(0, 64))
  bytes.set([14, 1, 1, 2, 3, 4, 5, 6, 1, 1, ...theirs], 64)
  const packet = bytes.subarray(0, 80)
  packet[5] = 40
  packet.set([0, 0], 42)
  let sum = 40 + 58
  for (let i = 8; i < 80; i++) sum += (packet[i] ?? 0) * (i % 2 === 0 ? 256 : 1)
  const checksum = 0xffff - (sum % 0xffff)
  packet.set([checksum >> 8, checksum & 0xff], 42)
  expect(decodeNeighbor(bytes)).toEqual(solicitation)
})

const advertisement = neighborAnswer(mac, solicitation)
const probe = neighborProbe(address)

test.for<[string, Uint8Array, NdpDiscard]>([
  ['is cut off', encodeNeighbor(probe).subarray(0, 63), 'cut off'],
  ['says that it is longer than it is', changed(solicitation, { 5: 40 }), 'cut off'],
  ['says that it is too short for a message', changed(solicitation, { 5: 16 }), 'cut off'],
  ['is of IPv4', changed(solicitation, { 0: 0x45 }), 'not ICMPv6'],
  ['is of UDP', changed(solicitation, { 6: 17 }), 'not ICMPv6'],
  ['has come over a router', changed(solicitation, { 7: 254 }), 'hop limit'],
  [
    'was damaged',
    Uint8Array.from(encodeNeighbor(solicitation), (octet, i) => (i === 60 ? octet ^ 1 : octet)),
    'checksum',
  ],
  ['is a router solicitation', changed(solicitation, { 40: 133 }), 'type'],
  ['is a redirect', changed(solicitation, { 40: 137 }), 'type'],
  ['has a code', changed(solicitation, { 41: 1 }), 'code'],
  ['comes from a group', encodeNeighbor({ ...solicitation, source: octetsOf('ff02::1') }), 'group as source'],
  ['is about a group', changed(solicitation, { 48: 0xff }), 'group as target'],
  ['has an option without a length', changed(solicitation, { 65: 0 }), 'option'],
  ['has an option that is too long', changed(solicitation, { 65: 2 }), 'option'],
  ['has no address and tells a MAC', encodeNeighbor({ ...solicitation, source: none }), 'unspecified source'],
  ['has no address and asks one host', encodeNeighbor({ ...probe, destination: address }), 'unspecified source'],
  [
    'answers who has asked, before all',
    encodeNeighbor({ ...advertisement, destination: octetsOf('ff02::1') }),
    'solicited by a group',
  ],
])('a packet that %s is dropped', ([, bytes, discard]) => {
  expect(decodeNeighbor(bytes)).toBe(discard)
})

const octets = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const unicast = octets(16).filter(([first]) => first !== 0xff)
const messages: fc.Arbitrary<NeighborMessage> = fc.oneof(
  fc.record({
    kind: fc.constant('solicitation' as const),
    source: unicast.filter((source) => source.some((octet) => octet !== 0)),
    destination: octets(16),
    target: unicast,
    mac: fc.option(octets(6), { nil: undefined }),
    flags: fc.constant(noFlags),
  }),
  fc.record({
    kind: fc.constant('advertisement' as const),
    source: unicast,
    destination: unicast,
    target: unicast,
    mac: fc.option(octets(6), { nil: undefined }),
    flags: fc.record({ isRouter: fc.boolean(), isSolicited: fc.boolean(), isOverride: fc.boolean() }),
  }),
)

test('what is written is read again', () => {
  fc.assert(
    fc.property(messages, (message) => {
      expect(decodeNeighbor(encodeNeighbor(message))).toEqual(message)
    }),
  )
})

test('what one bit was changed of is not read as something else', () => {
  fc.assert(
    fc.property(messages, fc.nat(), (message, bit) => {
      const bytes = encodeNeighbor(message)
      // From the addresses on: what is before is not in the checksum, but for length and next header.
      const at = 8 + (Math.floor(bit / 8) % (bytes.length - 8))
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit % 8))
      expect(decodeNeighbor(bytes)).toBe('checksum')
    }),
  )
})
