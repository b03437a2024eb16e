// The OPEN message. RFC 4271 section 4.2.
//
//   |  version (1)  |  my AS (2)  |  hold time (2)  |  identifier (4)  |  length (1)  |  optional parameters …
import { formatAddress } from '../address.ts'
import { type Capabilities, decodeCapabilities, encodeCapabilities } from './capabilities.ts'
import { BgpError, ErrorCode, OpenError } from './error.ts'
import { MessageType, message } from './message.ts'
import { Octets, ShortError, u16 } from './octets.ts'

/** What the two-octet field says when the AS number needs four. RFC 6793 section 9. */
export const AS_TRANS = 23456

const VERSION = 4
/** Parameter type of capabilities. RFC 5492 section 4. */
const CAPABILITIES = 2
/** Says that lengths have two octets. RFC 9072 section 2. */
const EXTENDED_LENGTH = 255

export interface Open {
  readonly asn: number
  /** Seconds; 0: for ever. */
  readonly holdTime: number
  /** As an IPv4 address. */
  readonly identifier: string
  readonly capabilities: Capabilities
}

/** `capabilities` go into one parameter. `identifier` has four octets. */
export function encodeOpen(
  asn: number,
  holdTime: number,
  identifier: Uint8Array,
  capabilities: Capabilities,
): Uint8Array {
  const value = encodeCapabilities(capabilities)
  const parameter = value.length === 0 ? [] : [CAPABILITIES, value.length, ...value]
  const shortAsn = asn > 0xffff ? AS_TRANS : asn
  return message(MessageType.open, [
    VERSION,
    ...u16(shortAsn),
    ...u16(holdTime),
    ...identifier,
    parameter.length,
    ...parameter,
  ])
}

/** Throws BgpError. */
export function decodeOpen(body: Uint8Array): Open {
  const octets = new Octets(body)
  const version = octets.u8()
  if (version !== VERSION)
    throw new BgpError(
      ErrorCode.open,
      OpenError.unsupportedVersion,
      `BGP version ${version}`,
      Uint8Array.of(0, VERSION),
    )
  const shortAsn = octets.u16()
  const holdTime = octets.u16()
  if (holdTime === 1 || holdTime === 2)
    throw new BgpError(ErrorCode.open, OpenError.unacceptableHoldTime, `unacceptable hold time ${holdTime} s`)
  const identifier = octets.take(4)
  if (identifier.every((octet) => octet === 0))
    throw new BgpError(ErrorCode.open, OpenError.badIdentifier, 'the BGP identifier is 0.0.0.0')
  const capabilities = decodeParameters(octets)
  const asn = capabilities.fourOctetAs ?? shortAsn
  if (asn === 0) throw new BgpError(ErrorCode.open, OpenError.badPeerAs, 'the AS number is 0')
  return { asn, holdTime, identifier: formatAddress(identifier), capabilities }
}

/** The capabilities of all parameters that have some. */
function decodeParameters(octets: Octets): Capabilities {
  try {
    const short = octets.u8()
    const first = octets.left > 0 && short === EXTENDED_LENGTH ? octets.u8() : undefined
    const isExtended = first === EXTENDED_LENGTH
    if (first !== undefined && !isExtended) throw new ShortError('255 octets of parameters')
    const length = isExtended ? octets.u16() : short
    const parameters = new Octets(octets.take(length))
    if (octets.left > 0) throw new ShortError(`${octets.left} octets behind the parameters`)
    const values: number[] = []
    while (parameters.left > 0) {
      const type = parameters.u8()
      const value = parameters.take(isExtended ? parameters.u16() : parameters.u8())
      if (type !== CAPABILITIES)
        throw new BgpError(ErrorCode.open, OpenError.unsupportedParameter, `optional parameter ${type}`)
      values.push(...value)
    }
    return decodeCapabilities(Uint8Array.from(values))
  } catch (error) {
    if (!(error instanceof ShortError)) throw error
    throw new BgpError(ErrorCode.open, OpenError.unspecific, `malformed optional parameters: ${error.message}`)
  }
}
