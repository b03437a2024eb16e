import type { Endpoint } from '../proto/gen/route_table.ts'
import { hostPort } from './host-port.ts'

/** The one spelling of an endpoint, "10.0.0.1:8080" or "[fd00::1]:8080" (RFC 5952 section 6): two spellings of one endpoint
 *  have equal keys. Undefined where `address` is not an IP address (a name, a zone) or the port is none. */
export function endpointKey(endpoint: Endpoint): string | undefined {
  const { address, port } = endpoint
  if (!Number.isInteger(port) || port < 1 || port > 65535) return undefined
  if (isIpv4(address)) return hostPort(address, port)
  const groups = ipv6Groups(address)
  return groups && hostPort(formatIpv6(groups), port)
}

/** The endpoint that a key names; undefined for every other spelling. */
export function parseEndpointKey(key: string): Endpoint | undefined {
  const [, ipv6, ipv4, port] = /^(?:\[([0-9a-f:]{2,39})\]|([0-9.]{7,15})):([1-9][0-9]{0,4})$/.exec(key) ?? []
  const endpoint = { address: ipv6 ?? ipv4 ?? '', port: Number(port) }
  return endpointKey(endpoint) === key ? endpoint : undefined
}

const isIpv4 = (text: string): boolean => /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text)

/** The eight groups of an address in any spelling of RFC 4291 section 2.2. */
function ipv6Groups(text: string): readonly number[] | undefined {
  const halves = text.split('::')
  const head = groupsOf(halves[0] ?? '', halves.length === 1)
  const tail = groupsOf(halves[1] ?? '', true)
  if (head === undefined || tail === undefined || halves.length > 2) return undefined
  if (halves.length === 1) return head.length === 8 ? head : undefined
  const zeros = 8 - head.length - tail.length
  return zeros < 1 ? undefined : [...head, ...Array<number>(zeros).fill(0), ...tail]
}

function groupsOf(text: string, mayEndInIpv4: boolean): readonly number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const last = parts.at(-1) ?? ''
  const ipv4 = mayEndInIpv4 && isIpv4(last) ? last.split('.').map(Number) : []
  const groups = parts.slice(0, ipv4.length > 0 ? -1 : undefined)
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined
  const [a = 0, b = 0, c = 0, d = 0] = ipv4
  const embedded = ipv4.length > 0 ? [a * 256 + b, c * 256 + d] : []
  return [...groups.map((group) => Number.parseInt(group, 16)), ...embedded]
}

/** RFC 5952 section 4: lower case, no leading zeros, "::" for the first longest run of two or more zero groups. */
function formatIpv6(groups: readonly number[]): string {
  let start = 0
  let length = 1
  for (let at = 0; at < groups.length; at++) {
    let end = at
    while (groups[end] === 0) end++
    if (end - at > length) [start, length] = [at, end - at]
  }
  const hex = groups.map((group) => group.toString(16))
  if (length < 2) return hex.join(':')
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}
