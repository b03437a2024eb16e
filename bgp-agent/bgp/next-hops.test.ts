import { expect, test } from 'vitest'
import { formatAddress } from '../address.ts'
import { nextHopsOf } from './next-hops.ts'

const interfaces = new Map([
  ['lo', ['127.0.0.1', '::1']],
  ['eth0', ['192.0.2.1', 'fe80::1', '2001:db8::1']],
  ['eth1', ['198.51.100.1', 'fe80::2']],
])

const hops = (local: string, extendedNextHop = false): readonly string[] =>
  Object.entries(nextHopsOf(local, { families: ['ipv4', 'ipv6'], extendedNextHop }, interfaces)).map(
    ([family, octets]) => `${family} ${formatAddress(octets)}`,
  )

test('a session sends traffic to its own address, and that of the other family to the same interface', () => {
  expect(hops('192.0.2.1')).toEqual(['ipv4 192.0.2.1', 'ipv6 2001:db8::1'])
  expect(hops('::ffff:192.0.2.1')).toEqual(['ipv4 192.0.2.1', 'ipv6 2001:db8::1'])
  expect(hops('2001:db8::1')).toEqual(['ipv4 192.0.2.1', 'ipv6 2001:db8::1'])
})

test('IPv4 traffic goes to the IPv6 address where both ends know RFC 8950', () => {
  expect(hops('2001:db8::1', true)).toEqual(['ipv4 2001:db8::1', 'ipv6 2001:db8::1'])
})

test('a link-local or loopback address is no next hop for the other family', () => {
  expect(hops('198.51.100.1')).toEqual(['ipv4 198.51.100.1'])
  expect(hops('127.0.0.1')).toEqual(['ipv4 127.0.0.1'])
})
