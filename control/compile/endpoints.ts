import { BlockList } from 'node:net'
import type { EndpointSlice, Endpoint as KubeEndpoint } from '../../kube/core/endpoint-slice.ts'
import type { ServicePort } from '../../kube/core/service.ts'
import type { Endpoint } from '../../proto/gen/route_table.ts'
import { type Finding, few, warning } from './finding.ts'

/** Bound on the endpoints of one backend: that many stand in a shard beside the rest. */
const maxEndpoints = 10_000

/** EndpointConditions.ready: unknown counts as ready. */
const isReady = ({ conditions }: KubeEndpoint): boolean => conditions.ready ?? true

/** EndpointConditions.serving: an endpoint that is on its way out and still answers. */
const isDraining = ({ conditions }: KubeEndpoint): boolean =>
  conditions.serving === true && conditions.terminating === true

/** RFC 3927 section 2.1 and RFC 4291 section 2.5.6. */
const linkLocal = new BlockList()
linkLocal.addSubnet('169.254.0.0', 16, 'ipv4')
linkLocal.addSubnet('fe80::', 10, 'ipv6')

const isLinkLocal = (address: string): boolean =>
  address.includes(':') ? linkLocal.check(address, 'ipv6') : address.startsWith('169.254.')

/** The endpoints of a Service port, found by the port's name. Those that are ready; where none is, those that terminate and
 *  still serve, as kube-proxy does. IPv6 counts where there is no IPv4: a dual-stack Service lists every pod twice.
 *  Link-local addresses never count: behind them are no Pods, but what clouds tell their machines in confidence. */
export function endpointsOf(
  { name = '', protocol }: ServicePort,
  slices: readonly EndpointSlice[],
): readonly Endpoint[] {
  for (const chosen of [isReady, isDraining]) {
    for (const family of ['IPv4', 'IPv6']) {
      const found = new Map<string, Endpoint>()
      for (const { addressType, ports, endpoints } of slices) {
        if (addressType !== family) continue
        const port = ports.find((port) => port.name === name && port.protocol === protocol)?.port
        if (port === undefined) continue
        for (const endpoint of endpoints) {
          // Only the first address has a meaning (EndpointSlice.endpoints.addresses).
          const address = endpoint.addresses[0]
          if (address === undefined || !chosen(endpoint) || isLinkLocal(address)) continue
          found.set(`${address} ${port}`, { address, port })
        }
      }
      if (found.size > 0) return [...found.values()].slice(0, maxEndpoints)
    }
  }
  return []
}

const findings = new WeakMap<EndpointSlice, readonly Finding[]>()

/** About the addresses of a slice that endpointsOf leaves out. The same findings for the same slice: its ports share them. */
export function sliceFindings(slice: EndpointSlice): readonly Finding[] {
  const known = findings.get(slice)
  if (known !== undefined) return known
  const left = slice.endpoints.flatMap(({ addresses: [address] }) =>
    address !== undefined && slice.addressType !== 'FQDN' && isLinkLocal(address) ? [address] : [],
  )
  const message = `link-local addresses are left out: ${few(left)}; write addresses that can be routed to`
  const found = left.length === 0 ? [] : [warning(slice, ['endpoints'], 'UnsupportedValue', message)]
  findings.set(slice, found)
  return found
}
