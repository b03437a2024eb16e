import { isIPv4, isIPv6, SocketAddress } from 'node:net'

// What a load balancer writes before a client's first byte, to say who the client is: HAProxy's PROXY protocol.
//
//   version 1   "PROXY TCP4 <source> <destination> <source port> <destination port>\r\n", TCP6 or UNKNOWN in place of TCP4
//   version 2   signature (12) | version 2 (4 bits), command (4 bits) | family (4 bits), transport (4 bits) | length (2) |
//               addresses and ports | TLVs: type (1), length (2), value

export type ProxyVerdict =
  | {
      readonly type: 'header'
      /** Bytes; the client's own begin behind them. */
      readonly length: number
      /** undefined where the header leaves it to the connection: LOCAL, UNKNOWN, or an address that is not of IP. */
      readonly source: ProxySource | undefined
    }
  | { readonly type: 'fault'; readonly why: string }

export interface ProxySource {
  /** As the kernel writes addresses; of an IPv4 address within IPv6 only that. */
  readonly address: string
  readonly port: number
}

/** Bytes of a header of version 1, "\r\n" and all. Section 2.1. */
const longestLine = 107
/** Bytes of a header of version 2; 65,551 are possible. What they have above some 550 is TLVs, up to a client's certificate. */
const longestHeader = 8_192

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const fixedPart = signature.length + 4

/** Reads the header at the beginning of `bytes`, which is everything since the connection began. undefined: more is needed. */
export function readProxyHeader(bytes: Buffer): ProxyVerdict | undefined {
  if (beginsWith(bytes, signature)) return bytes.length < fixedPart ? undefined : readBinary(bytes)
  if (beginsWith(bytes, line)) return readLine(bytes)
  return fault('no PROXY header')
}

const line = Buffer.from('PROXY ')

/** Whether the two agree as far as both go. */
const beginsWith = (bytes: Buffer, expected: Buffer): boolean => {
  const length = Math.min(bytes.length, expected.length)
  return bytes.compare(expected, 0, length, 0, length) === 0
}

const fault = (why: string): ProxyVerdict => ({ type: 'fault', why })

/** Section 2.1. */
function readLine(bytes: Buffer): ProxyVerdict | undefined {
  const end = bytes.subarray(0, longestLine).indexOf('\r\n')
  if (end === -1) return bytes.length < longestLine ? undefined : fault('a line that does not end')
  const length = end + 2
  const [, family, source = '', destination = '', port = '', destinationPort = '', ...more] = bytes
    .toString('latin1', 0, end)
    .split(' ')
  // What follows UNKNOWN is not to be looked at.
  if (family === 'UNKNOWN') return { type: 'header', length, source: undefined }
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : undefined
  if (isAddress === undefined) return fault('an unknown family')
  if (!isAddress(source) || !isAddress(destination)) return fault('an address that is none')
  if (!isPort(port) || !isPort(destinationPort) || more.length > 0) return fault('ports that are none')
  return { type: 'header', length, source: { address: canonicalAddress(source), port: Number(port) } }
}

/** An address on the wire has no zone. */
const isPlainIPv6 = (address: string): boolean => isIPv6(address) && !address.includes('%')

const isPort = (text: string): boolean => /^(0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65_535

const Command = { local: 0, proxy: 1 } as const
/** Family in the upper four bits, transport in the lower. */
const Family = { unspecified: 0x00, tcpOverIPv4: 0x11, tcpOverIPv6: 0x21, unixStream: 0x31 } as const
const addressesLength: Readonly<Record<number, number>> = {
  [Family.unspecified]: 0,
  [Family.tcpOverIPv4]: 12,
  [Family.tcpOverIPv6]: 36,
  [Family.unixStream]: 216,
}

/** Section 2.2. */
function readBinary(bytes: Buffer): ProxyVerdict | undefined {
  const command = bytes.readUInt8(signature.length)
  const family = bytes.readUInt8(signature.length + 1)
  const length = fixedPart + bytes.readUInt16BE(signature.length + 2)
  if (command >> 4 !== 2) return fault('an unknown version')
  if (length > longestHeader) return fault(`a header of ${length} bytes`)
  if (bytes.length < length) return undefined
  const rest = bytes.subarray(fixedPart, length)
  switch (command & 0x0f) {
    case Command.local:
      // Whatever stands here is to be discarded: the balancer speaks for itself, to see whether anyone listens.
      return { type: 'header', length, source: undefined }
    case Command.proxy: {
      const addresses = addressesLength[family]
      if (addresses === undefined) return fault('an unknown family')
      if (rest.length < addresses) return fault('too short for its addresses')
      // What follows an unspecified family is not to be looked at.
      if (family !== Family.unspecified && !isListOfValues(rest.subarray(addresses))) return fault('malformed TLVs')
      return { type: 'header', length, source: binarySource(family, rest) }
    }
    default:
      return fault('an unknown command')
  }
}

/** Section 2.2.1: type (1), length (2), value, and again. */
function isListOfValues(bytes: Buffer): boolean {
  let at = 0
  while (at + 3 <= bytes.length) at += 3 + bytes.readUInt16BE(at + 1)
  return at === bytes.length
}

/** Source address, destination address, source port, destination port. */
function binarySource(family: number, bytes: Buffer): ProxySource | undefined {
  if (family === Family.tcpOverIPv4) return { address: bytes.subarray(0, 4).join('.'), port: bytes.readUInt16BE(8) }
  if (family !== Family.tcpOverIPv6) return undefined
  const groups = Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(group * 2).toString(16))
  return { address: canonicalAddress(groups.join(':')), port: bytes.readUInt16BE(32) }
}

/** An IP address in the one form that the kernel gives it, RFC 5952. */
function canonicalAddress(address: string): string {
  return isIPv4(address) ? address : unmapped(new SocketAddress({ address, family: 'ipv6' }).address)
}

/** Of an IPv4 address within IPv6, as the kernel writes it, only that. RFC 4291 section 2.5.5.2. */
export function unmapped(address: string): string {
  const inner = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : ''
  return isIPv4(inner) ? inner : address
}
