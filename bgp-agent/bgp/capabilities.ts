import type { FamilyName } from '../address.ts'
import { families, familyOf } from './family.ts'
import { Octets, u16, u32 } from './octets.ts'

/** Capability codes. IANA "Capability Codes"; the RFC beside each. */
const Code = {
  /** RFC 4760 section 8. */
  multiprotocol: 1,
  /** RFC 2918 section 2. */
  routeRefresh: 2,
  /** RFC 8950 section 4. */
  extendedNextHop: 5,
  /** RFC 8654 section 3. */
  extendedMessage: 6,
  /** RFC 9234 section 4.1. */
  role: 9,
  /** RFC 4724 section 3. */
  gracefulRestart: 64,
  /** RFC 6793 section 3. */
  fourOctetAs: 65,
  /** RFC 7313 section 3.1. */
  enhancedRouteRefresh: 70,
} as const

/** What a speaker says it can do. */
export interface Capabilities {
  readonly families: readonly FamilyName[]
  readonly fourOctetAs: number | undefined
  readonly routeRefresh: boolean
  readonly enhancedRouteRefresh: boolean
  readonly extendedMessage: boolean
  /** IPv4 routes with IPv6 next hops. */
  readonly extendedNextHop: boolean
  readonly gracefulRestart: GracefulRestart | undefined
  /** 0 provider, 1 route server, 2 its client, 3 customer, 4 peer. RFC 9234 section 4.1. */
  readonly role: number | undefined
}

/** RFC 4724 section 3; the N bit from RFC 8538 section 2. */
export interface GracefulRestart {
  /** The R bit: the speaker has restarted, so nobody is to wait for its End-of-RIB. */
  readonly isRestarting: boolean
  /** The N bit: a NOTIFICATION is no reason to drop its routes. */
  readonly survivesNotification: boolean
  /** Seconds, at most 4095, until it is back. */
  readonly time: number
  /** Families whose forwarding state outlives the restart. */
  readonly forwarding: readonly FamilyName[]
  readonly families: readonly FamilyName[]
}

export function encodeCapabilities(capabilities: Capabilities): Uint8Array {
  const { fourOctetAs, gracefulRestart, role } = capabilities
  return Uint8Array.from([
    ...encodeFamilies(capabilities.families),
    ...(capabilities.routeRefresh ? tlv(Code.routeRefresh, []) : []),
    ...(capabilities.enhancedRouteRefresh ? tlv(Code.enhancedRouteRefresh, []) : []),
    ...(capabilities.extendedMessage ? tlv(Code.extendedMessage, []) : []),
    // IPv4 unicast by the address family of IPv6.
    ...(capabilities.extendedNextHop ? tlv(Code.extendedNextHop, [...u16(1), ...u16(1), ...u16(2)]) : []),
    ...(gracefulRestart === undefined ? [] : tlv(Code.gracefulRestart, restartOctets(gracefulRestart))),
    ...(role === undefined ? [] : tlv(Code.role, [role])),
    ...(fourOctetAs === undefined ? [] : tlv(Code.fourOctetAs, u32(fourOctetAs))),
  ])
}

/** The multiprotocol capability of each. */
export const encodeFamilies = (names: readonly FamilyName[]): Uint8Array =>
  Uint8Array.from(names.flatMap((name) => tlv(Code.multiprotocol, [...afi(name), 0, families[name].safi])))

const tlv = (code: number, value: readonly number[]): readonly number[] => [code, value.length, ...value]
const afi = (family: FamilyName): readonly number[] => u16(families[family].afi)

function restartOctets(restart: GracefulRestart): readonly number[] {
  const flags = (restart.isRestarting ? 0x8000 : 0) | (restart.survivesNotification ? 0x4000 : 0)
  return [
    ...u16(flags | restart.time),
    ...restart.families.flatMap((family) => [
      ...afi(family),
      families[family].safi,
      restart.forwarding.includes(family) ? 0x80 : 0,
    ]),
  ]
}

type Draft = { -readonly [K in keyof Capabilities]: Capabilities[K] }

/** Unknown capabilities are passed over, as are known ones of a length that they cannot have. Who says nothing of families
 *  speaks IPv4 (RFC 4760 section 8); who names only others than ours speaks none of them. Throws ShortError. */
export function decodeCapabilities(bytes: Uint8Array): Capabilities {
  const found = new Set<FamilyName>()
  const draft: Draft = {
    families: [],
    fourOctetAs: undefined,
    routeRefresh: false,
    enhancedRouteRefresh: false,
    extendedMessage: false,
    extendedNextHop: false,
    gracefulRestart: undefined,
    role: undefined,
  }
  const octets = new Octets(bytes)
  let namesFamilies = false
  while (octets.left > 0) {
    const code = octets.u8()
    namesFamilies ||= code === Code.multiprotocol
    decodeOne(code, octets.take(octets.u8()), draft, found)
  }
  return { ...draft, families: namesFamilies ? [...found] : ['ipv4'] }
}

function decodeOne(code: number, value: Uint8Array, draft: Draft, found: Set<FamilyName>): void {
  const octets = new Octets(value)
  switch (code) {
    case Code.multiprotocol: {
      if (value.length !== 4) return
      const family = familyOf(octets.u16(), octets.u16() & 0xff)
      if (family !== undefined) found.add(family)
      return
    }
    case Code.routeRefresh:
      draft.routeRefresh = true
      return
    case Code.enhancedRouteRefresh:
      draft.enhancedRouteRefresh = true
      return
    case Code.extendedMessage:
      draft.extendedMessage = true
      return
    case Code.extendedNextHop:
      while (octets.left >= 6) {
        const family = familyOf(octets.u16(), octets.u16())
        if (octets.u16() === families.ipv6.afi && family === 'ipv4') draft.extendedNextHop = true
      }
      return
    case Code.role:
      if (value.length === 1) draft.role = octets.u8()
      return
    case Code.fourOctetAs:
      if (value.length === 4) draft.fourOctetAs = octets.u32()
      return
    case Code.gracefulRestart:
      if (value.length >= 2) draft.gracefulRestart = decodeRestart(octets)
  }
}

function decodeRestart(octets: Octets): GracefulRestart {
  const flags = octets.u16()
  const all: FamilyName[] = []
  const forwarding: FamilyName[] = []
  while (octets.left >= 4) {
    const family = familyOf(octets.u16(), octets.u8())
    const isForwarding = (octets.u8() & 0x80) !== 0
    if (family === undefined) continue
    all.push(family)
    if (isForwarding) forwarding.push(family)
  }
  return {
    isRestarting: (flags & 0x8000) !== 0,
    survivesNotification: (flags & 0x4000) !== 0,
    time: flags & 0x0fff,
    forwarding,
    families: all,
  }
}
