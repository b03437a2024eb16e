import type { EndpointSlice } from '../../../kube/core/endpoint-slice.ts'
import type { Service } from '../../../kube/core/service.ts'
import type { Gateway } from '../../../kube/gateway-api/gateway.ts'
import type { NodeObjects } from '../../plan/node-objects.ts'
import { serviceAddresses } from '../../plan/service-addresses.ts'

/** Of a Gateway an address is a LoadBalancerIP: policies treat it as the Service that other implementations make of it. */
export type ClaimedType = 'LoadBalancerIP' | 'ExternalIP'

export interface ClaimedAddress {
  readonly type: ClaimedType
  readonly address: string
  /** Why this node may not answer for it, whatever policies say: a clause. */
  readonly withheld: string | undefined
}

/** An object whose addresses somebody is to answer for. */
export interface Claimant {
  /** "Service shop/web". */
  readonly name: string
  /** That policies select by. */
  readonly labels: Readonly<Record<string, string>>
  readonly addresses: readonly ClaimedAddress[]
}

/** Service.spec.loadBalancerClass of Services that are announced on the local network; those without a class are, too. */
const l2Classes: readonly string[] = ['landfall.dev/l2', 'io.cilium/l2-announcer']

const types = ['LoadBalancerIP', 'ExternalIP'] as const

export function claimants(objects: NodeObjects, nodeName: string): readonly Claimant[] {
  const { services, slices, gateways } = objects
  return [
    ...services.map((service) => {
      const { namespace, name } = service.metadata
      return ofService(service, slices.get(`${namespace}/${name}`) ?? [], nodeName)
    }),
    ...gateways.map((gateway) => ofGateway(gateway, objects)),
  ]
}

function ofService(service: Service, slices: readonly EndpointSlice[], nodeName: string): Claimant {
  const { name, namespace, labels } = service.metadata
  return {
    name: `Service ${namespace}/${name}`,
    labels: { ...labels, 'io.kubernetes.service.name': name, 'io.kubernetes.service.namespace': namespace },
    addresses: types.flatMap((type) => {
      const { addresses, withheld } = serviceAddresses(service, type, slices, nodeName, l2Classes)
      return addresses.map((address) => ({ type, address, withheld }))
    }),
  }
}

/** Labels as GEP-1762 has them on what is made for a Gateway. */
function ofGateway({ metadata, spec }: Gateway, { gatewayClasses }: NodeObjects): Claimant {
  const { name, namespace, labels } = metadata
  const controller = gatewayClasses.find((each) => each.metadata.name === spec.gatewayClassName)?.spec.controllerName
  const withheld =
    controller === undefined || controller.startsWith('landfall.dev/')
      ? undefined
      : `its GatewayClass ${spec.gatewayClassName} is of another controller`
  return {
    name: `Gateway ${namespace}/${name}`,
    labels: {
      ...labels,
      ...spec.infrastructure?.labels,
      'gateway.networking.k8s.io/gateway-name': name,
      'io.kubernetes.service.name': name,
      'io.kubernetes.service.namespace': namespace,
    },
    addresses: (spec.addresses ?? []).flatMap(({ type, value = '' }) =>
      type === 'IPAddress' && value !== '' ? [{ type: 'LoadBalancerIP' as const, address: value, withheld }] : [],
    ),
  }
}
