import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatAddress, parseAddress } from '../address.ts'
import { encodeAttributes, type RouteAttributes } from './attributes.ts'
import { BgpError } from './error.ts'
import { HEADER_LENGTH } from './message.ts'
import { type Prefix, parsePrefix, prefixOf } from './prefix.ts'
import { type Dialect, decodeUpdate, type Update } from './update-decode.ts'
import { announce, type Carriage, endOfRib, withdraw } from './update-encode.ts'

const plain: RouteAttributes = {
  prepend: 0,
  med: undefined,
  localPreference: undefined,
  communities: [],
  largeCommunities: [],
}
const audience = { isInternal: false, localAsn: 65001, fourOctetAs: true, onlyToCustomer: false }
const external: Dialect = { isInternal: false, fourOctetAs: true }
const v4: Carriage = { family: 'ipv4', nextHop: Uint8Array.of(192, 0, 2, 1), maxLength: 4096 }
const v6: Carriage = { family: 'ipv6', nextHop: parseAddress('2001:db8::1') ?? new Uint8Array(), maxLength: 4096 }
const v4over6: Carriage = { ...v6, family: 'ipv4' }

const prefix = (text: string): Prefix => {
  const parsed = parsePrefix(text)
  if (parsed === undefined) throw new Error(`${text} is no prefix`)
  return parsed
}

const bodyOf = (message: Uint8Array): Uint8Array => message.subarray(HEADER_LENGTH)

const textOf = (wire: Uint8Array, size: number): string => {
  const address = new Uint8Array(size)
  address.set(wire.subarray(1))
  return `${formatAddress(address)}/${wire[0]}`
}

const textsOf = (update: Update, which: 'announced' | 'withdrawn'): readonly string[] =>
  update[which].flatMap(({ family, prefixes }) => prefixes.map((wire) => textOf(wire, family === 'ipv4' ? 4 : 16)))

const anyPrefix = (size: 4 | 16): fc.Arbitrary<Prefix> =>
  fc
    .tuple(fc.uint8Array({ minLength: size, maxLength: size }), fc.integer({ min: 0, max: size * 8 }))
    .map(([address, length]) => prefixOf(address, length) ?? prefix('0.0.0.0/0'))

test.for<[string, Carriage, 4 | 16]>([
  ['IPv4', v4, 4],
  ['IPv6', v6, 16],
  ['IPv4 over IPv6', v4over6, 4],
])('%s routes come as they were sent, in messages of the longest length at most', ([, carriage, size]) => {
  const prefixes = fc.uniqueArray(anyPrefix(size), { maxLength: 900 })
  fc.assert(
    fc.property(prefixes, fc.constantFrom(512, 4096), (sent, maxLength) => {
      const messages = [...announce(sent, encodeAttributes(plain, audience), { ...carriage, maxLength })]
      expect(messages.every(({ length }) => length <= maxLength)).toBe(true)
      const updates = messages.map((message) => decodeUpdate(bodyOf(message), external))
      expect(updates.flatMap((update) => textsOf(update, 'announced'))).toEqual(sent)
      expect(updates.flatMap(({ faults }) => faults)).toEqual([])
      const gone = [...withdraw(sent, { ...carriage, maxLength })].map((message) =>
        decodeUpdate(bodyOf(message), external),
      )
      expect(gone.flatMap((update) => textsOf(update, 'withdrawn'))).toEqual(sent)
    }),
    { numRuns: 50 },
  )
})

test.for(['ipv4', 'ipv6'] as const)('the end of all %s routes is told', (family) => {
  expect(decodeUpdate(bodyOf(endOfRib(family)), external)).toMatchObject({
    endOfRib: family,
    announced: [],
    withdrawn: [],
  })
})

// Attributes of a good IPv4 route, and what RFC 7606 makes of each when it is not.
const origin = [0x40, 1, 1, 0]
const asPath = [0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe8]
const nextHop = [0x40, 3, 4, 192, 0, 2, 1]
const good = [...origin, ...asPath, ...nextHop]

function route(attributes: readonly number[], dialect = external): Update {
  const body = Uint8Array.of(0, 0, attributes.length >> 8, attributes.length & 0xff, ...attributes, 8, 10)
  return decodeUpdate(body, dialect)
}

test('a good route is announced', () => {
  expect(textsOf(route(good), 'announced')).toEqual(['10.0.0.0/8'])
})

test.for<[string, readonly number[]]>([
  ['without ORIGIN', [...asPath, ...nextHop]],
  ['without AS_PATH', [...origin, ...nextHop]],
  ['without NEXT_HOP', [...origin, ...asPath]],
  ['whose ORIGIN is unknown', [0x40, 1, 1, 3, ...asPath, ...nextHop]],
  ['whose ORIGIN is of two octets', [0x40, 1, 2, 0, 0, ...asPath, ...nextHop]],
  ['whose ORIGIN is said to be optional', [0xc0, 1, 1, 0, ...asPath, ...nextHop]],
  ['whose AS_PATH has an empty segment', [...origin, 0x40, 2, 2, 2, 0, ...nextHop]],
  ['whose AS_PATH ends in a segment', [...origin, 0x40, 2, 4, 2, 1, 0, 0, ...nextHop]],
  ['whose AS_PATH has an unknown segment', [...origin, 0x40, 2, 6, 9, 1, 0, 0, 0, 1, ...nextHop]],
  ['whose NEXT_HOP is of three octets', [...origin, ...asPath, 0x40, 3, 3, 192, 0, 2]],
  ['whose MED is of two octets', [...good, 0x80, 4, 2, 0, 1]],
  ['whose communities are of five octets', [...good, 0xc0, 8, 5, 0, 0, 0, 0, 0]],
  ['whose communities are none', [...good, 0xc0, 8, 0]],
  ['whose large communities are of four octets', [...good, 0xc0, 32, 4, 0, 0, 0, 0]],
  ['whose attributes end in the middle of one', [...good, 0x80, 4, 200]],
])('a route %s is taken for withdrawn', ([, attributes]) => {
  const update = route(attributes)
  expect([textsOf(update, 'announced'), textsOf(update, 'withdrawn')]).toEqual([[], ['10.0.0.0/8']])
  expect(update.faults.length).toBeGreaterThan(0)
})

test.for<[string, readonly number[]]>([
  ['ATOMIC_AGGREGATE with a value', [0x40, 6, 1, 0]],
  ['AGGREGATOR of the wrong length', [0xc0, 7, 6, 0, 1, 10, 0, 0, 1]],
  ['LOCAL_PREF from another AS', [0x40, 5, 2, 0, 0]],
  ['CLUSTER_LIST from another AS', [0x80, 10, 3, 0, 0, 0]],
  ['AS4_PATH that is malformed', [0xc0, 17, 3, 2, 1, 0]],
])('%s is passed over', ([, attribute]) => {
  const update = route([...good, ...attribute])
  expect(textsOf(update, 'announced')).toEqual(['10.0.0.0/8'])
  expect(update.faults).toHaveLength(1)
})

test('of an attribute that comes twice the first counts', () => {
  expect(textsOf(route([...good, 0x40, 1, 1, 9]), 'announced')).toEqual(['10.0.0.0/8'])
})

test('inside an AS a route without LOCAL_PREF is taken for withdrawn', () => {
  expect(textsOf(route(good, { ...external, isInternal: true }), 'withdrawn')).toEqual(['10.0.0.0/8'])
})

const mpReach = [0x90, 14, 0, 9, 0, 1, 1, 4, 192, 0, 2, 1, 0]

test.for<[string, readonly number[], number]>([
  ['withdrawn routes that are longer than the message', [0, 9, 0, 0], 1],
  ['attributes that are longer than the message', [0, 0, 0, 9], 1],
  ['a prefix of 33 bits', [0, 2, 33, 10, 0, 0], 10],
  ['a prefix that ends too early', [0, 0, 0, 0, 24, 10], 10],
  ['MP_REACH_NLRI that comes twice', [0, 0, 0, 26, ...mpReach, ...mpReach], 1],
  ['a next hop that is longer than MP_REACH_NLRI', [0, 0, 0, 8, 0x80, 14, 5, 0, 2, 1, 99, 0], 9],
  ['an unknown attribute that is said to be well-known', [0, 0, 0, 3, 0x40, 99, 0], 2],
])('%s end the session', ([, body, subcode]) => {
  const decode = () => decodeUpdate(Uint8Array.from(body), external)
  expect(decode).toThrow(BgpError)
  expect(decode).toThrow(expect.objectContaining({ code: 3, subcode }))
})

test('no bytes make the decoder do anything but answer or refuse', () => {
  const random = fc.uint8Array({ minLength: 4, maxLength: 200 })
  const mutated = fc.tuple(fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 4 })).map(([changes]) => {
    const body = Uint8Array.of(0, 0, 0, good.length + mpReach.length, ...good, ...mpReach, 8, 10)
    for (const [at, octet] of changes) if (at < body.length) body[at] = octet
    return body
  })
  fc.assert(
    fc.property(fc.oneof(random, mutated), fc.boolean(), (body, isInternal) => {
      try {
        decodeUpdate(body, { isInternal, fourOctetAs: true })
      } catch (error) {
        expect(error).toBeInstanceOf(BgpError)
      }
    }),
    { numRuns: 5_000 },
  )
})
