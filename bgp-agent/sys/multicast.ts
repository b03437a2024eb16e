import { setOption } from './libc.ts'

/** Options by level and number. ip(7), ipv6(7). */
const IPPROTO_IP = 0
const IPPROTO_IPV6 = 41
const IP_MULTICAST_TTL = 33
const IP_MULTICAST_LOOP = 34
const IPV6_MULTICAST_HOPS = 18
const IPV6_MULTICAST_LOOP = 19

/** What the socket sends to groups goes no further than the network, and does not come back to this machine. Node sets the options
 *  of IPv4 alone on a socket that it has not made. Throws SystemError. */
export function sendToNetwork(fd: number, isIpv4: boolean): void {
  const level = isIpv4 ? IPPROTO_IP : IPPROTO_IPV6
  setOption(fd, level, isIpv4 ? IP_MULTICAST_TTL : IPV6_MULTICAST_HOPS, 1)
  setOption(fd, level, isIpv4 ? IP_MULTICAST_LOOP : IPV6_MULTICAST_LOOP, 0)
}
