import process from 'node:process'
import { expect, test } from 'vitest'
import { arpAnnouncements, arpProbe, decodeArp, encodeArp } from '../bgp-agent/l2/arp.ts'
import { EtherType, encodeEthernet } from '../bgp-agent/l2/ethernet.ts'
import { defaultTiming } from '../bgp-agent/l2/holding.ts'
import {
  decodeNeighbor,
  encodeNeighbor,
  neighborAnnouncement,
  neighborAnswer,
  neighborProbe,
} from '../bgp-agent/l2/ndp.ts'
import { Segment, type SegmentWorld } from '../bgp-agent/l2/segment.ts'
import { numbers } from './bgp-fuzz-inputs.ts'

// Packets that are right, with changes, and what is none, to the decoders and to what answers. For longer runs:
//
//   L2_FUZZ=2000000 L2_FUZZ_SEED=2 npx vitest run --project node test/l2-fuzz.test.ts

const count = Number(process.env.L2_FUZZ ?? 100_000)
const seed = Number(process.env.L2_FUZZ_SEED ?? 1)

const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
/** Frames that a node hears: some of them claim its addresses, and it gives in. */
const life = 2_000

const mac = fromHex('020000000001')
const theirs = fromHex('020000000002')
const vip = Uint8Array.of(192, 0, 2, 1)
const noAddress = new Uint8Array(4)
const vip6 = fromHex('20010db8000000000000000000000001')
const client6 = fromHex('20010db8000000000000000000000009')

const solicitation = { ...neighborProbe(vip6), source: client6, mac: theirs }
const packets = {
  arp: [arpProbe(theirs, vip), ...arpAnnouncements(theirs, vip)].map(encodeArp),
  ndp: [
    neighborProbe(vip6),
    solicitation,
    neighborAnswer(theirs, solicitation),
    neighborAnnouncement(theirs, vip6),
  ].map(encodeNeighbor),
}

/** A packet with some octets of it changed, or others behind it, or cut off; or octets by lot. */
function draw(from: readonly Uint8Array[], below: (bound: number) => number): Uint8Array {
  const right = from[below(from.length)] ?? new Uint8Array()
  if (below(16) === 0) return Uint8Array.from({ length: below(120) }, () => below(256))
  const bytes = new Uint8Array(right.length + (below(4) === 0 ? below(24) : 0))
  bytes.set(right)
  for (let changes = below(4); changes > 0; changes--) bytes[below(bytes.length)] = below(256)
  if (from === packets.ndp && below(4) > 0) mend(bytes)
  return below(8) === 0 ? bytes.subarray(0, below(bytes.length + 1)) : bytes
}

/** With a length and a checksum that fit, so that what is inside is looked at. */
function mend(bytes: Uint8Array): void {
  const length = bytes.length - 40
  bytes.set([length >> 8, length & 0xff], 4)
  bytes.set([0, 0], 42)
  let sum = length + 58
  for (let i = 8; i < bytes.length; i++) sum += (bytes[i] ?? 0) * (i % 2 === 0 ? 256 : 1)
  const checksum = 0xffff - (sum % 0xffff)
  bytes.set([checksum >> 8, checksum & 0xff], 42)
}

test(`of ${count} packets of each kind none does harm, and some are read`, () => {
  const below = numbers(seed)
  const read = { arp: 0, ndp: 0 }
  for (let i = 0; i < count; i++) {
    if (typeof decodeArp(draw(packets.arp, below)) !== 'string') read.arp++
    if (typeof decodeNeighbor(draw(packets.ndp, below)) !== 'string') read.ndp++
  }
  console.log(`seed ${seed}: ${read.arp} packets of ARP and ${read.ndp} of NDP were read, of ${count} each`)
  expect(read.arp).toBeGreaterThan(count / 20)
  expect(read.arp).toBeLessThan(count)
  expect(read.ndp).toBeGreaterThan(count / 20)
  expect(read.ndp).toBeLessThan(count)
}, 600_000)

test(`of ${count} frames none makes a node say what is not so`, () => {
  const below = numbers(seed + 1)
  let now = 0
  let said = 0
  const world: SegmentWorld = {
    now: () => now,
    random: () => 0.5,
    send: (frame) => {
      if (!isTrue(frame)) throw new Error(`a frame that is not so: ${Buffer.from(frame).toString('hex')}`)
      said++
    },
    join: () => undefined,
    leave: () => undefined,
    isOwn: (other) => isSame(other, mac),
    changed: () => undefined,
    disputed: () => undefined,
  }
  let segment = new Segment(mac, defaultTiming, world)
  for (let i = 0; i < count; i++) {
    if (i % life === 0) {
      segment = new Segment(mac, defaultTiming, world)
      segment.take(vip, true)
      segment.take(vip6, true)
    }
    const isArp = below(2) === 0
    const etherType = isArp ? EtherType.arp : EtherType.ipv6
    const payload = draw(isArp ? packets.arp : packets.ndp, below)
    segment.receive(encodeEthernet({ destination: mac, source: theirs, etherType, payload }))
    if (i % 100 === 0) {
      now += 200
      segment.run()
    }
  }
  expect(said).toBeGreaterThan(count / 20)
  expect(said).toBeLessThan(count)
}, 600_000)

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** Whether a frame says of one of the addresses that it is at this MAC, or asks for it. */
function isTrue(frame: Uint8Array): boolean {
  if (!isSame(frame.subarray(6, 12), mac)) return false
  const arp = decodeArp(frame.subarray(14))
  if (typeof arp !== 'string')
    return isSame(arp.senderMac, mac) && [vip, noAddress].some((octets) => isSame(arp.senderAddress, octets))
  const neighbor = decodeNeighbor(frame.subarray(14))
  if (typeof neighbor === 'string') return false
  return isSame(neighbor.target, vip6) && (neighbor.mac === undefined || isSame(neighbor.mac, mac))
}
