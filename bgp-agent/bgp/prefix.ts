import { type FamilyName, formatAddress, parseAddress } from '../address.ts'
import { families } from './family.ts'
import { Octets } from './octets.ts'

/** A destination of routes, "10.0.0.0/24" or "2001:db8::/32": as formatAddress writes it, no bit set behind the length, so that
 *  equal prefixes are equal texts. */
export type Prefix = string

/** undefined for what is no "address/length". Bits behind the length are cleared. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.lastIndexOf('/')
  const octets = parseAddress(slash === -1 ? text : text.slice(0, slash))
  const digits = slash === -1 ? undefined : text.slice(slash + 1)
  if (octets === undefined || digits === undefined || !/^\d{1,3}$/.test(digits)) return undefined
  return prefixOf(octets, Number(digits))
}

/** The prefix of that length which holds an address; undefined where the family has no such length. */
export function prefixOf(address: Uint8Array, length: number): Prefix | undefined {
  if (length > 8 * address.length) return undefined
  const network = address.map((octet, index) => octet & (0xff00 >>> Math.min(Math.max(length - 8 * index, 0), 8)))
  return `${formatAddress(network)}/${length}`
}

/** The prefix of an address alone. */
export const hostPrefix = (address: Uint8Array): Prefix => `${formatAddress(address)}/${8 * address.length}`

export const familyOf = (prefix: Prefix): FamilyName => (prefix.includes(':') ? 'ipv6' : 'ipv4')

export const lengthOf = (prefix: Prefix): number => Number(prefix.slice(prefix.lastIndexOf('/') + 1))

export const holds = (prefix: Prefix, address: Uint8Array): boolean => prefixOf(address, lengthOf(prefix)) === prefix

/** Octets of the longest prefix in an UPDATE. */
export const MAX_NLRI_LENGTH = 17

/** Writes a prefix as an UPDATE has it: the length, then as many octets as hold that many bits. Gives how many octets that is;
 *  those behind them, up to MAX_NLRI_LENGTH, may be written to as well. RFC 4271 section 4.3. */
export function encodePrefix(prefix: Prefix, into: Uint8Array, at: number): number {
  if (familyOf(prefix) === 'ipv4') return encodeIpv4Prefix(prefix, into, at)
  const length = lengthOf(prefix)
  const size = Math.ceil(length / 8)
  const octets = parseAddress(prefix.slice(0, prefix.lastIndexOf('/'))) ?? new Uint8Array(size)
  into[at] = length
  into.set(octets.subarray(0, size), at + 1)
  return 1 + size
}

/** In one pass over the text, since most of what is announced is IPv4 and a session begins with all of it: a dot or the slash ends
 *  each octet, and the last number is the length. */
function encodeIpv4Prefix(prefix: Prefix, into: Uint8Array, at: number): number {
  let end = at + 1
  let number = 0
  for (let index = 0; index < prefix.length; index++) {
    const digit = prefix.charCodeAt(index) - ZERO
    if (digit >= 0) number = 10 * number + digit
    else {
      into[end++] = number
      number = 0
    }
  }
  into[at] = number
  return 1 + Math.ceil(number / 8)
}

/** The code of "0"; "." and "/" stand before it. */
const ZERO = 0x30

/**
 * The prefixes of an NLRI field, as its octets have them; bits behind the length are not looked at. undefined where it is
 * not one: a length above the family's, or octets missing. RFC 7606 section 5.3.
 */
export function splitNlri(bytes: Uint8Array, family: FamilyName): readonly Uint8Array[] | undefined {
  const octets = new Octets(bytes)
  const prefixes: Uint8Array[] = []
  let at = 0
  while (octets.left > 0) {
    const length = octets.u8()
    const size = Math.ceil(length / 8)
    if (length > families[family].bits || size > octets.left) return undefined
    octets.take(size)
    prefixes.push(bytes.subarray(at, at + 1 + size))
    at += 1 + size
  }
  return prefixes
}
