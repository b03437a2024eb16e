// The UPDATE message, written. RFC 4271 section 4.3; MP_REACH_NLRI and MP_UNREACH_NLRI from RFC 4760 sections 3 and 4.
//
//   |  withdrawn length (2)  |  withdrawn prefixes …  |  attributes length (2)  |  attributes …  |  prefixes …
import type { FamilyName } from '../address.ts'
import { AttributeType, encodeNextHop, multiprotocolHead } from './attributes.ts'
import { families } from './family.ts'
import { HEADER_LENGTH, MessageType, message } from './message.ts'
import { u16 } from './octets.ts'
import { encodePrefix, MAX_NLRI_LENGTH, type Prefix } from './prefix.ts'

/** How a family's prefixes stand in a message. */
export interface Carriage {
  readonly family: FamilyName
  /** 4 octets: in the message's own fields, as IPv4 always was. 16 or 32 (with the link-local one): in MP_REACH_NLRI, for
   *  IPv4 as RFC 8950 has it. */
  readonly nextHop: Uint8Array
  /** Octets of the longest message that the peer takes. */
  readonly maxLength: number
}

const isPlain = ({ family, nextHop }: Carriage): boolean => family === 'ipv4' && nextHop.length === 4

/** Both lengths of an UPDATE. */
const LENGTHS = 4
/** Flags, type and length of an attribute. */
const ATTRIBUTE_HEAD = 4
/** AFI and SAFI, behind that head. */
const MP_HEAD = ATTRIBUTE_HEAD + 3

/** As few messages as hold these prefixes, all of the carriage's family; `attributes` as encodeAttributes gives them. */
export function* announce(
  prefixes: readonly Prefix[],
  attributes: Uint8Array,
  carriage: Carriage,
): Generator<Uint8Array> {
  const { nextHop, maxLength } = carriage
  if (isPlain(carriage)) {
    const all = Uint8Array.of(...attributes, ...encodeNextHop(nextHop))
    for (const nlri of packed(prefixes, maxLength - HEADER_LENGTH - LENGTHS - all.length)) {
      yield update(new Uint8Array(), all, nlri)
    }
    return
  }
  // Length of the next hop and one octet that is reserved.
  const fixed = MP_HEAD + nextHop.length + 2
  for (const nlri of packed(prefixes, maxLength - HEADER_LENGTH - LENGTHS - attributes.length - fixed)) {
    const head = [
      ...multiprotocolHead(AttributeType.mpReach, fixed - ATTRIBUTE_HEAD + nlri.length),
      ...familyOctets(carriage),
    ]
    // First of all, so that a peer finds the prefixes whatever else is wrong. RFC 7606 section 5.1.
    const first = Uint8Array.of(...head, nextHop.length, ...nextHop, 0)
    yield update(new Uint8Array(), joined(first, nlri, attributes), new Uint8Array())
  }
}

/** As few messages as withdraw these prefixes. */
export function* withdraw(prefixes: readonly Prefix[], carriage: Carriage): Generator<Uint8Array> {
  const { maxLength } = carriage
  if (isPlain(carriage)) {
    for (const nlri of packed(prefixes, maxLength - HEADER_LENGTH - LENGTHS))
      yield update(nlri, new Uint8Array(), new Uint8Array())
    return
  }
  for (const nlri of packed(prefixes, maxLength - HEADER_LENGTH - LENGTHS - MP_HEAD)) {
    const head = [
      ...multiprotocolHead(AttributeType.mpUnreach, MP_HEAD - ATTRIBUTE_HEAD + nlri.length),
      ...familyOctets(carriage),
    ]
    yield update(new Uint8Array(), joined(Uint8Array.from(head), nlri), new Uint8Array())
  }
}

/** Says that all routes of a family have been sent. RFC 4724 section 2. */
export function endOfRib(family: FamilyName): Uint8Array {
  if (family === 'ipv4') return update(new Uint8Array(), new Uint8Array(), new Uint8Array())
  const attributes = [
    ...multiprotocolHead(AttributeType.mpUnreach, MP_HEAD - ATTRIBUTE_HEAD),
    ...familyOctets({ family }),
  ]
  return update(new Uint8Array(), Uint8Array.from(attributes), new Uint8Array())
}

const familyOctets = ({ family }: Pick<Carriage, 'family'>): readonly number[] => [
  ...u16(families[family].afi),
  families[family].safi,
]

function update(withdrawn: Uint8Array, attributes: Uint8Array, nlri: Uint8Array): Uint8Array {
  const lengths = [Uint8Array.from(u16(withdrawn.length)), Uint8Array.from(u16(attributes.length))] as const
  return message(MessageType.update, joined(lengths[0], withdrawn, lengths[1], attributes, nlri))
}

/** The prefixes' octets in pieces of at most `capacity`. */
function* packed(prefixes: readonly Prefix[], capacity: number): Generator<Uint8Array> {
  const piece = new Uint8Array(capacity + MAX_NLRI_LENGTH)
  let length = 0
  for (const prefix of prefixes) {
    const end = length + encodePrefix(prefix, piece, length)
    if (end > capacity) {
      yield piece.slice(0, length)
      piece.copyWithin(0, length, end)
      length = end - length
    } else length = end
  }
  if (length > 0) yield piece.slice(0, length)
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
