import { AF_INET, AF_INET6 } from './libc.ts'
import { attribute, attributesOf, type Netlink, NLM_F_CREATE_NEW, u32Value } from './netlink.ts'
import { isLittleEndian } from './socket-address.ts'

// Addresses that are put on an interface so that this machine takes what is sent to them. rtnetlink(7), linux/if_addr.h.

/** An address on an interface. */
export interface PlacedAddress {
  /** 4 or 16 octets. */
  readonly octets: Uint8Array
  readonly interfaceIndex: number
}

const RTM_NEWADDR = 20
const RTM_DELADDR = 21
const RTM_GETADDR = 22
const IFA_ADDRESS = 1
const IFA_LOCAL = 2
const IFA_CACHEINFO = 6
const IFA_FLAGS = 8
const IFA_PROTO = 11
const IFA_F_NODAD = 0x02
const IFA_F_NOPREFIXROUTE = 0x200
/** Of this machine alone: no source for what it sends to others by itself. */
const RT_SCOPE_HOST = 254
const FOREVER = 0xffffffff

/** Who has added an address, IFA_PROTO: so that those of an agent that was killed are known. Linux 5.18 and later keep it. */
const MARK = 76

/** struct ifaddrmsg: family (1), prefix length (1), flags (1), scope (1), interface (4). */
const FIXED = 8

/** With no route but to itself; nothing is sent from it unless somebody asks for it. Throws SystemError, EEXIST when it is
 *  there. */
export function addAddress(netlink: Netlink, { octets, interfaceIndex }: PlacedAddress): void {
  const isIpv4 = octets.length === 4
  const payload = joined([
    fixed(octets, isIpv4 ? RT_SCOPE_HOST : 0, interfaceIndex),
    attribute(IFA_LOCAL, octets),
    attribute(IFA_ADDRESS, octets),
    attribute(IFA_FLAGS, u32Value(IFA_F_NOPREFIXROUTE | (isIpv4 ? 0 : IFA_F_NODAD))),
    attribute(IFA_PROTO, Uint8Array.of(MARK)),
    ...(isIpv4 ? [] : [attribute(IFA_CACHEINFO, deprecated)]),
  ])
  netlink.change('RTM_NEWADDR', RTM_NEWADDR, NLM_F_CREATE_NEW, payload)
}

/** Throws SystemError, EADDRNOTAVAIL when it is not there. */
export function removeAddress(netlink: Netlink, { octets, interfaceIndex }: PlacedAddress): void {
  const payload = joined([fixed(octets, 0, interfaceIndex), attribute(IFA_LOCAL, octets)])
  netlink.change('RTM_DELADDR', RTM_DELADDR, 0, payload)
}

/** Those that `addAddress` has added, now or in a life before. Throws SystemError. */
export function markedAddresses(netlink: Netlink): readonly PlacedAddress[] {
  const found: PlacedAddress[] = []
  for (const { type, payload } of netlink.list('RTM_GETADDR', RTM_GETADDR, new Uint8Array(FIXED))) {
    if (type !== RTM_NEWADDR || payload.length < FIXED) continue
    const attributes = attributesOf(payload, FIXED)
    const octets = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS)
    if (octets === undefined || attributes.get(IFA_PROTO)?.[0] !== MARK) continue
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
    found.push({ octets: octets.slice(), interfaceIndex: view.getUint32(4, isLittleEndian) })
  }
  return found
}

function fixed(octets: Uint8Array, scope: number, interfaceIndex: number): Uint8Array {
  const family = octets.length === 4 ? AF_INET : AF_INET6
  return joined([Uint8Array.of(family, 8 * octets.length, 0, scope), u32Value(interfaceIndex)])
}

/** struct ifa_cacheinfo: preferred (4), valid (4), and two times of the kernel's. RFC 4862 section 5.5.4: a deprecated address
 *  is not taken as a source. */
const deprecated = joined([u32Value(0), u32Value(FOREVER), u32Value(0), u32Value(0)])

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
