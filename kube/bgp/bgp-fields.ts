import { isIPv4 } from 'node:net'
import { integer, isIPAddress, text } from '../fields.ts'
import { rule } from '../rule.ts'

/** An AS number of four octets. RFC 6793. */
export const asn = integer('an AS number from 1 to 4294967295', 1, 4_294_967_295)
export const instanceName = text('a name', 255)

const zone = /%[^%\s]{1,15}$/

/** An IPv4 or IPv6 address; a link-local one may say by which interface it is reached: fe80::1%eth0. */
export const peerAddress = text('an IP address such as 192.0.2.1, 2001:db8::1 or fe80::1%eth0', 64).check(
  rule((value, report) => {
    if (!isIPAddress(value.toLowerCase().startsWith('fe80:') ? value.replace(zone, '') : value))
      report([], `${JSON.stringify(value)} is no IP address`)
  }),
)

export const routerId = text('an IPv4 address, which names the router', 15).check(
  rule((value, report) => {
    if (!isIPv4(value) || value === '0.0.0.0')
      report([], `${JSON.stringify(value)} is no router ID; write an IPv4 address`)
  }),
)
