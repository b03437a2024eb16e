import { Command } from 'commander'
import { explainAddress } from '../bgp-agent/explanation.ts'
import { type Machine, OfferMemo } from '../bgp-agent/plan/announcements.ts'
import { routePolicies } from '../bgp-agent/route-policies.ts'
import { planOf, secretsOption, socketOption, thisMachine } from './bgp-plan.ts'
import { remarks } from './node-plan.ts'
import { type AgentFlags, agentOptions, runAgent } from './run-agent.ts'

const command = new Command('agent')
  .description('tell routers by BGP which addresses this node answers for, and follow changes of the files')
  .addOption(secretsOption())
  .addOption(socketOption())
for (const option of agentOptions(9966)) command.addOption(option)

export const agentCommand = command.action(async (flags: AgentFlags) => {
  const [{ SpeakerHandle }, { agentStatus }, { BgpMetrics }] = await Promise.all([
    import('../bgp-agent/speaker-handle.ts'),
    import('../bgp-agent/status-socket.ts'),
    import('../bgp-agent/metrics.ts'),
  ])
  await runAgent<Machine>(flags, (ends) => {
    const speaker = new SpeakerHandle(ends)
    const metrics = new BgpMetrics()
    const memo = new OfferMemo()
    let { objects, plan } = planOf([], thisMachine(), flags, memo)
    return {
      look: thisMachine,
      set: (all, machine) => {
        ;({ objects, plan } = planOf(all, machine, flags, memo))
        speaker.set(plan)
        return remarks(plan)
      },
      answers: {
        '/status': async () => agentStatus(flags.node, Date.now(), plan, await speaker.ask(true)),
        '/route-policies': async () => routePolicies(plan),
        '/explain': async ({ searchParams }) =>
          explainAddress(flags.node, searchParams.get('address') ?? '', objects, plan, await speaker.ask(true)),
      },
      metrics: async () => metrics.text((await speaker.ask(false)).peers),
      stop: () => speaker.stop('the agent is stopped'),
    }
  })
})
