import { type FamilyName, parseAddress } from '../address.ts'
import type { Negotiated } from './negotiation.ts'
import type { NextHops } from './rib-out.ts'

/** The addresses of each interface of this machine, by its name. */
export type Interfaces = ReadonlyMap<string, readonly string[]>

/**
 * Where a session sends traffic: to its own address; for the other family to an address of that family on the same interface
 * (RFC 2545 section 3 wants a global one); for IPv4 over IPv6 to the IPv6 address where both ends know RFC 8950. A family
 * that has none is left out. `local` as a socket gives it.
 */
export function nextHopsOf(
  local: string,
  { families, extendedNextHop }: Pick<Negotiated, 'families' | 'extendedNextHop'>,
  interfaces: Interfaces,
): NextHops {
  const text = local.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/, '')
  const own = parseAddress(text)
  if (own === undefined) return {}
  const family: FamilyName = own.length === 4 ? 'ipv4' : 'ipv6'
  const hops = families.flatMap((each): [FamilyName, Uint8Array][] => {
    const isOwn = each === family || (each === 'ipv4' && extendedNextHop)
    const hop = isOwn ? own : beside(text, each, interfaces)
    return hop === undefined ? [] : [[each, hop]]
  })
  return Object.fromEntries(hops)
}

/** The first address of `family` on the interface that has `local`. */
function beside(local: string, family: FamilyName, interfaces: Interfaces): Uint8Array | undefined {
  const addresses = [...interfaces.values()].find((all) => all.includes(local)) ?? []
  return addresses.map(parseAddress).find((octets) => octets !== undefined && isUsable(octets, family))
}

function isUsable(octets: Uint8Array, family: FamilyName): boolean {
  if (octets.length !== (family === 'ipv4' ? 4 : 16)) return false
  if (family === 'ipv4') return octets[0] !== 127
  const isLinkLocal = octets[0] === 0xfe && ((octets[1] ?? 0) & 0xc0) === 0x80
  return !isLinkLocal && octets.subarray(0, 15).some((octet) => octet !== 0)
}
