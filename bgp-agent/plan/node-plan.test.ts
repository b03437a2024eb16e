import { expect, test } from 'vitest'
import { parseManifests } from '../../kube/manifests.ts'
import type { DefaultRoute } from '../sys/default-routes.ts'
import { nodeObjects } from './node-objects.ts'
import { type NodePlan, planNode } from './node-plan.ts'
import { describeAttributes } from './route-attributes.ts'

const base = `
apiVersion: v1
kind: Node
metadata: { name: one, labels: { rack: a } }
spec: { podCIDRs: [10.1.0.0/24, "fd00:1::/64"] }
status: { addresses: [{ type: InternalIP, address: 192.0.2.1 }] }
---
apiVersion: cilium.io/v2
kind: CiliumBGPClusterConfig
metadata: { name: rack-a }
spec:
  nodeSelector: { matchLabels: { rack: a } }
  bgpInstances:
    - name: main
      localASN: 65001
      peers: [{ name: tor, peerAddress: 192.0.2.254, peerASN: 65000, peerConfigRef: { name: tor } }]
---
apiVersion: cilium.io/v2
kind: CiliumBGPPeerConfig
metadata: { name: tor }
spec:
  families:
    - { afi: ipv4, safi: unicast, advertisements: { matchLabels: { to: tor } } }
    - { afi: ipv6, safi: unicast, advertisements: { matchLabels: { to: tor } } }
`

const advertisement = (items: string, name = 'all', kind = 'cilium.io/v2 CiliumBGPAdvertisement'): string => {
  const [apiVersion, kindName] = kind.split(' ')
  return `
---
apiVersion: ${apiVersion}
kind: ${kindName}
metadata: { name: ${name}, labels: { to: tor } }
spec: { advertisements: [${items}] }
`
}

const service = (name: string, spec: string, status = '', annotations = '{}'): string => `
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop, labels: { public: "yes" }, annotations: ${annotations} }
spec: { ports: [{ port: 80 }], ${spec} }
${status}
`

const balanced = (name: string, ip: string, spec = '', annotations = '{}'): string =>
  service(name, `type: LoadBalancer, ${spec}`, `status: { loadBalancer: { ingress: [{ ip: "${ip}" }] } }`, annotations)

const endpoint = (service: string, node: string, conditions: string): string => `
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${service}-${node}, namespace: shop, labels: { kubernetes.io/service-name: ${service} } }
addressType: IPv4
endpoints: [{ addresses: [10.1.0.9], nodeName: ${node}, conditions: { ${conditions} } }]
`

const defaultRoutes: readonly DefaultRoute[] = [
  { family: 'ipv4', gateway: '192.0.2.7', interface: 'eth0', metric: 100 },
  { family: 'ipv4', gateway: '192.0.2.8', interface: 'eth1', metric: 200 },
  { family: 'ipv6', gateway: 'fe80::7%eth1', interface: 'eth1', metric: 1024 },
]

function plan(manifests: string, objects = base): NodePlan {
  const loaded = parseManifests('test.yaml', objects + manifests)
  expect(loaded.problems).toEqual([])
  return planNode(nodeObjects(loaded.objects), {
    nodeName: 'one',
    secretNamespace: 'kube-system',
    machine: {
      interfaces: new Map([['lo', ['192.0.2.99', '2001:db8::99']]]),
      defaultRoutes,
    },
  })
}

const routesOf = ({ instances }: NodePlan): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...(instances[0]?.peers[0]?.routes ?? [])].map(([prefix, attributes]) => [
      prefix,
      describeAttributes(attributes).join(', '),
    ]),
  )

const byType = (...types: readonly string[]): string =>
  `{ advertisementType: Service, service: { addresses: [${types.join(', ')}] }, selector: { matchLabels: { public: "yes" } } }`

test('a node has the instance and the peers of the configuration that selects it', () => {
  const { instances, conditions, faults } = plan('')
  expect([conditions, faults]).toEqual([[], []])
  expect(instances).toMatchObject([
    {
      name: 'main',
      asn: 65001,
      routerId: '192.0.2.1',
      localPort: undefined,
      peers: [{ name: 'tor', address: '192.0.2.254', asn: 65000 }],
    },
  ])
})

test('PodCIDRs are announced to those whose family it is', () => {
  expect(routesOf(plan(advertisement('{ advertisementType: PodCIDR }')))).toEqual({
    '10.1.0.0/24': '',
    'fd00:1::/64': '',
  })
})

test('without an advertisement that its labels select, a peer is told nothing', () => {
  expect(routesOf(plan(advertisement('{ advertisementType: PodCIDR }').replace('to: tor', 'to: other')))).toEqual({})
})

test('a Service is announced by the types of addresses that are asked for', () => {
  const web = service(
    'web',
    'type: LoadBalancer, clusterIP: 10.96.0.1, externalIPs: [198.51.100.7]',
    'status: { loadBalancer: { ingress: [{ ip: 203.0.113.1 }] } }',
  )
  for (const [type, prefix] of [
    ['LoadBalancerIP', '203.0.113.1/32'],
    ['ClusterIP', '10.96.0.1/32'],
    ['ExternalIP', '198.51.100.7/32'],
  ] as const)
    expect(routesOf(plan(web + advertisement(byType(type))))).toEqual({ [prefix]: '' })
})

test('an advertisement without a selector selects no Service', () => {
  const all = '{ advertisementType: Service, service: { addresses: [LoadBalancerIP] } }'
  expect(routesOf(plan(balanced('web', '203.0.113.1') + advertisement(all)))).toEqual({})
})

test('a Service can be selected by its name and namespace', () => {
  const named =
    '{ advertisementType: Service, service: { addresses: [LoadBalancerIP] }, selector: { matchLabels: { io.kubernetes.service.namespace: shop, io.kubernetes.service.name: web } } }'
  const manifests = balanced('web', '203.0.113.1') + balanced('api', '203.0.113.2') + advertisement(named)
  expect(routesOf(plan(manifests))).toEqual({ '203.0.113.1/32': '' })
})

test.for<[string, boolean, string]>([
  ['a ready endpoint here', true, endpoint('web', 'one', 'ready: true')],
  ['an endpoint here of which nothing is known', true, endpoint('web', 'one', '')],
  [
    'an endpoint here that still serves while it ends',
    true,
    endpoint('web', 'one', 'ready: false, serving: true, terminating: true'),
  ],
  ['an endpoint here that is not ready', false, endpoint('web', 'one', 'ready: false')],
  ['an endpoint elsewhere only', false, endpoint('web', 'two', 'ready: true')],
  ['no endpoint', false, ''],
])('with the policy Local and %s, a Service is announced: %s', ([, isAnnounced, slices]) => {
  const { withheld, ...rest } = plan(
    balanced('web', '203.0.113.1', 'externalTrafficPolicy: Local') + slices + advertisement(byType('LoadBalancerIP')),
  )
  expect(Object.keys(routesOf({ withheld, ...rest }))).toEqual(isAnnounced ? ['203.0.113.1/32'] : [])
  expect(withheld.map(({ prefix }) => prefix)).toEqual(isAnnounced ? [] : ['203.0.113.1/32'])
})

test('a Service of a class that is not ours is withheld, with the reason', () => {
  const { withheld } = plan(
    balanced('web', '203.0.113.1', 'loadBalancerClass: example.com/other') + advertisement(byType('LoadBalancerIP')),
  )
  expect(withheld).toEqual([
    {
      prefix: '203.0.113.1/32',
      source: 'Service shop/web LoadBalancerIP by advertisement all',
      why: 'its loadBalancerClass example.com/other is announced by something else',
    },
  ])
})

test('an aggregate has the communities of all its addresses, the highest preference, and no address of policy Local', () => {
  const item = (community: string, preference: number): string =>
    `{ advertisementType: Service, service: { addresses: [LoadBalancerIP], aggregationLengthIPv4: 24 }, selector: { matchLabels: { public: "yes" } }, attributes: { localPreference: ${preference}, communities: { standard: ["${community}"] } } }`
  const manifests =
    balanced('a', '203.0.113.1') +
    balanced('b', '203.0.113.2') +
    balanced('c', '203.0.113.3', 'externalTrafficPolicy: Local') +
    endpoint('c', 'one', 'ready: true') +
    advertisement(item('65001:1', 50), 'first') +
    advertisement(item('65001:2', 200), 'second')
  expect(routesOf(plan(manifests))).toEqual({
    '203.0.113.0/24': 'local preference 200, communities 65001:1 65001:2',
    '203.0.113.3/32': 'local preference 200, communities 65001:1 65001:2',
  })
})

test('our own kinds say MED, prepend and Gateways, too', () => {
  const gateway = `
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: web, namespace: shop, labels: { public: "yes" } }
spec: { gatewayClassName: landfall, addresses: [{ type: IPAddress, value: 203.0.113.9 }], listeners: [{ name: http, port: 80, protocol: HTTP }] }
`
  const item =
    '{ advertisementType: Gateway, selector: {}, attributes: { med: 5, prepend: 2, communities: { large: ["65001:1:2"], wellKnown: [no-export] } } }'
  const manifests = gateway + advertisement(item, 'all', 'landfall.dev/v1alpha1 BGPAdvertisement')
  expect(routesOf(plan(manifests))).toEqual({
    '203.0.113.9/32': 'prepend 2, med 5, communities 65535:65281, large communities 65001:1:2',
  })
})

test('a Service adds communities of its own by an annotation, and a bad one is told', () => {
  const web = balanced('web', '203.0.113.1', '', '{ landfall.dev/bgp-communities: "65001:7, no-export, nonsense" }')
  const result = plan(web + advertisement(byType('LoadBalancerIP')))
  expect(routesOf(result)).toEqual({ '203.0.113.1/32': 'communities 65001:7 65535:65281' })
  expect(result.faults).toEqual([
    'Service shop/web: annotation landfall.dev/bgp-communities: "nonsense" is no community',
  ])
})

test('addresses of an interface are announced', () => {
  expect(
    Object.keys(routesOf(plan(advertisement('{ advertisementType: Interface, interface: { name: lo } }')))),
  ).toEqual(['192.0.2.99/32', '2001:db8::99/128'])
})

test('what is missing or in conflict becomes a condition', () => {
  const second = `
---
apiVersion: landfall.dev/v1alpha1
kind: BGPClusterConfig
metadata: { name: zz }
spec: { bgpInstances: [{ name: other, localASN: 65009 }] }
---
apiVersion: cilium.io/v2alpha1
kind: CiliumBGPClusterConfig
metadata: { name: nowhere }
spec: { nodeSelector: { matchLabels: { rack: z } }, bgpInstances: [{ name: other, localASN: 65009 }] }
`
  const { instances, conditions } = plan(second)
  expect(instances.map(({ name }) => name)).toEqual(['main'])
  expect(conditions.map(({ object, type }) => [object, type])).toEqual([
    ['CiliumBGPClusterConfig nowhere', 'cilium.io/NoMatchingNode'],
    ['BGPClusterConfig zz', 'cilium.io/ConflictingClusterConfig'],
  ])
})

test('a peer whose password is missing has no session, and a condition says why', () => {
  const { instances, conditions } = plan('', base.replace('  families:', '  authSecretRef: bgp\n  families:'))
  expect([instances[0]?.peers, conditions[0]?.type]).toEqual([[], 'cilium.io/MissingAuthSecret'])
})

test('an empty password is a missing one', () => {
  const secret = `
---
apiVersion: v1
kind: Secret
metadata: { name: bgp, namespace: kube-system }
stringData: { password: "" }
`
  const { instances, conditions } = plan(secret, base.replace('  families:', '  authSecretRef: bgp\n  families:'))
  expect([instances[0]?.peers, conditions[0]?.type]).toEqual([[], 'cilium.io/MissingAuthSecret'])
})

test('an override changes what is this node alone', () => {
  const override = `
---
apiVersion: cilium.io/v2
kind: CiliumBGPNodeConfigOverride
metadata: { name: one }
spec: { bgpInstances: [{ name: main, routerID: 10.0.0.1, localASN: 65077, localPort: 1179, peers: [{ name: tor, localAddress: 192.0.2.7 }] }] }
`
  expect(plan(override).instances).toMatchObject([
    { asn: 65077, routerId: '10.0.0.1', localPort: 1179, peers: [{ localAddress: '192.0.2.7' }] },
  ])
})

test.for([
  ['autoDiscovery: { mode: DefaultGateway, defaultGateway: { addressFamily: ipv4 } }', '192.0.2.7', ''],
  ['autoDiscovery: { mode: DefaultGateway, defaultGateway: { addressFamily: ipv6 } }', 'fe80::7%eth1', ''],
  ['autoDiscovery: { mode: Unnumbered, unnumbered: { interface: eth1 } }', 'fe80::7%eth1', ''],
  [
    'autoDiscovery: { mode: Unnumbered, unnumbered: { interface: eth9 } }',
    undefined,
    'peer tor: it is to be the default gateway at interface eth9, and this machine has none',
  ],
  ['peerASN: 65000', undefined, 'peer tor has neither peerAddress nor autoDiscovery'],
])('a peer with %s is found at %s', ([how, address, fault]) => {
  const { instances, faults } = plan('', base.replace('peerAddress: 192.0.2.254, peerASN: 65000', how ?? ''))
  expect(instances[0]?.peers[0]?.address).toBe(address)
  expect(faults.join()).toBe(fault)
})
