import type { WellKnownCommunity } from '../../kube/bgp/advertisement.ts'

/** Well-known communities by the names of CiliumBGPAdvertisement's `communities.wellKnown`. IANA "BGP Well-known Communities". */
export const wellKnown: Readonly<Record<WellKnownCommunity, number>> = {
  internet: 0,
  'planned-shut': 0xffff0000,
  'accept-own': 0xffff0001,
  'route-filter-translated-v4': 0xffff0002,
  'route-filter-v4': 0xffff0003,
  'route-filter-translated-v6': 0xffff0004,
  'route-filter-v6': 0xffff0005,
  'llgr-stale': 0xffff0006,
  'no-llgr': 0xffff0007,
  blackhole: 0xffff029a,
  'no-export': 0xffffff01,
  'no-advertise': 0xffffff02,
  'no-export-subconfed': 0xffffff03,
  'no-peer': 0xffffff04,
}

/** RFC 8092 section 3. */
export type LargeCommunity = readonly [globalAdministrator: number, first: number, second: number]

/** A well-known community by its name; undefined for any other text. */
export const wellKnownCommunity = (name: string): number | undefined =>
  Object.entries(wellKnown).find(([known]) => known === name)?.[1]

/** "65000:100" or one number of 32 bits; undefined for anything else. RFC 1997. */
export function parseCommunity(text: string): number | undefined {
  const parts = numbersOf(text, text.includes(':') ? 0xffff : 0xffffffff)
  const [high = 0, low] = parts ?? []
  if (parts === undefined || parts.length > 2) return undefined
  return low === undefined ? high : high * 0x10000 + low
}

/** "65000:1:2"; undefined for anything else. */
export function parseLargeCommunity(text: string): LargeCommunity | undefined {
  const [global, first, second, ...more] = numbersOf(text, 0xffffffff) ?? []
  if (global === undefined || first === undefined || second === undefined || more.length > 0) return undefined
  return [global, first, second]
}

function numbersOf(text: string, highest: number): readonly number[] | undefined {
  const parts = text.split(':')
  if (!parts.every((part) => /^\d{1,10}$/.test(part))) return undefined
  const numbers = parts.map(Number)
  return numbers.every((number) => number <= highest) ? numbers : undefined
}

export const formatCommunity = (community: number): string => `${community >>> 16}:${community & 0xffff}`
export const formatLargeCommunity = (community: LargeCommunity): string => community.join(':')
