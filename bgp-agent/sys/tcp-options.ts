import { AF_INET, AF_INET6, bind, close, SOCK_STREAM, setOption, socket } from './libc.ts'
import { isLittleEndian, type ScopedAddress, socketAddress } from './socket-address.ts'

/** How far packets go, and from how far they may come. */
export interface HopLimits {
  /** TTL or hop limit of what is sent; undefined: the system's. */
  readonly sent: number | undefined
  /** The least that is taken, as RFC 5082 wants it; undefined: any. */
  readonly received: number | undefined
}

/** The largest TTL or hop limit. */
export const MAX_HOPS = 255

/** Options by level and number. tcp(7), ip(7), ipv6(7). */
const IPPROTO_IP = 0
const IPPROTO_TCP = 6
const IPPROTO_IPV6 = 41
const IP_TTL = 2
const IP_MINTTL = 21
const IPV6_UNICAST_HOPS = 16
const IPV6_MINHOPCOUNT = 73
const TCP_MD5SIG = 14
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_BINDTODEVICE = 25

/** The longest key. linux/tcp.h, TCP_MD5SIG_MAXKEYLEN. */
export const MAX_KEY_LENGTH = 80

/** A socket of TCP that can be connected, bound to an address of its own where one is given. Throws SystemError. */
export function tcpSocket(isIpv4: boolean, local: ScopedAddress | undefined, device: string | undefined): number {
  const fd = socket(isIpv4 ? AF_INET : AF_INET6, SOCK_STREAM, 0)
  try {
    setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1)
    if (device !== undefined) setOption(fd, SOL_SOCKET, SO_BINDTODEVICE, new TextEncoder().encode(`${device}\0`))
    if (local !== undefined) bind(fd, socketAddress(local, 0))
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}

/** Throws SystemError. */
export function setHopLimits(fd: number, isIpv4: boolean, { sent, received }: HopLimits): void {
  const level = isIpv4 ? IPPROTO_IP : IPPROTO_IPV6
  if (sent !== undefined) setOption(fd, level, isIpv4 ? IP_TTL : IPV6_UNICAST_HOPS, sent)
  if (received !== undefined) setOption(fd, level, isIpv4 ? IP_MINTTL : IPV6_MINHOPCOUNT, received)
}

/** Segments from and to `peer` carry a digest by `key` from here on, also on a connection that stands; an empty key: none any
 *  more. RFC 2385; struct tcp_md5sig of linux/tcp.h. Throws SystemError. */
export function setMd5Key(fd: number, peer: ScopedAddress, key: Uint8Array): void {
  if (key.length > MAX_KEY_LENGTH) throw new RangeError(`a key of ${key.length} octets, where ${MAX_KEY_LENGTH} fit`)
  const bytes = new Uint8Array(216)
  bytes.set(socketAddress(peer, 0))
  const view = new DataView(bytes.buffer)
  // Behind a sockaddr_storage of 128 octets: flags, prefix length, key length, interface, key.
  view.setUint16(130, key.length, isLittleEndian)
  bytes.set(key, 136)
  setOption(fd, IPPROTO_TCP, TCP_MD5SIG, bytes)
}

/** A peer's address as a socket of both families has it: an IPv4 one stands inside IPv6. */
export function insideIpv6({ octets, scope }: ScopedAddress): ScopedAddress {
  if (octets.length === 16) return { octets, scope }
  return { octets: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...octets), scope }
}
