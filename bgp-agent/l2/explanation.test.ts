import { expect, test } from 'vitest'
import { parseManifests } from '../../kube/manifests.ts'
import { nodeObjects } from '../plan/node-objects.ts'
import { explainL2 } from './explanation.ts'
import { l2Status } from './l2-status.ts'
import type { AgentState, NetworkStatus } from './messages.ts'
import { planL2 } from './plan/l2-plan.ts'
import type { ResponderEntry } from './responder.ts'
import { timings } from './timing.ts'

const manifests = `
apiVersion: v1
kind: Secret
metadata: { name: landfall-l2, namespace: kube-system }
stringData: { key: 0123456789abcdef }
---
apiVersion: landfall.dev/v1alpha1
kind: L2AnnouncementPolicy
metadata: { name: lan }
spec: {}
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { type: LoadBalancer, externalIPs: [192.168.1.241], ports: [{ port: 80 }] }
status: { loadBalancer: { ingress: [{ ip: 192.168.1.240 }] } }
`

const planned = (text: string) =>
  planL2(nodeObjects(parseManifests('test.yaml', text).objects), {
    nodeName: 'one',
    secretNamespace: 'kube-system',
    machine: { networks: new Map([['eth0', ['192.168.1.10/24']]]), defaultRoutes: [] },
  })
const plan = planned(manifests)

const network = (parts: Partial<NetworkStatus>): NetworkStatus => ({
  interface: 'eth0',
  fault: undefined,
  isReady: true,
  timing: timings.default,
  peers: [{ node: 'two', state: 'alive', says: 'ready', silence: 20, timing: timings.default }],
  owners: [{ address: '192.168.1.240', node: 'one', isHere: true }],
  dropped: {},
  takeovers: 0,
  ...parts,
})

const answer = (state: ResponderEntry['state']): ResponderEntry => ({
  address: '192.168.1.240',
  interface: 'eth0',
  state,
  requests: 3,
  answers: 2,
  gratuitous: 1,
})

const state = (parts: Partial<NetworkStatus>, ...answers: readonly ResponderEntry[]): AgentState => ({
  networks: [network(parts)],
  answers,
})

const elsewhere = { owners: [{ address: '192.168.1.240', node: 'two', isHere: false }] }

test.for<[string, AgentState | undefined, string, string]>([
  ['without an agent it may', undefined, 'planned', ''],
  ['it does', state({}, answer('answering')), 'here', 'it is the one elected of those who may, 2 nodes being there'],
  ['it is alone', state({ peers: [] }, answer('answering')), 'here', 'no other node is there'],
  ['it asks first', state({}, answer('probing')), 'here', 'it asks whether another host has it'],
  ['another does', state(elsewhere), 'elsewhere', 'it is the one elected of those who may'],
  ['it listens', state({ isReady: false, owners: [] }), 'nowhere', 'this node still listens for others'],
  ['a foreign host has it', state({ owners: [] }), 'nowhere', 'another host has it, and it is left alone'],
  ['nobody can be met', state({ fault: 'no way' }), 'nowhere', 'peers cannot be met there: no way'],
  ['there is no agent on it', { networks: [], answers: [] }, 'nowhere', 'the agent has not begun there'],
])('whether a node answers for an address: %s', ([, agent, verdict, why]) => {
  const explanation = explainL2('one', '192.168.1.240', plan, agent)
  expect(explanation?.interfaces).toMatchObject([{ interface: 'eth0', state: verdict, why }])
  expect(explanation?.planned?.sources).toEqual(['Service shop/web LoadBalancerIP by L2AnnouncementPolicy lan'])
})

test('an address that is withheld says why', () => {
  expect(explainL2('one', '192.168.1.241', plan)).toMatchObject({
    planned: undefined,
    interfaces: [],
    withheld: [{ source: 'Service shop/web ExternalIP', why: 'L2AnnouncementPolicy lan has externalIPs: false' }],
  })
})

test('without a key the reason is that', () => {
  const [explained] =
    explainL2('one', '192.168.1.240', planned(manifests.replace('0123456789abcdef', 'x')))?.interfaces ?? []
  expect(explained?.why).toContain('needs a key "key" of 16 octets')
})

test('what is no address has no explanation', () => {
  expect(explainL2('one', 'web', plan)).toBeUndefined()
})

test.for<[AgentState, string, string | undefined]>([
  [state({}, answer('answering')), 'answering', 'one'],
  [state({}), 'waiting', 'one'],
  [state(elsewhere), 'standby', 'two'],
  [state({ isReady: false, owners: [] }), 'listening', undefined],
  [state({ owners: [] }), 'conflict', undefined],
])('the status of an address, %#', ([agent, expected, owner]) => {
  const { addresses } = l2Status('one', plan, agent)
  expect(addresses).toMatchObject([{ address: '192.168.1.240', interface: 'eth0', state: expected, owner }])
})
