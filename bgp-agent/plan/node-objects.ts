import type { BGPAdvertisement, CiliumBGPAdvertisement } from '../../kube/bgp/advertisement.ts'
import type { BGPClusterConfig, CiliumBGPClusterConfig } from '../../kube/bgp/cluster-config.ts'
import type { BGPNodeConfigOverride, CiliumBGPNodeConfigOverride } from '../../kube/bgp/node-config-override.ts'
import type { BGPPeerConfig, CiliumBGPPeerConfig } from '../../kube/bgp/peer-config.ts'
import type { EndpointSlice } from '../../kube/core/endpoint-slice.ts'
import type { Node } from '../../kube/core/node.ts'
import type { Secret } from '../../kube/core/secret.ts'
import type { Service } from '../../kube/core/service.ts'
import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import type { GatewayClass } from '../../kube/gateway-api/gateway-class.ts'
import type { CiliumL2AnnouncementPolicy, L2AnnouncementPolicy } from '../../kube/l2/announcement-policy.ts'
import type { KubeObject } from '../../kube/objects.ts'

/** Of Cilium's group and of our own alike. */
export type ClusterConfig = CiliumBGPClusterConfig | BGPClusterConfig
export type PeerConfig = CiliumBGPPeerConfig | BGPPeerConfig
export type Advertisement = CiliumBGPAdvertisement | BGPAdvertisement
export type NodeConfigOverride = CiliumBGPNodeConfigOverride | BGPNodeConfigOverride
export type L2Policy = CiliumL2AnnouncementPolicy | L2AnnouncementPolicy

/** What a node plans from. Lists are in order of namespace and name, but for slices. */
export interface NodeObjects {
  readonly clusterConfigs: readonly ClusterConfig[]
  readonly peerConfigs: readonly PeerConfig[]
  readonly advertisements: readonly Advertisement[]
  readonly overrides: readonly NodeConfigOverride[]
  readonly nodes: readonly Node[]
  readonly services: readonly Service[]
  /** By the Service that they belong to, as "namespace/name". */
  readonly slices: ReadonlyMap<string, readonly EndpointSlice[]>
  readonly secrets: readonly Secret[]
  readonly gateways: readonly Gateway[]
  readonly gatewayClasses: readonly GatewayClass[]
  readonly l2Policies: readonly L2Policy[]
}

export function nodeObjects(all: readonly KubeObject[]): NodeObjects {
  const byKind = Map.groupBy(all, ({ kind }) => kind)
  const of = <K extends KubeObject['kind']>(kind: K) =>
    (byKind.get(kind) ?? []).filter((object): object is Extract<KubeObject, { kind: K }> => object.kind === kind)
  const slices = of('EndpointSlice').filter(({ metadata }) => serviceLabel in metadata.labels)
  return {
    clusterConfigs: inOrder([...of('CiliumBGPClusterConfig'), ...of('BGPClusterConfig')]),
    peerConfigs: inOrder([...of('CiliumBGPPeerConfig'), ...of('BGPPeerConfig')]),
    advertisements: inOrder([...of('CiliumBGPAdvertisement'), ...of('BGPAdvertisement')]),
    overrides: inOrder([...of('CiliumBGPNodeConfigOverride'), ...of('BGPNodeConfigOverride')]),
    nodes: inOrder(of('Node')),
    services: inOrder(of('Service')),
    slices: Map.groupBy(slices, ({ metadata }) => `${metadata.namespace}/${metadata.labels[serviceLabel]}`),
    secrets: inOrder(of('Secret')),
    gateways: inOrder(of('Gateway')),
    gatewayClasses: inOrder(of('GatewayClass')),
    l2Policies: inOrder([...of('CiliumL2AnnouncementPolicy'), ...of('L2AnnouncementPolicy')]),
  }
}

/** Names the Service of an EndpointSlice. */
const serviceLabel = 'kubernetes.io/service-name'

const inOrder = <T extends KubeObject>(objects: readonly T[]): readonly T[] =>
  objects.toSorted(
    ({ metadata: a }, { metadata: b }) => compare(a.namespace ?? '', b.namespace ?? '') || compare(a.name, b.name),
  )

// Not localeCompare: the order must be the same on every node.
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
