// The Ethernet II header.
//
//   |  destination (6)  |  source (6)  |  type (2)  |  payload …  |

export interface EthernetFrame {
  /** Six octets. */
  readonly destination: Uint8Array
  /** Six octets. */
  readonly source: Uint8Array
  readonly etherType: number
  /** With what a short frame is filled up by. */
  readonly payload: Uint8Array
}

/** IEEE 802 numbers. */
export const EtherType = { arp: 0x0806, ipv6: 0x86dd } as const

export const broadcast = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff)

const HEADER = 14

/** undefined: cut off. */
export function decodeEthernet(bytes: Uint8Array): EthernetFrame | undefined {
  if (bytes.length < HEADER) return undefined
  return {
    destination: bytes.subarray(0, 6),
    source: bytes.subarray(6, 12),
    etherType: ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0),
    payload: bytes.subarray(HEADER),
  }
}

export function encodeEthernet({ destination, source, etherType, payload }: EthernetFrame): Uint8Array {
  const bytes = new Uint8Array(HEADER + payload.length)
  bytes.set(destination)
  bytes.set(source, 6)
  bytes[12] = etherType >>> 8
  bytes[13] = etherType & 0xff
  bytes.set(payload, HEADER)
  return bytes
}

/** Where frames to a group of IPv6 go. RFC 2464 section 7. */
export const groupMac = (group: Uint8Array): Uint8Array => Uint8Array.of(0x33, 0x33, ...group.subarray(12, 16))

/** Whether one host can be reached by it. */
export const isUnicastMac = (mac: Uint8Array): boolean =>
  mac.length === 6 && ((mac[0] ?? 0) & 1) === 0 && mac.some((octet) => octet !== 0)

/** 02:00:00:00:00:01. */
export const formatMac = (mac: Uint8Array): string =>
  Array.from(mac, (octet) => octet.toString(16).padStart(2, '0')).join(':')
