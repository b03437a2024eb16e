// Neighbor solicitations and advertisements, with the IPv6 header before them. RFC 4861 sections 4.3, 4.4 and 4.6.1.
//
//   |  version (4 bits), class (8), flow (20)  |  payload length (2)  |  next header (1)  |  hop limit (1)  |
//   |  source (16)                             |  destination (16)                                          |
//   |  type (1)  |  code (1)  |  checksum (2)  |  flags R S O, reserved (4)  |  target (16)  |  options …    |
//
// An option:
//
//   |  type (1)  |  length in units of eight octets (1)  |  value …  |

export interface NeighborMessage {
  readonly kind: 'solicitation' | 'advertisement'
  /** 16 octets; all zero, in a solicitation: the sender asks whether it may have the target. RFC 4862 section 5.4.2. */
  readonly source: Uint8Array
  /** 16 octets. */
  readonly destination: Uint8Array
  /** 16 octets. */
  readonly target: Uint8Array
  /** Of a solicitation's source, or of an advertisement's target; six octets. */
  readonly mac: Uint8Array | undefined
  /** Of an advertisement: R, S and O. */
  readonly flags: NeighborFlags
}

export interface NeighborFlags {
  readonly isRouter: boolean
  /** It answers a solicitation that somebody with an address has sent. */
  readonly isSolicited: boolean
  /** What the receiver knows otherwise is to be replaced. */
  readonly isOverride: boolean
}

/** Why a packet is dropped. RFC 4861 sections 7.1.1 and 7.1.2. */
export type NdpDiscard =
  | 'cut off'
  | 'not ICMPv6'
  | 'hop limit'
  | 'checksum'
  | 'type'
  | 'code'
  | 'group as source'
  | 'group as target'
  | 'option'
  | 'unspecified source'
  | 'solicited by a group'

const HEADER = 40
/** Of a message without options. */
const FIXED = 24
const IPPROTO_ICMPV6 = 58
/** RFC 4861 section 7.1: whoever has sent it is on the link. */
const HOP_LIMIT = 255
const types = { solicitation: 135, advertisement: 136 } as const
const options = { solicitation: 1, advertisement: 2 } as const

const ROUTER = 0x80
const SOLICITED = 0x40
const OVERRIDE = 0x20

const noFlags: NeighborFlags = { isRouter: false, isSolicited: false, isOverride: false }

export const unspecified = new Uint8Array(16)
/** ff02::1. RFC 4291 section 2.7.1. */
export const allNodes = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)

/** The group in which an address is asked for. RFC 4291 section 2.7.1. */
export const solicitedNodeGroup = (address: Uint8Array): Uint8Array =>
  Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, ...address.subarray(13, 16))

export const isUnspecified = (address: Uint8Array): boolean => address.every((octet) => octet === 0)

const isGroup = (address: Uint8Array): boolean => address[0] === 0xff

/** What a packet says, or why nobody may believe it. There may be octets behind it. */
export function decodeNeighbor(bytes: Uint8Array): NeighborMessage | NdpDiscard {
  if (bytes.length < HEADER + FIXED) return 'cut off'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  // An extension header is no reason to look further: nobody sends one here, and RFC 6980 forbids fragments.
  if (view.getUint8(0) >>> 4 !== 6 || view.getUint8(6) !== IPPROTO_ICMPV6) return 'not ICMPv6'
  if (view.getUint8(7) !== HOP_LIMIT) return 'hop limit'
  const length = view.getUint16(4)
  if (length < FIXED || HEADER + length > bytes.length) return 'cut off'
  const packet = bytes.subarray(0, HEADER + length)
  if (checksumOf(packet) !== 0) return 'checksum'
  const kind = kindOf(view.getUint8(HEADER))
  if (kind === undefined) return 'type'
  if (view.getUint8(HEADER + 1) !== 0) return 'code'
  const [source, destination, target] = [packet.subarray(8, 24), packet.subarray(24, 40), packet.subarray(48, 64)]
  // RFC 4291 section 2.7: nobody is one.
  if (isGroup(source)) return 'group as source'
  if (isGroup(target)) return 'group as target'
  const mac = linkLayerAddress(packet.subarray(HEADER + FIXED), options[kind])
  if (mac === 'option') return 'option'
  const message = { kind, source, destination, target, mac } as const
  if (kind === 'solicitation') {
    const isProper = mac === undefined && isSolicitedNodeGroup(destination)
    return isUnspecified(source) && !isProper ? 'unspecified source' : { ...message, flags: noFlags }
  }
  const flags = view.getUint8(HEADER + 4)
  const isSolicited = (flags & SOLICITED) !== 0
  if (isSolicited && isGroup(destination)) return 'solicited by a group'
  return {
    ...message,
    flags: { isRouter: (flags & ROUTER) !== 0, isSolicited, isOverride: (flags & OVERRIDE) !== 0 },
  }
}

export function encodeNeighbor({ kind, source, destination, target, mac, flags }: NeighborMessage): Uint8Array {
  const length = FIXED + (mac === undefined ? 0 : 8)
  const bytes = new Uint8Array(HEADER + length)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, 6 << 4)
  view.setUint16(4, length)
  view.setUint8(6, IPPROTO_ICMPV6)
  view.setUint8(7, HOP_LIMIT)
  bytes.set(source, 8)
  bytes.set(destination, 24)
  view.setUint8(HEADER, types[kind])
  const { isRouter, isSolicited, isOverride } = flags
  view.setUint8(HEADER + 4, (isRouter ? ROUTER : 0) | (isSolicited ? SOLICITED : 0) | (isOverride ? OVERRIDE : 0))
  bytes.set(target, HEADER + 8)
  if (mac !== undefined) {
    bytes.set([options[kind], 1], HEADER + FIXED)
    bytes.set(mac, HEADER + FIXED + 2)
  }
  view.setUint16(HEADER + 2, checksumOf(bytes))
  return bytes
}

/** Asks whether anybody has the address. RFC 4862 section 5.4.2. */
export const neighborProbe = (address: Uint8Array): NeighborMessage => ({
  kind: 'solicitation',
  source: unspecified,
  destination: solicitedNodeGroup(address),
  target: address,
  mac: undefined,
  flags: noFlags,
})

/** Tells all who has the address. RFC 4861 section 7.2.6. */
export const neighborAnnouncement = (mac: Uint8Array, address: Uint8Array): NeighborMessage => ({
  kind: 'advertisement',
  source: address,
  destination: allNodes,
  target: address,
  mac,
  flags: { isRouter: false, isSolicited: false, isOverride: true },
})

/** Answers whoever asks, and all when it has no address yet. RFC 4861 section 7.2.4. It is no router's: nobody routes by the
 *  address, whatever else the node does. */
export function neighborAnswer(mac: Uint8Array, { source, target }: NeighborMessage): NeighborMessage {
  if (isUnspecified(source)) return neighborAnnouncement(mac, target)
  return {
    kind: 'advertisement',
    source: target,
    destination: source,
    target,
    mac,
    flags: { isRouter: false, isSolicited: true, isOverride: true },
  }
}

function kindOf(type: number): NeighborMessage['kind'] | undefined {
  if (type === types.solicitation) return 'solicitation'
  return type === types.advertisement ? 'advertisement' : undefined
}

/** The value of the first option of that type; 'option': one has no length, or more than there is. */
function linkLayerAddress(bytes: Uint8Array, wanted: number): Uint8Array | 'option' | undefined {
  let found: Uint8Array | undefined
  for (let at = 0; at < bytes.length; ) {
    const length = 8 * (bytes[at + 1] ?? 0)
    if (length === 0 || at + length > bytes.length) return 'option'
    if (bytes[at] === wanted && length === 8) found ??= bytes.subarray(at + 2, at + 8)
    at += length
  }
  return found
}

const isSolicitedNodeGroup = (address: Uint8Array): boolean =>
  solicitedNodeGroup(address).every((octet, i) => octet === address[i])

/** Over the addresses, the length, the next header and the message: RFC 8200 section 8.1. 0 for a packet that has its checksum. */
function checksumOf(packet: Uint8Array): number {
  let sum = packet.length - HEADER + IPPROTO_ICMPV6
  for (let i = 8; i < packet.length; i += 2) sum += ((packet[i] ?? 0) << 8) | (packet[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
