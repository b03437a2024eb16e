import {
  type CiliumLoadBalancerIPPool,
  ciliumLoadBalancerIPPool,
  type LoadBalancerIPPool,
  loadBalancerIPPool,
} from './addresses/ip-pool.ts'
import {
  type BGPAdvertisement,
  bgpAdvertisement,
  type CiliumBGPAdvertisement,
  ciliumBgpAdvertisement,
} from './bgp/advertisement.ts'
import {
  type BGPClusterConfig,
  bgpClusterConfig,
  type CiliumBGPClusterConfig,
  ciliumBgpClusterConfig,
} from './bgp/cluster-config.ts'
import {
  type BGPNodeConfigOverride,
  bgpNodeConfigOverride,
  type CiliumBGPNodeConfigOverride,
  ciliumBgpNodeConfigOverride,
} from './bgp/node-config-override.ts'
import { type BGPPeerConfig, bgpPeerConfig, type CiliumBGPPeerConfig, ciliumBgpPeerConfig } from './bgp/peer-config.ts'
import { ciliumGroup, landfallGroup } from './bgp/versions.ts'
import { type ConfigMap, configMap } from './core/config-map.ts'
import { type EndpointSlice, endpointSlice } from './core/endpoint-slice.ts'
import { type Namespace, namespace } from './core/namespace.ts'
import { type Node, node } from './core/node.ts'
import { type Secret, secret } from './core/secret.ts'
import { type Service, service } from './core/service.ts'
import { type BackendTLSPolicy, backendTLSPolicy } from './gateway-api/backend-tls-policy.ts'
import { type Gateway, gateway } from './gateway-api/gateway.ts'
import { type GatewayClass, gatewayClass } from './gateway-api/gateway-class.ts'
import { type GRPCRoute, grpcRoute } from './gateway-api/grpc-route.ts'
import { type HTTPRoute, httpRoute } from './gateway-api/http-route.ts'
import { type ListenerSet, listenerSet } from './gateway-api/listener-set.ts'
import { type ReferenceGrant, referenceGrant } from './gateway-api/reference-grant.ts'
import { type TCPRoute, tcpRoute } from './gateway-api/tcp-route.ts'
import { type TLSRoute, tlsRoute } from './gateway-api/tls-route.ts'
import { type UDPRoute, udpRoute } from './gateway-api/udp-route.ts'
import { gatewayGroup } from './gateway-api/versions.ts'
import {
  type CiliumL2AnnouncementPolicy,
  ciliumL2AnnouncementPolicy,
  type L2AnnouncementPolicy,
  l2AnnouncementPolicy,
} from './l2/announcement-policy.ts'

/** Every object that Landfall reads, valid and with the API server's defaults. */
export type KubeObject =
  | BGPAdvertisement
  | BGPClusterConfig
  | BGPNodeConfigOverride
  | BGPPeerConfig
  | BackendTLSPolicy
  | CiliumBGPAdvertisement
  | CiliumBGPClusterConfig
  | CiliumBGPNodeConfigOverride
  | CiliumBGPPeerConfig
  | CiliumL2AnnouncementPolicy
  | CiliumLoadBalancerIPPool
  | ConfigMap
  | EndpointSlice
  | GRPCRoute
  | Gateway
  | GatewayClass
  | HTTPRoute
  | L2AnnouncementPolicy
  | ListenerSet
  | LoadBalancerIPPool
  | Namespace
  | Node
  | ReferenceGrant
  | Secret
  | Service
  | TCPRoute
  | TLSRoute
  | UDPRoute

export type Kind = KubeObject['kind']

/** The object of a kind: `ObjectOf<'HTTPRoute'>` is HTTPRoute. */
export type ObjectOf<K extends Kind> = Extract<KubeObject, { kind: K }>

/** API group, versions that are served (the preferred one first), and schema of each kind. */
export const kinds = {
  BGPAdvertisement: { group: landfallGroup, served: ['v1alpha1'], schema: bgpAdvertisement },
  BGPClusterConfig: { group: landfallGroup, served: ['v1alpha1'], schema: bgpClusterConfig },
  BGPNodeConfigOverride: { group: landfallGroup, served: ['v1alpha1'], schema: bgpNodeConfigOverride },
  BGPPeerConfig: { group: landfallGroup, served: ['v1alpha1'], schema: bgpPeerConfig },
  BackendTLSPolicy: { group: gatewayGroup, served: ['v1', 'v1alpha3'], schema: backendTLSPolicy },
  CiliumBGPAdvertisement: { group: ciliumGroup, served: ['v2', 'v2alpha1'], schema: ciliumBgpAdvertisement },
  CiliumBGPClusterConfig: { group: ciliumGroup, served: ['v2', 'v2alpha1'], schema: ciliumBgpClusterConfig },
  CiliumBGPNodeConfigOverride: { group: ciliumGroup, served: ['v2', 'v2alpha1'], schema: ciliumBgpNodeConfigOverride },
  CiliumBGPPeerConfig: { group: ciliumGroup, served: ['v2', 'v2alpha1'], schema: ciliumBgpPeerConfig },
  CiliumL2AnnouncementPolicy: { group: ciliumGroup, served: ['v2alpha1'], schema: ciliumL2AnnouncementPolicy },
  CiliumLoadBalancerIPPool: { group: ciliumGroup, served: ['v2', 'v2alpha1'], schema: ciliumLoadBalancerIPPool },
  ConfigMap: { group: '', served: ['v1'], schema: configMap },
  EndpointSlice: { group: 'discovery.k8s.io', served: ['v1'], schema: endpointSlice },
  GRPCRoute: { group: gatewayGroup, served: ['v1'], schema: grpcRoute },
  Gateway: { group: gatewayGroup, served: ['v1', 'v1beta1'], schema: gateway },
  GatewayClass: { group: gatewayGroup, served: ['v1', 'v1beta1'], schema: gatewayClass },
  HTTPRoute: { group: gatewayGroup, served: ['v1', 'v1beta1'], schema: httpRoute },
  L2AnnouncementPolicy: { group: landfallGroup, served: ['v1alpha1'], schema: l2AnnouncementPolicy },
  ListenerSet: { group: gatewayGroup, served: ['v1'], schema: listenerSet },
  LoadBalancerIPPool: { group: landfallGroup, served: ['v1alpha1'], schema: loadBalancerIPPool },
  Namespace: { group: '', served: ['v1'], schema: namespace },
  Node: { group: '', served: ['v1'], schema: node },
  ReferenceGrant: { group: gatewayGroup, served: ['v1', 'v1beta1'], schema: referenceGrant },
  Secret: { group: '', served: ['v1'], schema: secret },
  Service: { group: '', served: ['v1'], schema: service },
  TCPRoute: { group: gatewayGroup, served: ['v1', 'v1alpha2'], schema: tcpRoute },
  TLSRoute: { group: gatewayGroup, served: ['v1', 'v1alpha2', 'v1alpha3'], schema: tlsRoute },
  UDPRoute: { group: gatewayGroup, served: ['v1', 'v1alpha2'], schema: udpRoute },
} as const

/** "HTTPRoute default/web"; "GatewayClass /landfall" for a kind without namespaces. Unique among objects. */
export const objectKey = (kind: string, namespace: string, name: string): string => `${kind} ${namespace}/${name}`

export const keyOf = ({ kind, metadata }: KubeObject): string =>
  objectKey(kind, metadata.namespace ?? '', metadata.name)

/** metav1.Condition. */
export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
  readonly observedGeneration: number
  /** RFC 3339. */
  readonly lastTransitionTime: string
}
