import { isIP } from 'node:net'

export type IPFamily = 'IPv4' | 'IPv6'

/** An address as a number, to count with. */
export interface IPNumber {
  readonly family: IPFamily
  readonly value: bigint
}

export const bitsOf = (family: IPFamily): number => (family === 'IPv4' ? 32 : 128)

/** undefined for what is no address, or has a zone. An IPv4 address inside IPv6 stays IPv6. */
export function parseIP(text: string): IPNumber | undefined {
  switch (isIP(text)) {
    case 4:
      return { family: 'IPv4', value: joined(text.split('.').map(Number), 8n) }
    case 6:
      return text.includes('%') ? undefined : { family: 'IPv6', value: joined(groupsOf(text), 16n) }
    default:
      return undefined
  }
}

const joined = (parts: readonly number[], bits: bigint): bigint =>
  parts.reduce((value, part) => (value << bits) | BigInt(part), 0n)

/** The eight groups of an IPv6 address. */
function groupsOf(text: string): readonly number[] {
  const [head = '', tail] = text.split('::')
  const front = written(head)
  const back = tail === undefined ? [] : written(tail)
  return [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back]
}

function written(groups: string): readonly number[] {
  if (groups === '') return []
  return groups.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [(a << 8) | b, (c << 8) | d]
  })
}

/** As RFC 5952 writes it. */
export function formatIP({ family, value }: IPNumber): string {
  if (family === 'IPv4') return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16))
  const { start, length } = longestZeros(groups)
  return length < 2
    ? groups.join(':')
    : `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`
}

/** The first of the longest runs of zero groups. RFC 5952 section 4.2. */
function longestZeros(groups: readonly string[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0; start < groups.length; start++) {
    let length = 0
    while (groups[start + length] === '0') length++
    if (length > best.length) best = { start, length }
    start += length
  }
  return best
}

/** The one way to write an address: two texts of it are equal. undefined for what is none. */
export function canonicalIP(text: string): string | undefined {
  const number = parseIP(text)
  return number && formatIP(number)
}
