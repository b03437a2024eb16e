import { expect, test } from 'vitest'
import { parseManifests } from '../kube/manifests.ts'
import { type Explanation, explainAddress } from './explanation.ts'
import { nodeObjects } from './plan/node-objects.ts'
import { type NodePlan, planNode } from './plan/node-plan.ts'
import { routePolicies } from './route-policies.ts'
import type { PeerReport } from './speaker.ts'
import type { SpeakerStatus } from './speaker-messages.ts'

const manifests = `
apiVersion: v1
kind: Node
metadata: { name: one }
spec: { podCIDRs: [10.1.0.0/24] }
status: { addresses: [{ type: InternalIP, address: 192.0.2.1 }] }
---
apiVersion: cilium.io/v2
kind: CiliumBGPClusterConfig
metadata: { name: all }
spec:
  bgpInstances:
    - name: main
      localASN: 65001
      peers:
        - { name: tor-a, peerAddress: 192.0.2.254, peerASN: 65000, peerConfigRef: { name: tor } }
        - { name: tor-b, peerAddress: 192.0.2.253, peerASN: 65000, peerConfigRef: { name: quiet } }
---
apiVersion: cilium.io/v2
kind: CiliumBGPPeerConfig
metadata: { name: tor }
spec: { families: [{ afi: ipv4, safi: unicast, advertisements: { matchLabels: { to: tor } } }] }
---
apiVersion: cilium.io/v2
kind: CiliumBGPPeerConfig
metadata: { name: quiet }
spec: { families: [{ afi: ipv4, safi: unicast }] }
---
apiVersion: cilium.io/v2
kind: CiliumBGPAdvertisement
metadata: { name: public, labels: { to: tor } }
spec:
  advertisements:
    - advertisementType: PodCIDR
    - advertisementType: Service
      service: { addresses: [LoadBalancerIP] }
      selector: { matchExpressions: [{ key: none, operator: DoesNotExist }] }
      attributes: { communities: { standard: ["65000:99"] } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { type: LoadBalancer, clusterIP: 10.96.0.1, ports: [{ port: 80 }] }
status: { loadBalancer: { ingress: [{ ip: 203.0.113.1 }] } }
---
apiVersion: v1
kind: Service
metadata: { name: local, namespace: shop }
spec: { type: LoadBalancer, externalTrafficPolicy: Local, ports: [{ port: 80 }] }
status: { loadBalancer: { ingress: [{ ip: 203.0.113.2 }] } }
`

const { objects: all } = parseManifests('test.yaml', manifests)
const objects = nodeObjects(all)
const plan: NodePlan = planNode(objects, {
  nodeName: 'one',
  secretNamespace: 'kube-system',
  machine: { interfaces: new Map(), defaultRoutes: [] },
})

const report = (parts: Partial<PeerReport>): PeerReport => ({
  instance: 'main',
  localAsn: 65001,
  name: 'tor-a',
  address: '192.0.2.254',
  port: 179,
  asn: 65000,
  isSeen: undefined,
  fault: undefined,
  state: 'active',
  establishedAt: undefined,
  session: undefined,
  received: { ipv4: 0, ipv6: 0 },
  advertised: { ipv4: 0, ipv6: 0 },
  ...parts,
})

const explain = (address: string, status?: SpeakerStatus): Explanation | undefined =>
  explainAddress('one', address, objects, plan, status)

const toldOf = (explanation: Explanation | undefined) =>
  explanation?.routes.flatMap(({ peers }) => peers.map(({ name, state, why }) => [name, state, why]))

test('an address has the route that holds it, with where that comes from and what is said of it', () => {
  expect(explain('203.0.113.1')?.routes).toEqual([
    {
      instance: 'main',
      prefix: '203.0.113.1/32',
      sources: ['Service shop/web LoadBalancerIP by advertisement public'],
      peers: [
        { name: 'tor-a', address: '192.0.2.254', state: 'planned', attributes: ['communities 65000:99'], why: '' },
        {
          name: 'tor-b',
          address: '192.0.2.253',
          state: 'not told',
          attributes: [],
          why: 'its peer configuration selects no such advertisement',
        },
      ],
    },
  ])
  expect(explain('10.1.0.77')?.routes.map(({ prefix }) => prefix)).toEqual(['10.1.0.0/24'])
})

test('with sessions, each peer is told or not, and why', () => {
  const routes = plan.instances[0]?.peers[0]?.routes ?? new Map()
  expect(toldOf(explain('203.0.113.1', { peers: [report({})], told: new Map() }))?.[0]).toEqual([
    'tor-a',
    'not told',
    'its session is active',
  ])
  expect(toldOf(explain('203.0.113.1', { peers: [report({})], told: new Map([['main/tor-a', routes]]) }))?.[0]).toEqual(
    ['tor-a', 'told', ''],
  )
})

test('an address that is withheld has a reason, also where no advertisement selects what has it', () => {
  const local = explain('203.0.113.2')
  expect(local?.routes).toEqual([])
  expect(local?.withheld.map(({ why }) => why)).toEqual([
    'its traffic policy is Local, and it has no endpoint on this node',
  ])
  expect(local?.unselected).toEqual([])
  expect(explain('10.96.0.1')).toMatchObject({ routes: [], withheld: [], unselected: ['Service shop/web ClusterIP'] })
})

test('an address that nothing has is not announced, and what is no address is not explained', () => {
  expect(explain('198.51.100.1')).toMatchObject({ routes: [], withheld: [], unselected: [] })
  expect(explain('example.com')).toBeUndefined()
})

test('the policies of a session let out its routes by what is said of them, nothing else, and nothing in', () => {
  const ofPeer = routePolicies(plan).filter(({ peer }) => peer === '192.0.2.254')
  expect(
    ofPeer.map(({ type, prefixes, action, attributes }) => [type, prefixes.join(), action, attributes.join()]),
  ).toEqual([
    ['export', '10.1.0.0/24', 'accept', ''],
    ['export', '203.0.113.1/32', 'accept', 'communities 65000:99'],
    ['export', '', 'reject', ''],
    ['import', '', 'reject', ''],
  ])
})
