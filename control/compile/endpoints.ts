import type { EndpointSlice, Endpoint as KubeEndpoint } from '../../kube/core/endpoint-slice.ts'
import type { ServicePort } from '../../kube/core/service.ts'
import type { Endpoint } from '../../proto/gen/route_table.ts'

/** Bound on the endpoints of one backend: that many stand in a shard beside the rest. */
const maxEndpoints = 10_000

/** EndpointConditions.ready: unknown counts as ready. */
const isReady = ({ conditions }: KubeEndpoint): boolean => conditions.ready ?? true

/** EndpointConditions.serving: an endpoint that is on its way out and still answers. */
const isDraining = ({ conditions }: KubeEndpoint): boolean =>
  conditions.serving === true && conditions.terminating === true

/** The endpoints of a Service port, found by the port's name. Those that are ready; where none is, those that terminate and
 *  still serve, as kube-proxy does. IPv6 counts where there is no IPv4: a dual-stack Service lists every pod twice. */
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
          if (address !== undefined && chosen(endpoint)) found.set(`${address} ${port}`, { address, port })
        }
      }
      if (found.size > 0) return [...found.values()].slice(0, maxEndpoints)
    }
  }
  return []
}
