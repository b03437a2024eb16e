// What an agent of a test is told: the node "one", its sessions, and a Service with an address and an endpoint.
const node = 'one'

const object = (apiVersion: string, kind: string, name: string, rest: object, metadata = {}) => ({
  apiVersion,
  kind,
  metadata: { name, ...metadata },
  ...rest,
})

export const list = (items: readonly object[]): object => ({ apiVersion: 'v1', kind: 'List', items })

export interface ConfiguredPeer {
  readonly name: string
  readonly address: string
  readonly asn: number
  /** The agent's. */
  readonly own: string
  readonly agentAsn: number
  readonly listens: boolean
}

/** An instance for each AS of ours. */
export function cluster(peers: readonly ConfiguredPeer[], port: number): object[] {
  const groups = [...Map.groupBy(peers, ({ agentAsn }) => agentAsn)]
  return [
    object('v1', 'Node', node, {
      spec: { podCIDRs: ['10.1.0.0/24', '2001:db8:1::/64'] },
      status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] },
    }),
    object('cilium.io/v2', 'CiliumBGPClusterConfig', 'all', {
      spec: {
        bgpInstances: groups.map(([agentAsn, group]) => ({
          name: `as${agentAsn}`,
          localASN: agentAsn,
          ...(group.some(({ listens }) => listens) ? { localPort: port } : {}),
          peers: group.map(({ name, address, asn }) => ({
            name,
            peerAddress: address,
            peerASN: asn,
            peerConfigRef: { name },
          })),
        })),
      },
    }),
    object('cilium.io/v2', 'CiliumBGPNodeConfigOverride', node, {
      spec: {
        bgpInstances: groups.map(([agentAsn, group]) => ({
          name: `as${agentAsn}`,
          peers: group.map(({ name, own }) => ({ name, localAddress: own })),
        })),
      },
    }),
  ]
}

const advertised = { matchLabels: { to: 'routers' } }

export const peerConfig = (name: string, spec: object): object =>
  object('landfall.dev/v1alpha1', 'BGPPeerConfig', name, {
    spec: {
      transport: { peerPort: 1790 },
      timers: { connectRetryTimeSeconds: 1, holdTimeSeconds: 9, keepAliveTimeSeconds: 3 },
      families: [
        { afi: 'ipv4', safi: 'unicast', advertisements: advertised },
        { afi: 'ipv6', safi: 'unicast', advertisements: advertised },
      ],
      ...spec,
    },
  })

/** Families of a peer configuration that speaks one alone. */
export const only = (afi: 'ipv4' | 'ipv6'): object => ({
  families: [{ afi, safi: 'unicast', advertisements: advertised }],
})

export const secret = (password: string): object =>
  object('v1', 'Secret', 'bgp', { stringData: { password } }, { namespace: 'kube-system' })

export const advertisement = object(
  'landfall.dev/v1alpha1',
  'BGPAdvertisement',
  'public',
  {
    spec: {
      advertisements: [
        { advertisementType: 'PodCIDR' },
        {
          advertisementType: 'Service',
          service: { addresses: ['LoadBalancerIP'] },
          selector: {},
          attributes: {
            med: 50,
            prepend: 2,
            localPreference: 250,
            communities: { standard: ['65001:100'], wellKnown: ['no-export'], large: ['65001:1:2'] },
          },
        },
      ],
    },
  },
  { labels: { to: 'routers' } },
)

export const pods = ['10.1.0.0/24', '2001:db8:1::/64'] as const
export const web = ['203.0.113.1/32', '2001:db8:2::1/128'] as const

export const service = object('v1', 'Service', 'web', {
  spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports: [{ port: 80 }] },
  status: { loadBalancer: { ingress: web.map((prefix) => ({ ip: prefix.replace(/\/.*/, '') })) } },
})

/** Endpoints of the Service, of both families. */
export const slice = (isReady: boolean): object =>
  list(
    [
      ['IPv4', '10.1.0.9'],
      ['IPv6', '2001:db8:1::9'],
    ].map(([addressType, address]) =>
      object(
        'discovery.k8s.io/v1',
        'EndpointSlice',
        `web-${addressType?.toLowerCase()}`,
        { addressType, endpoints: [{ addresses: [address], nodeName: node, conditions: { ready: isReady } }] },
        { labels: { 'kubernetes.io/service-name': 'web' } },
      ),
    ),
  )

/** A Service with `count` addresses, at most 1000, which no other `index` has. */
export const crowd = (index: number, count: number): object =>
  object('v1', 'Service', `crowd-${index}`, {
    spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    status: {
      loadBalancer: {
        ingress: Array.from({ length: count }, (_, n) => ({
          ip: `100.${64 + (index >> 6)}.${((index & 63) << 2) | (n >> 8)}.${n & 255}`,
        })),
      },
    },
  })
