import { formatAddress, parseAddress } from '../address.ts'
import type { AgentState, NetworkStatus, PeerStatus } from './messages.ts'
import type { L2Plan, PlannedAddress, WithheldAddress } from './plan/l2-plan.ts'
import type { ResponderEntry } from './responder.ts'

/** What becomes of an address on a node. */
export interface L2Explanation {
  readonly node: string
  readonly address: string
  /** undefined: the node may not answer for it. */
  readonly planned: Pick<PlannedAddress, 'preference' | 'sources'> | undefined
  readonly interfaces: readonly ExplainedInterface[]
  readonly withheld: readonly WithheldAddress[]
}

export interface ExplainedInterface {
  readonly interface: string
  /** `planned`: there is no agent to ask. `here`: this node answers. `elsewhere`: another does. `nowhere`: none does, for now. */
  readonly state: 'planned' | 'here' | 'elsewhere' | 'nowhere'
  /** Who has it. */
  readonly owner: string | undefined
  /** A clause; empty where there is nothing to say. */
  readonly why: string
}

/** Of a node's plan, and of its elections where an agent has them. undefined where `text` is no address. */
export function explainL2(node: string, text: string, plan: L2Plan, state?: AgentState): L2Explanation | undefined {
  const octets = parseAddress(text)
  if (octets === undefined) return undefined
  const address = formatAddress(octets)
  const planned = plan.addresses.find((each) => each.address === address)
  const withheld = plan.withheld.filter((each) => each.address === address)
  const missing = plan.keys.length === 0 ? (plan.conditions.find(isMissingKey)?.message ?? '') : ''
  const interfaces = (planned?.interfaces ?? []).map((name): ExplainedInterface => {
    if (missing !== '') return { interface: name, state: 'nowhere', owner: undefined, why: missing }
    if (state === undefined) return { interface: name, state: 'planned', owner: undefined, why: '' }
    const network = state.networks.find((each) => each.interface === name)
    const answer = state.answers.find((each) => each.interface === name && each.address === address)
    return { interface: name, ...explainNetwork(address, network, answer) }
  })
  return {
    node,
    address,
    planned: planned && { preference: planned.preference, sources: planned.sources },
    interfaces,
    withheld,
  }
}

const isMissingKey = ({ type }: L2Plan['conditions'][number]): boolean => type === 'landfall.dev/MissingHeartbeatKey'

function explainNetwork(
  address: string,
  network: NetworkStatus | undefined,
  answer: ResponderEntry | undefined,
): Omit<ExplainedInterface, 'interface'> {
  const nowhere = (why: string) => ({ state: 'nowhere', owner: undefined, why }) as const
  if (network === undefined) return nowhere('the agent has not begun there')
  if (network.fault !== undefined) return nowhere(`peers cannot be met there: ${network.fault}`)
  const owner = network.owners.find((each) => each.address === address)
  if (owner === undefined)
    return nowhere(network.isReady ? 'another host has it, and it is left alone' : 'this node still listens for others')
  if (!owner.isHere) return { state: 'elsewhere', owner: owner.node, why: 'it is the one elected of those who may' }
  return { state: 'here', owner: owner.node, why: whyHere(answer, network.peers) }
}

function whyHere(answer: ResponderEntry | undefined, peers: readonly PeerStatus[]): string {
  if (answer?.state === 'probing') return 'it asks whether another host has it'
  if (answer?.state === 'conflict') return 'another host has it'
  if (answer?.state === 'waiting') return 'the interface is down'
  const alive = peers.filter(({ state }) => state === 'alive' || state === 'suspect').length
  return alive === 0
    ? 'no other node is there'
    : `it is the one elected of those who may, ${alive + 1} nodes being there`
}
