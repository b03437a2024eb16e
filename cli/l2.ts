import process from 'node:process'
import { Command, InvalidArgumentError } from 'commander'
import { parseAddress } from '../bgp-agent/address.ts'
import type { L2Explanation } from '../bgp-agent/l2/explanation.ts'
import type { L2Status } from '../bgp-agent/l2/l2-status.ts'
import { askAgent } from './agent-socket.ts'
import { nodeOption, type PlanFlags } from './bgp-plan.ts'
import { agentCommand } from './l2-agent.ts'
import { planCommand, plannedExplanation, remarks, secretOption, socketOption } from './l2-plan.ts'
import { addressesTable, explanationText, nodesTable } from './l2-tables.ts'
import { printJson } from './terminal.ts'
import { outputOption } from './usage.ts'

interface AskFlags {
  readonly socket: string
  readonly output?: 'json'
}

const ask = <T>(socket: string, path: string): Promise<T> => askAgent<T>(socket, path, 'landfall l2 agent')

const statusCommand = new Command('status')
  .description('print the nodes that the agent meets, and who has which address')
  .addOption(socketOption())
  .addOption(outputOption())
  .action(async ({ socket, output }: AskFlags) => {
    const status = await ask<L2Status>(socket, '/status')
    if (output === 'json') printJson(status)
    else process.stdout.write(`${[nodesTable(status), '', addressesTable(status), ...remarks(status)].join('\n')}\n`)
  })

const explainCommand = new Command('explain')
  .description('say who answers for an address, on which interfaces, and why')
  .argument('<address>', 'of IPv4 or IPv6', address)
  .option('-f, --filename <path...>', 'ask manifests what may be, in place of the agent what is')
  .addOption(nodeOption())
  .addOption(secretOption())
  .addOption(socketOption())
  .addOption(outputOption())
  .action(async (of: string, flags: AskFlags & Omit<PlanFlags, 'filename'> & { filename?: string[] }) => {
    const { filename, socket, output } = flags
    const explanation =
      filename === undefined
        ? await ask<L2Explanation>(socket, `/explain?address=${encodeURIComponent(of)}`)
        : await plannedExplanation({ ...flags, filename }, of)
    if (explanation === undefined) return
    if (output === 'json') printJson(explanation)
    else process.stdout.write(`${explanationText(explanation)}\n`)
    if (explanation.interfaces.every(({ state }) => state === 'nowhere')) process.exitCode = 1
  })

function address(text: string): string {
  if (parseAddress(text) === undefined) throw new InvalidArgumentError('write an IP address.')
  return text
}

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
  .addCommand(explainCommand)
