import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { AgentState } from './messages.ts'
import type { L2Plan } from './plan/l2-plan.ts'

/** What the agent tells Prometheus: MetalLB's names where it has them, so that its dashboards go on. */
export class L2Metrics {
  readonly #node: string
  readonly #registry = new Registry()
  readonly #gauges: Gauge[] = []
  readonly #announced = this.#gauge(
    'metallb_speaker_announced',
    'Whether this node answers for an address of a Service or a Gateway: 1, or 0 while another node does.',
    ['service', 'protocol', 'node', 'ip'],
  )
  readonly #requests = this.#gauge(
    'metallb_layer2_requests_received',
    'ARP requests and neighbor solicitations for an address that this node has.',
    ['ip', 'interface'],
  )
  readonly #responses = this.#gauge('metallb_layer2_responses_sent', 'Answers to them.', ['ip', 'interface'])
  readonly #gratuitous = this.#gauge(
    'metallb_layer2_gratuitous_sent',
    'Announcements of an address that nobody has asked for.',
    ['ip', 'interface'],
  )
  readonly #peers = this.#gauge(
    'landfall_l2_peers',
    'Other nodes on the network of an interface, by what they are to this one.',
    ['interface', 'state'],
  )
  readonly #takeovers = this.#gauge(
    'landfall_l2_takeovers',
    'Addresses that this node has taken over from another, since it is on the network.',
    ['interface'],
  )
  readonly #dropped = this.#gauge(
    'landfall_l2_dropped_heartbeats',
    'Datagrams that are no heartbeat, or not one of a node with the same key.',
    ['interface', 'reason'],
  )

  constructor(node: string) {
    this.#node = node
    collectDefaultMetrics({ register: this.#registry })
  }

  /** In the Prometheus text format. */
  text(plan: L2Plan, state: AgentState): Promise<string> {
    // Not those of the process, which count on.
    for (const gauge of this.#gauges) gauge.reset()
    this.#setAddresses(plan, state)
    for (const { interface: name, takeovers, dropped, peers } of state.networks) {
      this.#takeovers.set({ interface: name }, takeovers)
      for (const [reason, count = 0] of Object.entries(dropped)) this.#dropped.set({ interface: name, reason }, count)
      for (const { state } of peers) this.#peers.inc({ interface: name, state })
    }
    return this.#registry.metrics()
  }

  #setAddresses({ addresses }: L2Plan, { answers }: AgentState): void {
    const answered = new Set(answers.filter(({ state }) => state === 'answering').map(({ address }) => address))
    for (const { address: ip, sources } of addresses)
      for (const source of sources) {
        const [, service = ''] = source.split(' ')
        this.#announced.set({ service, protocol: 'layer2', node: this.#node, ip }, answered.has(ip) ? 1 : 0)
      }
    for (const { address: ip, interface: name, requests, answers: answersSent, gratuitous } of answers) {
      this.#requests.set({ ip, interface: name }, requests)
      this.#responses.set({ ip, interface: name }, answersSent)
      this.#gratuitous.set({ ip, interface: name }, gratuitous)
    }
  }

  #gauge<T extends string>(name: string, help: string, labelNames: readonly T[]): Gauge<T> {
    const gauge = new Gauge({ name, help, labelNames: [...labelNames], registers: [this.#registry] })
    this.#gauges.push(gauge)
    return gauge
  }
}
