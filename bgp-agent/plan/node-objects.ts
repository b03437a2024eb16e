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

/** What a node plans from. Lists are in order of namespace and name. */
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
  const objects = all.toSorted(byName)
  const of = <K extends KubeObject['kind']>(...kinds: readonly K[]) =>
    objects.filter((object): object is Extract<KubeObject, { kind: K }> => kinds.some((kind) => object.kind === kind))
  const slices = of('EndpointSlice').filter(({ metadata }) => serviceLabel in metadata.labels)
  return {
    clusterConfigs: of('CiliumBGPClusterConfig', 'BGPClusterConfig'),
    peerConfigs: of('CiliumBGPPeerConfig', 'BGPPeerConfig'),
    advertisements: of('CiliumBGPAdvertisement', 'BGPAdvertisement'),
    overrides: of('CiliumBGPNodeConfigOverride', 'BGPNodeConfigOverride'),
    nodes: of('Node'),
    services: of('Service'),
    slices: Map.groupBy(slices, ({ metadata }) => `${metadata.namespace}/${metadata.labels[serviceLabel]}`),
    secrets: of('Secret'),
    gateways: of('Gateway'),
    gatewayClasses: of('GatewayClass'),
    l2Policies: of('CiliumL2AnnouncementPolicy', 'L2AnnouncementPolicy'),
  }
}

/** Names the Service of an EndpointSlice. */
const serviceLabel = 'kubernetes.io/service-name'

const byName = ({ metadata: a }: KubeObject, { metadata: b }: KubeObject): number =>
  compare(a.namespace ?? '', b.namespace ?? '') || compare(a.name, b.name)

// Not localeCompare: the order must be the same on every node.
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
