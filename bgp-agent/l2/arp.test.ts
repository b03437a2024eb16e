import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type ArpDiscard,
  ArpOperation,
  type ArpPacket,
  arpAnnouncements,
  arpProbe,
  arpReply,
  decodeArp,
  encodeArp,
  isArpProbe,
} from './arp.ts'

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const hexOf = (packet: ArpPacket): string => Buffer.from(encodeArp(packet)).toString('hex')

const mac = bytesOf('02 00 00 00 00 01')
const theirs = bytesOf('02 00 00 00 00 02')
const address = Uint8Array.of(192, 0, 2, 1)

const request = bytesOf('0001 0800 06 04 0001 020000000002 c0000202 000000000000 c0000201')

const changed = (octets: Readonly<Record<number, number>>): Uint8Array => {
  const bytes = request.slice()
  for (const [at, octet] of Object.entries(octets)) bytes[Number(at)] = octet
  return bytes
}

test('a request is read as RFC 826 draws it, whatever is behind it', () => {
  const padded = new Uint8Array(46)
  padded.set(request)
  for (const bytes of [request, padded])
    expect(decodeArp(bytes)).toEqual({
      operation: ArpOperation.request,
      senderMac: theirs,
      senderAddress: Uint8Array.of(192, 0, 2, 2),
      targetMac: new Uint8Array(6),
      targetAddress: address,
    })
})

test('a reply goes to who has asked', () => {
  const packet = decodeArp(request)
  if (typeof packet === 'string') throw new Error(packet)
  expect(hexOf(arpReply(mac, packet))).toBe('0001080006040002020000000001c0000201020000000002c0000202')
})

test('an address is announced as a request and as a reply', () => {
  expect(arpAnnouncements(mac, address).map(hexOf)).toEqual([
    '0001080006040001020000000001c0000201000000000000c0000201',
    '0001080006040002020000000001c0000201020000000001c0000201',
  ])
})

test('who asks whether an address is free says of none that it is its own', () => {
  const probe = arpProbe(mac, address)
  expect(hexOf(probe)).toBe('000108000604000102000000000100000000000000000000c0000201')
  expect(isArpProbe(probe)).toBe(true)
  for (const announcement of arpAnnouncements(mac, address)) expect(isArpProbe(announcement)).toBe(false)
})

test.for<[string, Uint8Array, ArpDiscard]>([
  ['is cut off', request.subarray(0, 27), 'cut off'],
  ['is empty', new Uint8Array(), 'cut off'],
  ['is of another hardware', changed({ 1: 6 }), 'not IPv4 on Ethernet'],
  ['is of another protocol', changed({ 2: 0x86, 3: 0xdd }), 'not IPv4 on Ethernet'],
  ['has longer hardware addresses', changed({ 4: 8 }), 'not IPv4 on Ethernet'],
  ['has longer protocol addresses', changed({ 5: 16 }), 'not IPv4 on Ethernet'],
  ['is a request of RARP', changed({ 7: 3 }), 'operation'],
  ['has an operation of two octets', changed({ 6: 1 }), 'operation'],
  ['has none', changed({ 7: 0 }), 'operation'],
])('a packet that %s is dropped', ([, bytes, discard]) => {
  expect(decodeArp(bytes)).toBe(discard)
})

test('what is written is read again', () => {
  const octets = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
  const packets = fc.record<ArpPacket>({
    operation: fc.constantFrom(...Object.values(ArpOperation)),
    senderMac: octets(6),
    senderAddress: octets(4),
    targetMac: octets(6),
    targetAddress: octets(4),
  })
  fc.assert(
    fc.property(packets, (packet) => {
      expect(decodeArp(encodeArp(packet))).toEqual(packet)
    }),
  )
})
