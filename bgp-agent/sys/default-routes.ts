import { readFileSync } from 'node:fs'
import { type FamilyName, formatAddress } from '../address.ts'
import { isLittleEndian } from './socket-address.ts'

/** A router that the kernel sends to what it knows no better way for. */
export interface DefaultRoute {
  readonly family: FamilyName
  /** With a zone where it is link-local. */
  readonly gateway: string
  readonly interface: string
  readonly metric: number
}

/** Flags of both tables. linux/route.h, linux/ipv6_route.h */
const RTF_UP = 0x1
const RTF_GATEWAY = 0x2
const RTF_REJECT = 0x200

/** The kernel's, best first; none where it does not say. proc_net(5) */
export const defaultRoutes = (): readonly DefaultRoute[] =>
  readDefaultRoutes(readTable('/proc/net/route'), readTable('/proc/net/ipv6_route'))

export const readDefaultRoutes = (ipv4: string, ipv6: string): readonly DefaultRoute[] =>
  [...ipv4.split('\n').flatMap(ipv4Route), ...ipv6.split('\n').flatMap(ipv6Route)].sort((a, b) => a.metric - b.metric)

/** Iface Destination Gateway Flags RefCnt Use Metric Mask …, addresses as numbers of the machine's byte order. */
function ipv4Route(line: string): readonly DefaultRoute[] {
  const [name = '', destination, gateway = '', flags = '', , , metric, mask] = line.split(/\s+/)
  if (destination !== '00000000' || mask !== '00000000' || !isByGateway(flags)) return []
  const octets = octetsOf(gateway)
  const address = formatAddress(isLittleEndian ? octets.toReversed() : octets)
  return [{ family: 'ipv4', gateway: address, interface: name, metric: Number(metric) }]
}

/** Destination, length, source, length, gateway, metric, RefCnt, Use, flags, interface: all of hex digits. */
function ipv6Route(line: string): readonly DefaultRoute[] {
  const [destination, length, , , gateway = '', metric = '', , , flags = '', name = ''] = line.trim().split(/\s+/)
  if (destination !== '0'.repeat(32) || length !== '00' || !isByGateway(flags)) return []
  const address = formatAddress(octetsOf(gateway))
  const zone = /^fe[89ab]/.test(address) ? `%${name}` : ''
  return [{ family: 'ipv6', gateway: address + zone, interface: name, metric: Number.parseInt(metric, 16) }]
}

const isByGateway = (hex: string): boolean =>
  (Number.parseInt(hex, 16) & (RTF_UP | RTF_GATEWAY | RTF_REJECT)) === (RTF_UP | RTF_GATEWAY)

const octetsOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

function readTable(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
