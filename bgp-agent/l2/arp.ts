// ARP for IPv4 on Ethernet. RFC 826.
//
//   |  hardware type (2)  |  protocol type (2)  |  hardware length (1)  |  protocol length (1)  |  operation (2)  |
//   |  sender's MAC (6)   |  sender's address (4)  |  target's MAC (6)  |  target's address (4)                   |

export const ArpOperation = { request: 1, reply: 2 } as const
export type ArpOperation = (typeof ArpOperation)[keyof typeof ArpOperation]

export interface ArpPacket {
  readonly operation: ArpOperation
  /** Six octets. */
  readonly senderMac: Uint8Array
  /** Four octets; all zero: the sender has none yet, and asks whether it may have the target's. RFC 5227 section 1.1. */
  readonly senderAddress: Uint8Array
  /** Six octets; of no meaning in a request. */
  readonly targetMac: Uint8Array
  /** Four octets. */
  readonly targetAddress: Uint8Array
}

/** Why a packet is dropped. */
export type ArpDiscard = 'cut off' | 'not IPv4 on Ethernet' | 'operation'

/** Hardware type, protocol type and lengths of all that is read and written. */
const kind = Uint8Array.of(0, 1, 8, 0, 6, 4)
const LENGTH = 28

const noMac = new Uint8Array(6)
const noAddress = new Uint8Array(4)

/** What a packet says, or why nobody may believe it. There may be octets behind it. */
export function decodeArp(bytes: Uint8Array): ArpPacket | ArpDiscard {
  if (bytes.length < LENGTH) return 'cut off'
  for (let i = 0; i < kind.length; i++) if (bytes[i] !== kind[i]) return 'not IPv4 on Ethernet'
  const operation = bytes[6] === 0 ? bytes[7] : undefined
  if (operation !== ArpOperation.request && operation !== ArpOperation.reply) return 'operation'
  return {
    operation,
    senderMac: bytes.subarray(8, 14),
    senderAddress: bytes.subarray(14, 18),
    targetMac: bytes.subarray(18, 24),
    targetAddress: bytes.subarray(24, 28),
  }
}

export function encodeArp({ operation, senderMac, senderAddress, targetMac, targetAddress }: ArpPacket): Uint8Array {
  const bytes = new Uint8Array(LENGTH)
  bytes.set(kind)
  bytes[7] = operation
  bytes.set(senderMac, 8)
  bytes.set(senderAddress, 14)
  bytes.set(targetMac, 18)
  bytes.set(targetAddress, 24)
  return bytes
}

export const isArpProbe = ({ senderAddress }: ArpPacket): boolean => senderAddress.every((octet) => octet === 0)

/** Asks whether anybody has the address. RFC 5227 section 2.1.1. */
export const arpProbe = (mac: Uint8Array, address: Uint8Array): ArpPacket => ({
  operation: ArpOperation.request,
  senderMac: mac,
  senderAddress: noAddress,
  targetMac: noMac,
  targetAddress: address,
})

/** Tells all who has the address: as a request, which RFC 5227 section 2.3 wants, and as a reply, since there are hosts that take
 *  only one of them. RFC 5944 section 4.6 has both. */
export const arpAnnouncements = (mac: Uint8Array, address: Uint8Array): readonly ArpPacket[] => [
  {
    operation: ArpOperation.request,
    senderMac: mac,
    senderAddress: address,
    targetMac: noMac,
    targetAddress: address,
  },
  { operation: ArpOperation.reply, senderMac: mac, senderAddress: address, targetMac: mac, targetAddress: address },
]

/** Answers a request with the MAC of its target. */
export const arpReply = (mac: Uint8Array, request: ArpPacket): ArpPacket => ({
  operation: ArpOperation.reply,
  senderMac: mac,
  senderAddress: request.targetAddress,
  targetMac: request.senderMac,
  targetAddress: request.senderAddress,
})
