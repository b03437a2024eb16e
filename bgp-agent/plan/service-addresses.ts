import type { EndpointSlice } from '../../kube/core/endpoint-slice.ts'
import type { Service } from '../../kube/core/service.ts'

export type AddressType = 'LoadBalancerIP' | 'ClusterIP' | 'ExternalIP'

/** The addresses of a type that a Service has, and why this node does not answer for them, if so. */
export interface ServiceAddresses {
  readonly addresses: readonly string[]
  /** A clause: "no endpoint of it on this node is ready". */
  readonly withheld: string | undefined
  /** Whether only nodes with an endpoint announce them, so that they are not to be told as a part of something larger. */
  readonly isLocal: boolean
}

/** Service.spec.loadBalancerClass of Services that are announced by BGP; those without a class are, too. */
const bgpClasses: readonly string[] = ['landfall.dev/bgp', 'io.cilium/bgp-control-plane']

/** `classes`: those of the announcer that asks. */
export function serviceAddresses(
  service: Service,
  type: AddressType,
  slices: readonly EndpointSlice[],
  nodeName: string,
  classes = bgpClasses,
): ServiceAddresses {
  const { spec } = service
  const policy = type === 'ClusterIP' ? spec.internalTrafficPolicy : spec.externalTrafficPolicy
  const isLocal = policy === 'Local'
  const withheld = foreign(service, type, classes) ?? (isLocal ? notHere(slices, nodeName) : undefined)
  return { addresses: addressesOf(service, type), withheld, isLocal }
}

function addressesOf({ spec, status }: Service, type: AddressType): readonly string[] {
  switch (type) {
    case 'ClusterIP':
      return [
        ...new Set([...(spec.clusterIP === undefined ? [] : [spec.clusterIP]), ...(spec.clusterIPs ?? [])]),
      ].filter((address) => address !== '' && address !== 'None')
    case 'ExternalIP':
      return spec.externalIPs ?? []
    case 'LoadBalancerIP':
      return spec.type === 'LoadBalancer' ? (status?.loadBalancer.ingress ?? []).flatMap(({ ip }) => ip ?? []) : []
  }
}

function foreign({ spec }: Service, type: AddressType, classes: readonly string[]): string | undefined {
  const { loadBalancerClass } = spec
  if (type !== 'LoadBalancerIP' || loadBalancerClass === undefined || classes.includes(loadBalancerClass))
    return undefined
  return `its loadBalancerClass ${loadBalancerClass} is announced by something else`
}

/** As kube-proxy sends traffic: to ready endpoints of the node, and where it has none, to those that still serve while they
 *  end. KEP-1669. */
function notHere(slices: readonly EndpointSlice[], nodeName: string): string | undefined {
  const local = slices.flatMap(({ endpoints }) => endpoints).filter((endpoint) => endpoint.nodeName === nodeName)
  if (local.length === 0) return 'its traffic policy is Local, and it has no endpoint on this node'
  const isReady = local.some(({ conditions }) => conditions.ready !== false)
  const isEnding = local.some(({ conditions }) => conditions.serving === true && conditions.terminating === true)
  return isReady || isEnding ? undefined : 'its traffic policy is Local, and no endpoint of it on this node is ready'
}
