import { type FamilyName, parseAddress } from '../address.ts'
import { type Capabilities, encodeFamilies, type GracefulRestart } from './capabilities.ts'
import { BgpError, ErrorCode, OpenError } from './error.ts'
import type { Open } from './open.ts'

/** What this side brings to a session. */
export interface Local {
  readonly asn: number
  /** As an IPv4 address. */
  readonly identifier: string
  /** Seconds; 0: for ever. */
  readonly holdTime: number
  readonly keepaliveTime: number
  readonly capabilities: Capabilities
  /** 0: whatever the peer says. */
  readonly peerAsn: number
}

/** What both sides of a session agree on. */
export interface Negotiated {
  readonly peerAsn: number
  readonly peerIdentifier: string
  readonly isInternal: boolean
  /** Seconds; 0: none is kept. RFC 4271 section 4.2. */
  readonly holdTime: number
  /** Seconds; 0: none are sent. */
  readonly keepaliveTime: number
  readonly families: readonly FamilyName[]
  readonly fourOctetAs: boolean
  readonly extendedMessage: boolean
  readonly extendedNextHop: boolean
  readonly enhancedRouteRefresh: boolean
  /** As the peer offers it, where this side does, too. */
  readonly gracefulRestart: GracefulRestart | undefined
}

/** Which role the peer has to have beside each. RFC 9234 section 4.2. */
const oppositeRole: readonly number[] = [3, 2, 1, 0, 4]

/** Throws BgpError for a peer that there can be no session with. RFC 4271 section 6.2. */
export function negotiate(local: Local, open: Open): Negotiated {
  const { capabilities: ours } = local
  const { capabilities: theirs } = open
  if (local.peerAsn !== 0 && open.asn !== local.peerAsn)
    throw new BgpError(ErrorCode.open, OpenError.badPeerAs, `the peer is of AS ${open.asn}, not ${local.peerAsn}`)
  const isInternal = open.asn === local.asn
  // RFC 6286 section 2.2: only inside an AS they have to differ.
  if (isInternal && open.identifier === local.identifier)
    throw new BgpError(
      ErrorCode.open,
      OpenError.badIdentifier,
      `the peer has the BGP identifier ${open.identifier}, too`,
    )
  if (ours.role !== undefined && theirs.role !== undefined && oppositeRole[ours.role] !== theirs.role)
    throw new BgpError(ErrorCode.open, OpenError.roleMismatch, `roles ${ours.role} and ${theirs.role} do not fit`)
  const families = ours.families.filter((family) => theirs.families.includes(family))
  if (families.length === 0)
    throw new BgpError(
      ErrorCode.open,
      OpenError.unsupportedCapability,
      `the peer has none of ${ours.families.join(', ')}`,
      // RFC 5492 section 5: the capabilities that are missed.
      encodeFamilies(ours.families),
    )
  const holdTime = Math.min(local.holdTime, open.holdTime)
  return {
    peerAsn: open.asn,
    peerIdentifier: open.identifier,
    isInternal,
    holdTime,
    keepaliveTime: Math.min(local.keepaliveTime, holdTime / 3),
    families,
    fourOctetAs: ours.fourOctetAs !== undefined && theirs.fourOctetAs !== undefined,
    extendedMessage: ours.extendedMessage && theirs.extendedMessage,
    extendedNextHop: ours.extendedNextHop && theirs.extendedNextHop,
    enhancedRouteRefresh: ours.enhancedRouteRefresh && theirs.enhancedRouteRefresh,
    gracefulRestart: ours.gracefulRestart === undefined ? undefined : theirs.gracefulRestart,
  }
}

/** Whether, of two connections, the one that this side has opened stays. RFC 4271 section 6.8; equal identifiers: RFC 6286
 *  section 2.3. */
export function staysOutgoing(
  local: Pick<Local, 'asn' | 'identifier'>,
  open: Pick<Open, 'asn' | 'identifier'>,
): boolean {
  const [ours, theirs] = [numberOf(local.identifier), numberOf(open.identifier)]
  return ours === theirs ? local.asn > open.asn : ours > theirs
}

const numberOf = (identifier: string): number =>
  (parseAddress(identifier) ?? new Uint8Array()).reduce((sum, octet) => sum * 256 + octet, 0)
