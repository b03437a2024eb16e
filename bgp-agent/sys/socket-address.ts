import { networkInterfaces } from 'node:os'
import { AF_INET, AF_INET6 } from './libc.ts'

/** An address with the interface that a link-local one is on. */
export interface ScopedAddress {
  /** 4 or 16 octets. */
  readonly octets: Uint8Array
  /** Index of the interface; 0: none. */
  readonly scope: number
}

/** sockaddr_in or sockaddr_in6. ip(7), ipv6(7). */
export function socketAddress({ octets, scope }: ScopedAddress, port: number): Uint8Array {
  const isIpv4 = octets.length === 4
  const bytes = new Uint8Array(isIpv4 ? 16 : 28)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, isIpv4 ? AF_INET : AF_INET6, isLittleEndian)
  view.setUint16(2, port)
  bytes.set(octets, isIpv4 ? 4 : 8)
  if (!isIpv4) view.setUint32(24, scope, isLittleEndian)
  return bytes
}

/** Whether numbers of the host begin with their least octet. */
export const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** Index of an interface by its name; undefined where there is none with a link-local address. */
export function interfaceIndex(name: string): number | undefined {
  // Addresses that are not link-local have none.
  for (const { scopeid } of networkInterfaces()[name] ?? []) if (scopeid) return scopeid
  return undefined
}
