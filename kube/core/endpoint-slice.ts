import { isIPv4, isIPv6 } from 'node:net'
import * as z from 'zod'
import { isHostname, labelPattern, labelWords, list, port, text } from '../fields.ts'
import { objectMeta } from '../metadata.ts'
import { rule, unique } from '../rule.ts'
import { appProtocol, protocol } from './service.ts'

/** A condition that is not set is unknown; for `ready` that counts as true. */
const conditions = z.object({
  ready: z.boolean().exactOptional(),
  serving: z.boolean().exactOptional(),
  terminating: z.boolean().exactOptional(),
})

const endpoint = z
  .object({
    addresses: list(z.string(), 100, 1),
    conditions: conditions.prefault({}),
    hostname: z.string().exactOptional(),
    nodeName: z.string().exactOptional(),
    zone: z.string().exactOptional(),
  })
  .meta({ unread: ['deprecatedTopology', 'hints', 'targetRef'] })
export type Endpoint = z.output<typeof endpoint>

const endpointPort = z.object({
  name: text(`a name of ${labelWords}`, 63, new RegExp(`^$|${labelPattern.source}`), 0).default(''),
  protocol: protocol.default('TCP'),
  port: port.exactOptional(),
  appProtocol: appProtocol.exactOptional(),
})
export type EndpointPort = z.output<typeof endpointPort>

const isAddress = {
  IPv4: isIPv4,
  IPv6: (value: string) => isIPv6(value) && !value.includes('%'),
  FQDN: isHostname,
}

/** Unlike the API server this takes loopback addresses, since from files an origin may well be on this machine, and link-local
 *  ones, which control leaves out. */
export const endpointSlice = z
  .object({
    apiVersion: z.literal('discovery.k8s.io/v1'),
    kind: z.literal('EndpointSlice'),
    metadata: objectMeta,
    addressType: z.enum(['IPv4', 'IPv6', 'FQDN']),
    endpoints: list(endpoint, 1000).prefault([]),
    ports: list(endpointPort, 20_000)
      .check(unique(({ name }) => name, ['name']))
      .prefault([]),
  })
  .check(
    rule(({ addressType, endpoints }, report) => {
      endpoints.forEach(({ addresses }, index) => {
        addresses.forEach((address, at) => {
          if (!isAddress[addressType](address)) {
            report(
              ['endpoints', index, 'addresses', at],
              `${JSON.stringify(address)} is no ${addressType} address, and addressType is ${addressType}`,
            )
          }
        })
      })
    }),
  )
export type EndpointSlice = z.output<typeof endpointSlice>
