import type { FamilyName } from '../address.ts'

/** Address families of unicast routes, by the numbers of RFC 4760. */
export const families = {
  ipv4: { afi: 1, safi: 1, bits: 32 },
  ipv6: { afi: 2, safi: 1, bits: 128 },
} as const satisfies Record<FamilyName, object>

/** undefined for what is not spoken here. */
export function familyOf(afi: number, safi: number): FamilyName | undefined {
  if (safi !== families.ipv4.safi) return undefined
  return afi === families.ipv4.afi ? 'ipv4' : afi === families.ipv6.afi ? 'ipv6' : undefined
}
