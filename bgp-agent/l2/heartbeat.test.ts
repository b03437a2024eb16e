import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatAddress } from '../address.ts'
import { pagesOf } from './claims.ts'
import { formatMac } from './ethernet.ts'
import {
  type Claim,
  type Discard,
  decodeHeartbeat,
  encodeHeartbeat,
  type Heartbeat,
  maxEchoes,
  maxPage,
  readBody,
} from './heartbeat.ts'
import { seeded } from './network-fixture.ts'

const key = new TextEncoder().encode('0123456789abcdef')
const other = new TextEncoder().encode('fedcba9876543210')

const usual: Heartbeat = {
  node: 'node-1',
  state: 'ready',
  incarnation: 1_764_000_000_000,
  sequence: 7,
  readyFor: 60_000,
  timing: { interval: 200, detection: 700 },
  mac: '02:00:00:00:0a:ff',
  challenge: 0x0102030405060708n,
  echoes: [1n, 2n ** 64n - 1n],
  asked: [3n],
  claims: {
    version: 4,
    page: 0,
    pages: 1,
    claims: [
      { address: '192.168.1.240', preference: 0 },
      { address: '2001:db8::1', preference: 300 },
    ],
  },
}

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const u32 = fc.integer({ min: 0, max: 0xffffffff })
const address = fc
  .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
  .map(formatAddress)
const claim = fc.record<Claim>({ address, preference: fc.integer({ min: 0, max: 0xffff }) })
const heartbeats = fc.record<Heartbeat>({
  node: fc.string({ unit: fc.constantFrom(...'abc019-.'), minLength: 1, maxLength: 253 }),
  state: fc.constantFrom('listening', 'ready', 'leaving'),
  incarnation: fc.maxSafeNat(),
  sequence: u32,
  readyFor: u32,
  timing: fc.record({
    interval: fc.integer({ min: 1, max: 1000 }),
    detection: fc.integer({ min: 1001, max: 10_000 }),
  }),
  mac: fc.uint8Array({ minLength: 6, maxLength: 6 }).map(formatMac),
  challenge: u64,
  echoes: fc.array(u64, { maxLength: maxEchoes }),
  asked: fc.array(u64, { maxLength: 8 }),
  claims: fc.record({
    version: u32,
    page: fc.integer({ min: 0, max: 9 }),
    pages: fc.integer({ min: 10, max: 1024 }),
    claims: fc.array(claim, { maxLength: 30 }),
  }),
})

test('what is written is read again', () => {
  fc.assert(
    fc.property(heartbeats, (beat) => {
      expect(decodeHeartbeat(encodeHeartbeat(beat, key), [key])).toEqual(beat)
    }),
  )
})

test('a heartbeat with all that it may have fits into a frame of Ethernet, over IPv6', () => {
  const claims = Array.from({ length: 500 }, (_, i) => ({
    address: `2001:db8::${(i + 1).toString(16)}`,
    preference: 1,
  }))
  const [page = []] = pagesOf(claims)
  const beat = { ...usual, node: 'n'.repeat(253), echoes: Array(48).fill(1n), asked: Array(8).fill(1n) }
  const bytes = encodeHeartbeat({ ...beat, claims: { ...usual.claims, claims: page } }, key)
  expect(bytes.length).toBeLessThanOrEqual(1500 - 40 - 8)
  expect(page.length).toBe(Math.floor(maxPage / 19))
})

const changed = (at: number, octet: number): Uint8Array => {
  const bytes = encodeHeartbeat(usual, key)
  bytes[at] = octet
  return bytes
}

test.for<[string, Uint8Array, Discard]>([
  ['is empty', new Uint8Array(), 'cut off'],
  ['ends in its signature', encodeHeartbeat(usual, key).subarray(0, 87), 'cut off'],
  ['is something else', changed(0, 0), 'foreign'],
  ['is of another version', changed(4, 2), 'version'],
  ['was signed with another key', encodeHeartbeat(usual, other), 'signature'],
  ['was changed on its way', changed(60, 0xfe), 'signature'],
  ['has lost its end', encodeHeartbeat(usual, key).subarray(0, -1), 'signature'],
  ['is from a node without a name', encodeHeartbeat({ ...usual, node: '' }, key), 'form'],
  [
    'is from a node with a name that would paint a terminal',
    encodeHeartbeat({ ...usual, node: '\u001b[31m' }, key),
    'form',
  ],
  ['never comes again', encodeHeartbeat({ ...usual, timing: { interval: 0, detection: 700 } }, key), 'form'],
  ['is late by its own words', encodeHeartbeat({ ...usual, timing: { interval: 200, detection: 200 } }, key), 'form'],
  ['would live too long', encodeHeartbeat({ ...usual, timing: { interval: 200, detection: 10_001 } }, key), 'form'],
  ['has a page behind the last', encodeHeartbeat({ ...usual, claims: { ...usual.claims, page: 1 } }, key), 'form'],
  ['has too many pages', encodeHeartbeat({ ...usual, claims: { ...usual.claims, pages: 1025 } }, key), 'form'],
  ['sends too much back', encodeHeartbeat({ ...usual, echoes: Array(49).fill(1n) }, key), 'form'],
])('a datagram that %s is dropped', ([, bytes, discard]) => {
  expect(decodeHeartbeat(bytes, [key])).toBe(discard)
})

test('while one key takes the place of another, both are believed', () => {
  expect(decodeHeartbeat(encodeHeartbeat(usual, other), [key, other])).toEqual(usual)
})

test('two million datagrams of all kinds, most of them signed or nearly right, are read or dropped', {
  timeout: 240_000,
}, () => {
  const random = seeded(20_260_101)
  const good = encodeHeartbeat(usual, key)
  const body = good.subarray(0, -32)
  const outcomes = new Map<string, number>()
  const count = (outcome: string): void => void outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  const octet = (): number => Math.floor(random() * 256)
  for (let i = 0; i < 2_000_000; i++) {
    // Of twenty one goes through the signature too; the others are what a holder of the key may write.
    const isWhole = i % 20 === 0
    const from = isWhole ? good : body
    const bytes = from.slice(0, random() < 0.3 ? Math.floor(random() * (from.length + 1)) : from.length)
    const changes = Math.floor(random() * 4)
    for (let change = 0; change < changes; change++) bytes[Math.floor(random() * bytes.length)] = octet()
    if (random() < 0.1) for (let at = 5; at < bytes.length; at++) bytes[at] = octet()
    const read = isWhole ? decodeHeartbeat(bytes, [key]) : readBody(bytes)
    count(typeof read === 'string' ? read : 'read')
  }
  expect([...outcomes.keys()].sort()).toEqual(['cut off', 'foreign', 'form', 'read', 'signature', 'version'])
})
