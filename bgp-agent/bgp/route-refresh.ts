// The ROUTE-REFRESH message. RFC 2918 section 3; its middle octet from RFC 7313 section 3.2.
import type { FamilyName } from '../address.ts'
import { BgpError, ErrorCode } from './error.ts'
import { families, familyOf } from './family.ts'
import { MessageType, message } from './message.ts'
import { Octets, u16 } from './octets.ts'

/** Asks for all routes again, or says where those begin and end. */
export const RefreshKind = { request: 0, begin: 1, end: 2 } as const
export type RefreshKind = (typeof RefreshKind)[keyof typeof RefreshKind]

export interface RouteRefresh {
  /** undefined: one that is not spoken here. */
  readonly family: FamilyName | undefined
  /** A kind that is unknown is let be. RFC 7313 section 5. */
  readonly kind: number
}

export const encodeRouteRefresh = (family: FamilyName, kind: RefreshKind): Uint8Array =>
  message(MessageType.routeRefresh, [...u16(families[family].afi), kind, families[family].safi])

/** Throws BgpError. */
export function decodeRouteRefresh(body: Uint8Array): RouteRefresh {
  const octets = new Octets(body)
  const afi = octets.u16()
  const kind = octets.u8()
  const safi = octets.u8()
  // RFC 7313 section 5: those that begin or end have four octets.
  if (octets.left > 0 && (kind === RefreshKind.begin || kind === RefreshKind.end))
    throw new BgpError(ErrorCode.routeRefresh, 1, `a ROUTE-REFRESH of ${body.length} octets`, body)
  return { family: familyOf(afi, safi), kind }
}
