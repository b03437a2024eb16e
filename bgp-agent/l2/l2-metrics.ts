import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { AgentState } from './messages.ts'
import type { L2Plan } from './plan/l2-plan.ts'

const ofAddress = ['ip', 'interface'] as const

/** What the agent tells Prometheus: MetalLB's names where it has them, so that its dashboards go on. */
export function l2Metrics(node: string, plan: () => L2Plan, state: () => Promise<AgentState>): Registry {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const requests = new Gauge({
    name: 'metallb_layer2_requests_received',
    help: 'ARP requests and neighbor solicitations for an address that this node has.',
    labelNames: ofAddress,
    registers,
  })
  const responses = new Gauge({
    name: 'metallb_layer2_responses_sent',
    help: 'Answers to them.',
    labelNames: ofAddress,
    registers,
  })
  const gratuitous = new Gauge({
    name: 'metallb_layer2_gratuitous_sent',
    help: 'Announcements that nobody has asked for.',
    labelNames: ofAddress,
    registers,
  })
  const peers = new Gauge({
    name: 'landfall_l2_peers',
    help: 'Other nodes on the network of an interface, by what they are to this one.',
    labelNames: ['interface', 'state'],
    registers,
  })
  const dropped = new Gauge({
    name: 'landfall_l2_dropped_heartbeats',
    help: 'Datagrams that are no heartbeat, or not one of a node with the same key.',
    labelNames: ['interface', 'reason'],
    registers,
  })
  const takeovers = new Gauge({
    name: 'landfall_l2_takeovers',
    help: 'Addresses that this node has taken over from another.',
    labelNames: ['interface'],
    registers,
  })
  new Gauge({
    name: 'metallb_speaker_announced',
    help: 'Whether this node answers for an address of a Service: 1, or 0 while another node does.',
    labelNames: ['service', 'protocol', 'node', 'ip'],
    registers,
    async collect() {
      const { networks, answers } = await state()
      for (const gauge of [this, requests, responses, gratuitous, peers, dropped, takeovers]) gauge.reset()
      const answered = new Set(answers.filter((entry) => entry.state === 'answering').map(({ address }) => address))
      for (const { address: ip, sources } of plan().addresses)
        for (const source of sources) {
          const [, service = ''] = source.split(' ')
          this.set({ service, protocol: 'layer2', node, ip }, answered.has(ip) ? 1 : 0)
        }
      for (const entry of answers) {
        const labels = { ip: entry.address, interface: entry.interface }
        requests.set(labels, entry.requests)
        responses.set(labels, entry.answers)
        gratuitous.set(labels, entry.gratuitous)
      }
      for (const network of networks) {
        takeovers.set({ interface: network.interface }, network.takeovers)
        for (const [reason, count = 0] of Object.entries(network.dropped))
          dropped.set({ interface: network.interface, reason }, count)
        for (const { state } of network.peers) peers.inc({ interface: network.interface, state })
      }
    },
  })
  return registry
}
