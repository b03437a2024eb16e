import { landfall, port, receiver } from './place.ts'

const object = (apiVersion: string, kind: string, name: string, rest: object, metadata = {}): object => ({
  apiVersion,
  kind,
  metadata: { name, ...metadata },
  ...rest,
})

export const list = (items: readonly object[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items })

/** A node that dials the receiver, and has to tell it of all Services. */
export const site = (): readonly object[] => [
  object('v1', 'Node', 'one', { status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] } }),
  object('landfall.dev/v1alpha1', 'BGPClusterConfig', 'all', {
    spec: {
      bgpInstances: [
        {
          name: 'main',
          localASN: landfall.asn,
          peers: [
            {
              name: 'receiver',
              peerASN: receiver.asn,
              peerAddress: receiver.address,
              peerConfigRef: { name: 'receiver' },
            },
          ],
        },
      ],
    },
  }),
  object('landfall.dev/v1alpha1', 'BGPNodeConfigOverride', 'one', {
    spec: { bgpInstances: [{ name: 'main', peers: [{ name: 'receiver', localAddress: landfall.address }] }] },
  }),
  object('landfall.dev/v1alpha1', 'BGPPeerConfig', 'receiver', {
    spec: {
      transport: { peerPort: port },
      ebgpMultihop: 2,
      timers: { connectRetryTimeSeconds: 1 },
      families: [{ afi: 'ipv4', safi: 'unicast', advertisements: { matchLabels: { to: 'receiver' } } }],
    },
  }),
  object(
    'landfall.dev/v1alpha1',
    'BGPAdvertisement',
    'all',
    {
      spec: {
        advertisements: [
          {
            advertisementType: 'Service',
            service: { addresses: ['ExternalIP'] },
            selector: {},
            attributes: { communities: { standard: ['65000:100'] } },
          },
        ],
      },
    },
    { labels: { to: 'receiver' } },
  ),
]

const ports = [{ port: 80 }]

/** Services that have all `addresses`, as many each as one can. */
export const crowd = (addresses: readonly string[]): readonly object[] =>
  Array.from({ length: Math.ceil(addresses.length / 1000) }, (_, n) =>
    object(
      'v1',
      'Service',
      `crowd-${n}`,
      { spec: { ports, externalIPs: addresses.slice(n * 1000, (n + 1) * 1000) } },
      { namespace: 'bench' },
    ),
  )

/** A Service with one address, that only nodes with an endpoint announce. */
export const localService = (n: number, address: string): object =>
  object(
    'v1',
    'Service',
    `local-${n}`,
    { spec: { type: 'NodePort', ports, externalIPs: [address], externalTrafficPolicy: 'Local' } },
    { namespace: 'bench' },
  )

export const endpoint = (n: number, isReady: boolean): object =>
  object(
    'discovery.k8s.io/v1',
    'EndpointSlice',
    `local-${n}`,
    {
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.1.0.9'], nodeName: 'one', conditions: { ready: isReady } }],
    },
    { namespace: 'bench', labels: { 'kubernetes.io/service-name': `local-${n}` } },
  )
