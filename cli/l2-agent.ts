import { Command } from 'commander'
import { explainL2 } from '../bgp-agent/l2/explanation.ts'
import type { L2Machine } from '../bgp-agent/l2/plan/announcement-policy.ts'
import { planOf, secretOption, socketOption, thisMachine } from './l2-plan.ts'
import { remarks } from './node-plan.ts'
import { type AgentFlags, agentOptions, runAgent } from './run-agent.ts'

const command = new Command('agent')
  .description('answer ARP and NDP for addresses of Services and Gateways, in turn with the other nodes of the network')
  .addOption(secretOption())
  .addOption(socketOption())
  .option(
    '--own <interface>',
    'put addresses on this interface, as a rule lo, for as long as this node answers for them (takes CAP_NET_ADMIN)',
  )
for (const option of agentOptions(9967)) command.addOption(option)

export const agentCommand = command.action(async (flags: AgentFlags & { readonly own?: string }) => {
  const [{ L2Agent }, { l2Status }, { L2Metrics }] = await Promise.all([
    import('../bgp-agent/l2/l2-agent.ts'),
    import('../bgp-agent/l2/l2-status.ts'),
    import('../bgp-agent/l2/l2-metrics.ts'),
  ])
  const { node, own } = flags
  await runAgent<L2Machine>(flags, (ends) => {
    const agent = new L2Agent({ node, ownedOn: own }, ends)
    const metrics = new L2Metrics(node)
    let plan = planOf([], thisMachine(), flags)
    return {
      look: thisMachine,
      set: (objects, machine) => {
        plan = planOf(objects, machine, flags)
        agent.set(plan)
        return remarks(plan)
      },
      answers: {
        '/status': async () => l2Status(node, plan, await agent.ask()),
        '/explain': async ({ searchParams }) =>
          explainL2(node, searchParams.get('address') ?? '', plan, await agent.ask()),
      },
      metrics: async () => metrics.text(plan, await agent.ask()),
      stop: () => agent.stop(),
    }
  })
})
