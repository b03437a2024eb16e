import process from 'node:process'
import { Command } from 'commander'
import type { L2Explanation } from '../bgp-agent/l2/explanation.ts'
import type { L2Status } from '../bgp-agent/l2/l2-status.ts'
import { askAgent } from './agent-socket.ts'
import { explainCommand } from './explain-address.ts'
import { agentCommand } from './l2-agent.ts'
import { planCommand, plannedExplanation, secretOption, socketOption } from './l2-plan.ts'
import { addressesTable, explanationText, nodesTable } from './l2-tables.ts'
import { remarks } from './node-plan.ts'
import { printJson } from './terminal.ts'
import { outputOption } from './usage.ts'

const statusCommand = new Command('status')
  .description('print the nodes that the agent meets, and who has which address')
  .addOption(socketOption())
  .addOption(outputOption())
  .action(async ({ socket, output }: { readonly socket: string; readonly output?: 'json' }) => {
    const status = await askAgent<L2Status>(socket, '/status', 'landfall l2 agent')
    if (output === 'json') printJson(status)
    else process.stdout.write(`${[nodesTable(status), '', addressesTable(status), ...remarks(status)].join('\n')}\n`)
  })

export const l2Command = new Command('l2')
  .description('answer for addresses of Services and Gateways on the local network, by ARP and NDP')
  .addHelpText(
    'after',
    `
Examples:
  $ landfall l2 plan -f manifests/ --node node-1
  $ landfall l2 agent -f manifests/ --node node-1
  $ landfall l2 status
  $ landfall l2 explain 192.168.1.240`,
  )
  .addCommand(agentCommand)
  .addCommand(planCommand)
  .addCommand(statusCommand)
  .addCommand(
    explainCommand<L2Explanation>({
      description: 'say who answers for an address, on which interfaces, and why',
      agent: 'landfall l2 agent',
      options: [secretOption(), socketOption()],
      planned: plannedExplanation,
      text: explanationText,
      isAnswered: ({ interfaces }) => interfaces.some(({ state }) => state !== 'nowhere'),
    }),
  )
