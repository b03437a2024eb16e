import { AF_PACKET, bind, close, SOCK_RAW, socket } from './libc.ts'
import {
  type Instruction,
  IP_HEADER,
  JUMP_IF_EQUAL,
  JUMP_IF_GREATER_OR_EQUAL,
  LOAD_BYTE,
  PACKET_TYPE,
  RETURN,
  setFilter,
  WHOLE,
} from './packet-filter.ts'
import { isLittleEndian } from './socket-address.ts'

/** What a socket hears: ARP, or the neighbor solicitations and advertisements of IPv6. */
export type PacketKind = 'arp' | 'ndp'

/** Where an interface is sent what, by the type of its frames. linux/if_ether.h. */
const protocols: Readonly<Record<PacketKind, number>> = { arp: 0x0806, ndp: 0x86dd }

/** packet(7): for another host. A frame of a VLAN that has no interface here comes as one, too. */
const PACKET_OTHERHOST = 3

const IPPROTO_ICMPV6 = 58
/** RFC 4861 section 7.1: whoever has sent it is on the link. */
const ON_LINK = 255
/** Of next header, hop limit and what is behind the header. RFC 8200 section 3. */
const ipv6 = { nextHeader: 6, hopLimit: 7, payload: 40 } as const
const NEIGHBOR_SOLICITATION = 135
const NEIGHBOR_ADVERTISEMENT = 136

/** What is for others, and what this host sends itself, is dropped in the kernel; so is what else there is of IPv6. */
const filters: Readonly<Record<PacketKind, readonly Instruction[]>> = {
  arp: [
    [LOAD_BYTE, 0, 0, PACKET_TYPE],
    [JUMP_IF_GREATER_OR_EQUAL, 1, 0, PACKET_OTHERHOST],
    [RETURN, 0, 0, WHOLE],
    [RETURN, 0, 0, 0],
  ],
  ndp: [
    [LOAD_BYTE, 0, 0, IP_HEADER + ipv6.nextHeader],
    [JUMP_IF_EQUAL, 0, 8, IPPROTO_ICMPV6],
    [LOAD_BYTE, 0, 0, IP_HEADER + ipv6.hopLimit],
    [JUMP_IF_EQUAL, 0, 6, ON_LINK],
    [LOAD_BYTE, 0, 0, PACKET_TYPE],
    [JUMP_IF_GREATER_OR_EQUAL, 4, 0, PACKET_OTHERHOST],
    [LOAD_BYTE, 0, 0, IP_HEADER + ipv6.payload],
    [JUMP_IF_EQUAL, 1, 0, NEIGHBOR_SOLICITATION],
    [JUMP_IF_EQUAL, 0, 1, NEIGHBOR_ADVERTISEMENT],
    [RETURN, 0, 0, WHOLE],
    [RETURN, 0, 0, 0],
  ],
}

/** A socket that takes and gives whole Ethernet frames of one interface. Throws SystemError. */
export function packetSocket(kind: PacketKind, interfaceIndex: number): number {
  // Of no protocol, so that nothing comes before the filter is there.
  const fd = socket(AF_PACKET, SOCK_RAW, 0)
  try {
    setFilter(fd, filters[kind])
    bind(fd, linkAddress(protocols[kind], interfaceIndex))
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}

/** struct sockaddr_ll: family (2), protocol (2, in the network's order), interface (4), and what binding does not look at. */
function linkAddress(protocol: number, interfaceIndex: number): Uint8Array {
  const bytes = new Uint8Array(20)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, AF_PACKET, isLittleEndian)
  view.setUint16(2, protocol)
  view.setInt32(4, interfaceIndex, isLittleEndian)
  return bytes
}
