import { bitsOf, type IPFamily, parseIP } from './ip-number.ts'

/** Addresses from `first` to `last`, both among them. */
export interface IPRange {
  readonly family: IPFamily
  readonly first: bigint
  readonly last: bigint
}

/** The addresses of a network such as 192.0.2.0/24. Bits behind the length do not count. undefined for what is none. */
export function rangeOfCidr(cidr: string): IPRange | undefined {
  const [address = '', length = '', ...more] = cidr.split('/')
  const number = parseIP(address)
  if (number === undefined || more.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined
  const { family, value } = number
  const bits = bitsOf(family)
  if (Number(length) > bits) return undefined
  const rest = (1n << BigInt(bits - Number(length))) - 1n
  return { family, first: value & ~rest, last: value | rest }
}

/** From one address to another; without `stop` the one alone. undefined for what is none, or runs backwards. */
export function rangeBetween(start: string, stop: string = start): IPRange | undefined {
  const [from, to] = [parseIP(start), parseIP(stop)]
  if (from === undefined || to === undefined || from.family !== to.family || from.value > to.value) return undefined
  return { family: from.family, first: from.value, last: to.value }
}
