// Path attributes of routes that this speaker originates. RFC 4271 section 4.3.
//
//   |  flags (1)  |  type (1)  |  length (1, or 2 if so flagged)  |  value …

import type { LargeCommunity } from './communities.ts'
import { u16, u32 } from './octets.ts'
import { AS_TRANS } from './open.ts'

/** IANA "BGP Path Attributes"; the RFC beside each that is not of RFC 4271. */
export const AttributeType = {
  origin: 1,
  asPath: 2,
  nextHop: 3,
  med: 4,
  localPreference: 5,
  atomicAggregate: 6,
  aggregator: 7,
  /** RFC 1997. */
  communities: 8,
  /** RFC 4456. */
  originatorId: 9,
  /** RFC 4456. */
  clusterList: 10,
  /** RFC 4760. */
  mpReach: 14,
  /** RFC 4760. */
  mpUnreach: 15,
  /** RFC 6793. */
  as4Path: 17,
  /** RFC 6793. */
  as4Aggregator: 18,
  /** RFC 8092. */
  largeCommunities: 32,
  /** RFC 9234. */
  onlyToCustomer: 35,
} as const

/** RFC 4271 section 4.3. */
export const AttributeFlag = { optional: 0x80, transitive: 0x40, partial: 0x20, extendedLength: 0x10 } as const
const { optional, transitive, extendedLength } = AttributeFlag

/** ORIGIN of what comes from configuration. RFC 4271 section 5.1.1. */
const IGP = 0
/** RFC 4271 section 4.3. */
export const AS_SEQUENCE = 2
/** ASes in one segment of a path. */
const MAX_SEGMENT = 255

/** What is said of a route, whoever hears it. */
export interface RouteAttributes {
  /** How often the own AS number stands in the path beyond the once. Only to other ASes. */
  readonly prepend: number
  readonly med: number | undefined
  /** Only inside the AS. */
  readonly localPreference: number | undefined
  /** Each once, ascending. */
  readonly communities: readonly number[]
  /** Each once, ascending. */
  readonly largeCommunities: readonly LargeCommunity[]
}

/** LOCAL_PREF of a route for which nothing else is said, as others have it. */
const USUAL_PREFERENCE = 100

/** Who hears it. */
export interface Audience {
  readonly isInternal: boolean
  readonly localAsn: number
  /** Whether AS numbers have four octets. RFC 6793. */
  readonly fourOctetAs: boolean
  /** Whether routes are not to come back up: RFC 9234 section 5. */
  readonly onlyToCustomer: boolean
}

/** All attributes but those that say where to: NEXT_HOP and MP_REACH_NLRI. */
export function encodeAttributes(attributes: RouteAttributes, audience: Audience): Uint8Array {
  const { med, communities, largeCommunities } = attributes
  const { isInternal, localAsn, fourOctetAs } = audience
  const path = isInternal ? [] : Array<number>(attributes.prepend + 1).fill(localAsn)
  const needsAs4 = !fourOctetAs && path.length > 0 && localAsn > 0xffff
  return Uint8Array.from([
    ...attribute(transitive, AttributeType.origin, [IGP]),
    ...attribute(transitive, AttributeType.asPath, fourOctetAs ? pathOf(path, u32) : pathOf(path, asTwoOctets)),
    ...(med === undefined ? [] : attribute(optional, AttributeType.med, u32(med))),
    ...(isInternal
      ? attribute(transitive, AttributeType.localPreference, u32(attributes.localPreference ?? USUAL_PREFERENCE))
      : []),
    ...(communities.length === 0
      ? []
      : attribute(optional | transitive, AttributeType.communities, communities.flatMap(u32))),
    ...(needsAs4 ? attribute(optional | transitive, AttributeType.as4Path, pathOf(path, u32)) : []),
    ...(largeCommunities.length === 0
      ? []
      : attribute(optional | transitive, AttributeType.largeCommunities, largeCommunities.flat().flatMap(u32))),
    ...(audience.onlyToCustomer && !isInternal
      ? attribute(optional | transitive, AttributeType.onlyToCustomer, u32(localAsn))
      : []),
  ])
}

export const encodeNextHop = (address: Uint8Array): readonly number[] =>
  attribute(transitive, AttributeType.nextHop, [...address])

/** The head of MP_REACH_NLRI or MP_UNREACH_NLRI: its value follows, `length` octets. Their length always has two octets. */
export const multiprotocolHead = (
  type: typeof AttributeType.mpReach | typeof AttributeType.mpUnreach,
  length: number,
): readonly number[] => [optional | extendedLength, type, ...u16(length)]

function attribute(flags: number, type: number, value: readonly number[]): readonly number[] {
  return value.length > 0xff
    ? [flags | extendedLength, type, ...u16(value.length), ...value]
    : [flags, type, value.length, ...value]
}

const asTwoOctets = (asn: number): readonly number[] => u16(asn > 0xffff ? AS_TRANS : asn)

function pathOf(path: readonly number[], octetsOf: (asn: number) => readonly number[]): readonly number[] {
  const octets: number[] = []
  for (let at = 0; at < path.length; at += MAX_SEGMENT) {
    const segment = path.slice(at, at + MAX_SEGMENT)
    octets.push(AS_SEQUENCE, segment.length, ...segment.flatMap(octetsOf))
  }
  return octets
}
