import type { AgentState } from './messages.ts'
import type { L2Plan } from './plan/l2-plan.ts'

/** What `landfall l2 status` asks the agent of this machine. */
export interface L2Status extends Pick<L2Plan, 'withheld' | 'conditions' | 'faults'> {
  readonly node: string
  readonly networks: AgentState['networks']
  readonly addresses: readonly AddressEntry[]
}

/** An address that this node may answer for, on one interface. */
export interface AddressEntry {
  readonly address: string
  readonly interface: string
  /** undefined: nobody that this node knows of. */
  readonly owner: string | undefined
  /** `standby`: another node has it. Otherwise what this node does: `listening` for others before all else, then as the responder
   *  says. */
  readonly state: 'listening' | 'standby' | 'probing' | 'answering' | 'conflict' | 'waiting'
  readonly requests: number
  readonly answers: number
  readonly gratuitous: number
}

export function l2Status(node: string, plan: L2Plan, { networks, answers }: AgentState): L2Status {
  const { addresses, withheld, conditions, faults } = plan
  const entries = addresses.flatMap(({ address, interfaces }) =>
    interfaces.map((name): AddressEntry => {
      const network = networks.find((each) => each.interface === name)
      const owner = network?.owners.find((each) => each.address === address)
      const answer = answers.find((each) => each.interface === name && each.address === address)
      const { requests = 0, answers: answered = 0, gratuitous = 0 } = answer ?? {}
      const alone = network?.isReady ? 'conflict' : 'listening'
      const state = owner === undefined ? alone : owner.isHere ? (answer?.state ?? 'waiting') : 'standby'
      return { address, interface: name, owner: owner?.node, state, requests, answers: answered, gratuitous }
    }),
  )
  return { node, networks, addresses: entries, withheld, conditions, faults }
}
