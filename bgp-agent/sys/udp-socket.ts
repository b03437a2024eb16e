import { AF_INET, AF_INET6, bind, close, SOCK_DGRAM, setOption, socket } from './libc.ts'
import { type ScopedAddress, socketAddress } from './socket-address.ts'

/** Where a socket of UDP is. */
export interface UdpPlace {
  readonly isIpv4: boolean
  /** undefined: any. */
  readonly local: ScopedAddress | undefined
  readonly port: number
  /** The interface that all packets come and go by; undefined: any. */
  readonly device: string | undefined
  /** The same by its index; 0: any. */
  readonly scope: number
}

/** Options by level and number. ip(7), ipv6(7), socket(7). */
const IPPROTO_IP = 0
const IPPROTO_IPV6 = 41
const IP_TOS = 1
const IP_TTL = 2
const IPV6_UNICAST_HOPS = 16
const IPV6_V6ONLY = 26
const IPV6_TCLASS = 67
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_BINDTODEVICE = 25
const SO_BINDTOIFINDEX = 62

/** Class selector 6, network control. RFC 4594 section 3.1. */
const NETWORK_CONTROL = 0xc0

/** A bound socket of UDP whose packets leave with a TTL of 255. `prepare` comes before any packet does. Throws SystemError. */
export function udpSocket(
  { isIpv4, local, port, device, scope }: UdpPlace,
  isShared: boolean,
  prepare: (fd: number) => void,
): number {
  const fd = socket(isIpv4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0)
  try {
    if (isShared) setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1)
    if (!isIpv4) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)
    if (device !== undefined) setOption(fd, SOL_SOCKET, SO_BINDTODEVICE, new TextEncoder().encode(`${device}\0`))
    else if (scope !== 0) setOption(fd, SOL_SOCKET, SO_BINDTOIFINDEX, scope)
    const level = isIpv4 ? IPPROTO_IP : IPPROTO_IPV6
    setOption(fd, level, isIpv4 ? IP_TTL : IPV6_UNICAST_HOPS, 255)
    setOption(fd, level, isIpv4 ? IP_TOS : IPV6_TCLASS, NETWORK_CONTROL)
    prepare(fd)
    bind(fd, socketAddress(local ?? { octets: new Uint8Array(isIpv4 ? 4 : 16), scope: 0 }, port))
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}
