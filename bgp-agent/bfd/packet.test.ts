import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ControlPacket, type Discard, decodeControl, encodeControl, SessionState } from './packet.ts'

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const state = fc.constantFrom(...Object.values(SessionState))

const packets = fc
  .record<ControlPacket>({
    state,
    diagnostic: fc.integer({ min: 0, max: 31 }),
    isPoll: fc.boolean(),
    isFinal: fc.boolean(),
    isDemand: fc.boolean(),
    detectMultiplier: fc.integer({ min: 1, max: 255 }),
    myDiscriminator: fc.integer({ min: 1, max: 0xffffffff }),
    yourDiscriminator: u32,
    desiredMinTx: u32,
    requiredMinRx: u32,
  })
  .filter(({ state, yourDiscriminator }) => yourDiscriminator !== 0 || state <= SessionState.down)

const usual: ControlPacket = {
  state: SessionState.up,
  diagnostic: 0,
  isPoll: false,
  isFinal: false,
  isDemand: false,
  detectMultiplier: 3,
  myDiscriminator: 7,
  yourDiscriminator: 9,
  desiredMinTx: 50_000,
  requiredMinRx: 60_000,
}

test('a packet is written as RFC 5880 section 4.1 draws it', () => {
  const packet = { ...usual, diagnostic: 3, isPoll: true }
  expect(Buffer.from(encodeControl(packet)).toString('hex')).toBe('23e0031800000007000000090000c3500000ea6000000000')
})

test('what is written is read again', () => {
  fc.assert(
    fc.property(packets, (packet) => {
      expect(decodeControl(encodeControl(packet))).toEqual(packet)
    }),
  )
})

const changed = (octets: Readonly<Record<number, number>>, packet = usual): Uint8Array => {
  const bytes = encodeControl(packet)
  for (const [at, octet] of Object.entries(octets)) bytes[Number(at)] = octet
  return bytes
}
const padded = (bytes: Uint8Array, length: number): Uint8Array => {
  const longer = new Uint8Array(length)
  longer.set(bytes)
  return longer
}

const nobody = { ...usual, yourDiscriminator: 0 }

test.for<[string, Uint8Array, Discard]>([
  ['is shorter than a header', encodeControl(usual).subarray(0, 23), 'cut off'],
  ['is of version 0', changed({ 0: 0 }), 'version'],
  ['is of version 2', changed({ 0: 0x40 }), 'version'],
  ['says that it is shorter than a header', changed({ 3: 23 }), 'length'],
  ['says that it is longer than it is', changed({ 3: 25 }), 'length'],
  ['has authentication for which there is no room', padded(changed({ 1: 0xc4, 3: 25 }), 26), 'length'],
  ['has a detect multiplier of 0', changed({ 2: 0 }), 'detect multiplier 0'],
  ['is for many', changed({ 1: 0xc1 }), 'multipoint'],
  ['does not say whose it is', encodeControl({ ...usual, myDiscriminator: 0 }), 'my discriminator 0'],
  ['is up with nobody', encodeControl({ ...nobody, state: SessionState.up }), 'your discriminator 0'],
  ['comes up with nobody', encodeControl({ ...nobody, state: SessionState.init }), 'your discriminator 0'],
  ['comes with authentication', padded(changed({ 1: 0xc4, 3: 26 }), 26), 'authentication'],
])('a packet that %s is dropped', ([, bytes, discard]) => {
  expect(decodeControl(bytes)).toBe(discard)
})

test('a packet that is down may be for nobody, and may have octets behind it', () => {
  const packet = { ...nobody, state: SessionState.down }
  expect(decodeControl(padded(encodeControl(packet), 60))).toEqual(packet)
})

test('whatever comes is a packet or a reason to drop it, and a packet obeys the rules', () => {
  const mutated = fc
    .tuple(packets, fc.array(fc.tuple(fc.nat(23), fc.nat(255)), { maxLength: 4 }), fc.nat(30))
    .map(([packet, changes, length]) => padded(changed(Object.fromEntries(changes), packet), 30).subarray(0, length))
  const bytes = fc.oneof(mutated, fc.uint8Array({ maxLength: 60 }))
  let accepted = 0
  fc.assert(
    fc.property(bytes, (datagram) => {
      const packet = decodeControl(datagram)
      if (typeof packet === 'string') return
      accepted++
      expect(datagram.length).toBeGreaterThanOrEqual(24)
      expect(packet.detectMultiplier * packet.myDiscriminator).toBeGreaterThan(0)
      expect(packet.yourDiscriminator !== 0 || packet.state <= SessionState.down).toBe(true)
      // All that is not said by a packet of ours is what is not looked at: flags C, A and M, the length, and echo.
      expect(encodeControl(packet).subarray(4, 20)).toEqual(datagram.slice(4, 20))
    }),
    { numRuns: 100_000 },
  )
  expect(accepted).toBeGreaterThan(1000)
})
