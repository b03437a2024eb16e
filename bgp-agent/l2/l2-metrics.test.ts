import { expect, test } from 'vitest'
import { L2Metrics } from './l2-metrics.ts'
import type { AgentState } from './messages.ts'
import type { L2Plan } from './plan/l2-plan.ts'
import { timings } from './timing.ts'

const plan: L2Plan = {
  addresses: ['192.168.1.240', '192.168.1.241'].map((address, i) => ({
    address,
    octets: Uint8Array.of(192, 168, 1, 240 + i),
    interfaces: ['eth0'],
    preference: 0,
    sources: [`Service shop/web-${i} LoadBalancerIP by L2AnnouncementPolicy lan`],
  })),
  withheld: [],
  interfaces: new Map([['eth0', timings.default]]),
  keys: [],
  conditions: [],
  faults: [],
}

const peer = { says: 'ready', silence: 1, timing: timings.default } as const
const state: AgentState = {
  networks: [
    {
      interface: 'eth0',
      fault: undefined,
      isReady: true,
      timing: timings.default,
      peers: [
        { ...peer, node: 'two', state: 'alive' },
        { ...peer, node: 'three', state: 'alive' },
        { ...peer, node: 'four', state: 'dead' },
      ],
      owners: [],
      dropped: { signature: 7 },
      takeovers: 3,
    },
  ],
  answers: [
    { address: '192.168.1.240', interface: 'eth0', state: 'answering', requests: 5, answers: 4, gratuitous: 12 },
  ],
}

test("MetalLB's dashboards find their names, and the nodes of the network are counted", async () => {
  const metrics = new L2Metrics('one')
  await metrics.text(plan, { networks: [], answers: [] })
  const text = await metrics.text(plan, state)
  const lines = text.split('\n').filter((line) => /^(metallb|landfall)_/.test(line))
  expect(lines.sort()).toEqual([
    'landfall_l2_dropped_heartbeats{interface="eth0",reason="signature"} 7',
    'landfall_l2_peers{interface="eth0",state="alive"} 2',
    'landfall_l2_peers{interface="eth0",state="dead"} 1',
    'landfall_l2_takeovers{interface="eth0"} 3',
    'metallb_layer2_gratuitous_sent{ip="192.168.1.240",interface="eth0"} 12',
    'metallb_layer2_requests_received{ip="192.168.1.240",interface="eth0"} 5',
    'metallb_layer2_responses_sent{ip="192.168.1.240",interface="eth0"} 4',
    'metallb_speaker_announced{service="shop/web-0",protocol="layer2",node="one",ip="192.168.1.240"} 1',
    'metallb_speaker_announced{service="shop/web-1",protocol="layer2",node="one",ip="192.168.1.241"} 0',
  ])
})
