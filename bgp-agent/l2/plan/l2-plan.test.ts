import { expect, test } from 'vitest'
import { parseManifests } from '../../../kube/manifests.ts'
import { nodeObjects } from '../../plan/node-objects.ts'
import type { L2Machine } from './announcement-policy.ts'
import { type L2Plan, planL2 } from './l2-plan.ts'

const secret = `
---
apiVersion: v1
kind: Secret
metadata: { name: landfall-l2, namespace: kube-system }
stringData: { key: 0123456789abcdef }
`

const base = `
apiVersion: v1
kind: Node
metadata: { name: one, labels: { role: edge } }
---
apiVersion: v1
kind: Node
metadata: { name: two, labels: { role: inner } }
${secret}`

const policy = (spec: string, name = 'lan', kind = 'landfall.dev/v1alpha1 L2AnnouncementPolicy'): string => {
  const [apiVersion, kindName] = kind.split(' ')
  return `
---
apiVersion: ${apiVersion}
kind: ${kindName}
metadata: { name: ${name} }
spec: { ${spec} }
`
}

const cilium = (spec: string): string => policy(spec, 'lan', 'cilium.io/v2alpha1 CiliumL2AnnouncementPolicy')

const service = (name: string, ip: string, spec = ''): string => `
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop, labels: { app: ${name} } }
spec: { type: LoadBalancer, ports: [{ port: 80 }], ${spec} }
status: { loadBalancer: { ingress: [{ ip: "${ip}" }] } }
`

const endpoint = (service: string, node: string, ready: boolean): string => `
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${service}-${node}, namespace: shop, labels: { kubernetes.io/service-name: ${service} } }
addressType: IPv4
endpoints: [{ addresses: [10.1.0.9], nodeName: ${node}, conditions: { ready: ${ready} } }]
`

const machine: L2Machine = {
  networks: new Map([
    ['eth0', ['192.168.1.10/24', 'fe80::1/64', '2001:db8:1::10/64']],
    ['eth1', ['10.20.0.10/16', '192.168.1.240/32']],
    ['cni0', ['10.42.0.1/24']],
  ]),
  defaultRoutes: [{ family: 'ipv4', gateway: '10.20.0.1', interface: 'eth1', metric: 0 }],
}

function plan(manifests: string, { nodeName = 'one', objects = base } = {}): L2Plan {
  const loaded = parseManifests('test.yaml', objects + manifests)
  expect(loaded.problems).toEqual([])
  return planL2(nodeObjects(loaded.objects), { nodeName, secretNamespace: 'kube-system', machine })
}

const places = ({ addresses }: L2Plan): Readonly<Record<string, string>> =>
  Object.fromEntries(addresses.map(({ address, interfaces }) => [address, interfaces.join(' ')]))
const reasons = ({ withheld }: L2Plan): readonly string[] =>
  withheld.map(({ address, source, why }) => `${address} of ${source}: ${why}`)

const web = service('web', '192.168.1.240')

test('an address is answered for where its network is', () => {
  expect(places(plan(policy('') + web))).toEqual({ '192.168.1.240': 'eth0' })
  expect(places(plan(policy('') + service('web', '2001:DB8:1:0::f0')))).toEqual({ '2001:db8:1::f0': 'eth0' })
})

test('an address of no network is answered for where the default route leads', () => {
  expect(places(plan(policy('') + service('web', '203.0.113.1')))).toEqual({ '203.0.113.1': 'eth1' })
})

test('without that, it is answered for everywhere', () => {
  expect(places(plan(policy('') + service('web', '2001:db8:9::1')))).toEqual({ '2001:db8:9::1': 'eth0 eth1 cni0' })
})

test('patterns name interfaces, any of them', () => {
  expect(places(plan(policy('interfaces: ["^eth1$", cni]') + web))).toEqual({ '192.168.1.240': 'eth1 cni0' })
})

test('a pattern that is not taken is a condition, and the others go on', () => {
  const made = plan(policy('interfaces: ["eth(?=0)", "^eth1$"]') + web)
  expect(made.conditions).toMatchObject([
    { object: 'L2AnnouncementPolicy lan', type: 'landfall.dev/BadInterfacePattern' },
  ])
  expect(places(made)).toEqual({ '192.168.1.240': 'eth1' })
  const none = plan(policy('interfaces: ["\\\\pL"]') + web)
  expect(reasons(none)).toEqual([
    '192.168.1.240 of Service shop/web LoadBalancerIP: of the interfaces of node one none fits L2AnnouncementPolicy lan',
  ])
})

test("of Cilium's kind both types of addresses are off unless they are asked for, of ours externalIPs alone", () => {
  const both = service('web', '192.168.1.240', 'externalIPs: [192.168.1.241]')
  expect(places(plan(cilium('') + both))).toEqual({})
  expect(reasons(plan(cilium('') + both))).toEqual([
    '192.168.1.240 of Service shop/web LoadBalancerIP: CiliumL2AnnouncementPolicy lan has loadBalancerIPs: false',
    '192.168.1.241 of Service shop/web ExternalIP: CiliumL2AnnouncementPolicy lan has externalIPs: false',
  ])
  expect(places(plan(cilium('externalIPs: true') + both))).toEqual({ '192.168.1.241': 'eth0' })
  expect(places(plan(policy('') + both))).toEqual({ '192.168.1.240': 'eth0' })
})

test('a policy selects nodes and Services', () => {
  const edge = policy('nodeSelector: { matchLabels: { role: edge } }, serviceSelector: { matchLabels: { app: web } }')
  const objects = edge + web + service('other', '192.168.1.241')
  expect(places(plan(objects))).toEqual({ '192.168.1.240': 'eth0' })
  expect(reasons(plan(objects))).toEqual([
    '192.168.1.241 of Service shop/other LoadBalancerIP: no L2 announcement policy selects it',
  ])
  expect(reasons(plan(objects, { nodeName: 'two' }))).toContain(
    '192.168.1.240 of Service shop/web LoadBalancerIP: L2AnnouncementPolicy lan does not select node two',
  )
})

test('a policy can select by name and namespace', () => {
  const byName =
    'serviceSelector: { matchLabels: { io.kubernetes.service.name: web, io.kubernetes.service.namespace: shop } }'
  expect(places(plan(policy(byName) + web + service('other', '192.168.1.241')))).toEqual({ '192.168.1.240': 'eth0' })
})

test('a policy that is for no node is a condition', () => {
  expect(plan(policy('nodeSelector: { matchLabels: { role: none } }')).conditions).toMatchObject([
    { object: 'L2AnnouncementPolicy lan', type: 'landfall.dev/NoMatchingNode' },
  ])
})

test('externalTrafficPolicy Local has an address answered for only where an endpoint is ready', () => {
  const local = policy('') + service('web', '192.168.1.240', 'externalTrafficPolicy: Local')
  expect(places(plan(local + endpoint('web', 'one', true)))).toEqual({ '192.168.1.240': 'eth0' })
  expect(reasons(plan(local + endpoint('web', 'one', false)))[0]).toContain('no endpoint of it on this node is ready')
  const elsewhere = plan(local + endpoint('web', 'two', true))
  expect(reasons(elsewhere)[0]).toContain('it has no endpoint on this node')
  // Peers are met all the same, so that it is not late when an endpoint comes.
  expect([...elsewhere.interfaces.keys()]).toEqual(['eth0'])
})

test.for<[string, boolean]>([
  ['io.cilium/l2-announcer', true],
  ['landfall.dev/l2', true],
  ['landfall.dev/bgp', false],
  ['example.com/other', false],
])('a Service of loadBalancerClass %s: %s', ([name, isOurs]) => {
  const made = plan(policy('') + service('web', '192.168.1.240', `loadBalancerClass: ${name}`))
  expect(made.addresses.length === 1).toBe(isOurs)
  expect(made.withheld.length === 0).toBe(isOurs)
})

const gateway = (controller: string): string => `
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: edge }
spec: { controllerName: ${controller} }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: web, namespace: shop, labels: { app: gate } }
spec:
  gatewayClassName: edge
  addresses: [{ value: 192.168.1.250 }, { type: Hostname, value: gate.example.com }]
  listeners: [{ name: http, protocol: HTTP, port: 80 }]
`

test('a Gateway is selected like the Service that others make of it', () => {
  const ours = gateway('landfall.dev/gateway-controller')
  expect(places(plan(policy('') + ours))).toEqual({ '192.168.1.250': 'eth0' })
  const byName = 'serviceSelector: { matchLabels: { gateway.networking.k8s.io/gateway-name: web, app: gate } }'
  expect(plan(policy(byName) + ours).addresses[0]?.sources).toEqual([
    'Gateway shop/web LoadBalancerIP by L2AnnouncementPolicy lan',
  ])
})

test('the Gateway of another controller is none of ours', () => {
  expect(reasons(plan(policy('') + gateway('example.com/other')))).toEqual([
    '192.168.1.250 of Gateway shop/web LoadBalancerIP: its GatewayClass edge is of another controller',
  ])
})

test('an address that two policies have is answered for where either says, with the greater preference', () => {
  const preferred = 'preferredNodes: [{ weight: 50, nodeSelector: { matchLabels: { role: edge } } }]'
  const made = plan(policy(`interfaces: [eth0], ${preferred}`) + policy('interfaces: [eth1]', 'other') + web)
  expect(made.addresses).toMatchObject([
    {
      address: '192.168.1.240',
      interfaces: ['eth0', 'eth1'],
      preference: 50,
      sources: [{}, {}].map(() => expect.any(String)),
    },
  ])
})

test('weights of all preferences that fit a node are added up', () => {
  const term = (weight: number, role: string): string =>
    `{ weight: ${weight}, nodeSelector: { matchExpressions: [{ key: role, operator: In, values: [${role}] }] } }`
  const preferred = policy(`preferredNodes: [${term(50, 'edge')}, ${term(7, 'edge')}, ${term(30, 'inner')}]`) + web
  expect(plan(preferred).addresses[0]?.preference).toBe(57)
  expect(plan(preferred, { nodeName: 'two' }).addresses[0]?.preference).toBe(30)
})

test('of an interface the fastest timers are in force', () => {
  const timingOf = (...specs: readonly string[]) =>
    plan(specs.map((spec, i) => policy(`interfaces: [eth0], ${spec}`, `p${i}`)).join('')).interfaces.get('eth0')
  expect(timingOf('')).toEqual({ interval: 200, detection: 700 })
  expect(timingOf('', 'timers: fast')).toEqual({ interval: 40, detection: 180 })
  expect(timingOf('intervals: { heartbeatMilliseconds: 500, detectionMilliseconds: 2000 }')).toEqual({
    interval: 500,
    detection: 2000,
  })
})

test('without a key there is nobody to agree with, and that is a condition', () => {
  const objects = base.replace(secret, '')
  const made = plan(policy('') + web, { objects })
  expect(made.keys).toEqual([])
  expect(made.conditions).toMatchObject([
    { object: 'Secret kube-system/landfall-l2', type: 'landfall.dev/MissingHeartbeatKey' },
  ])
  expect(plan(policy('') + web, { objects: base.replace('0123456789abcdef', 'short') }).keys).toEqual([])
})

test('the key signs, and another is believed beside it', () => {
  const both = base.replace('key: 0123456789abcdef', 'key: 0123456789abcdef, otherKey: fedcba9876543210')
  const texts = plan(policy(''), { objects: both }).keys.map((key) => new TextDecoder().decode(key))
  expect(texts).toEqual(['0123456789abcdef', 'fedcba9876543210'])
})

test('a node that no policy selects meets nobody and needs no key', () => {
  const made = plan(policy('nodeSelector: { matchLabels: { role: inner } }, interfaces: [eth0]') + web)
  expect([made.interfaces.size, made.keys.length, made.conditions]).toEqual([0, 0, []])
})
