import process from 'node:process'
import { Argument, Command } from 'commander'
import type { Explanation } from '../bgp-agent/explanation.ts'
import type { RoutePolicy } from '../bgp-agent/route-policies.ts'
import type { AgentStatus } from '../bgp-agent/status-socket.ts'
import { askAgent } from './agent-socket.ts'
import { agentCommand } from './bgp-agent.ts'
import { planCommand, plannedExplanation, secretsOption, socketOption } from './bgp-plan.ts'
import { explanationText, peersTable, policiesTable, routesTable } from './bgp-tables.ts'
import { explainCommand } from './explain-address.ts'
import { remarks } from './node-plan.ts'
import { printJson } from './terminal.ts'
import { outputOption } from './usage.ts'

interface AskFlags {
  readonly socket: string
  readonly output?: 'json'
}

const ask = <T>(socket: string, path: string): Promise<T> => askAgent<T>(socket, path, 'landfall bgp agent')

const peersCommand = new Command('peers')
  .description("print the agent's sessions")
  .addOption(socketOption())
  .addOption(outputOption())
  .action(async ({ socket, output }: AskFlags) => {
    const status = await ask<AgentStatus>(socket, '/status')
    if (output === 'json') printJson(status.peers.map(({ advertised: _, ...peer }) => peer))
    else process.stdout.write(`${[peersTable(status), ...remarks(status)].join('\n')}\n`)
  })

const routesCommand = new Command('routes')
  .description('print routes: those that there are to announce, or those that peers have been told')
  .addArgument(new Argument('[what]').choices(['available', 'advertised']).default('available'))
  .addArgument(new Argument('[family]').choices(['ipv4', 'ipv6']))
  .addArgument(new Argument('[safi]').choices(['unicast']))
  .option('--peer <address>', 'only what this peer has been told')
  .addOption(socketOption())
  .addOption(outputOption())
  .action(
    async (what: string, family: string | undefined, _: string | undefined, flags: AskFlags & { peer?: string }) => {
      const status = await ask<AgentStatus>(flags.socket, '/status')
      const told = status.peers
        .filter(({ address }) => flags.peer === undefined || address === flags.peer)
        .flatMap(({ address, advertised }) => advertised.map((route) => ({ ...route, peer: address })))
      const isAdvertised = what === 'advertised' || flags.peer !== undefined
      const routes = (isAdvertised ? told : status.available).filter(
        (route) => family === undefined || route.family === family,
      )
      if (flags.output === 'json') printJson(routes)
      else process.stdout.write(`${routesTable(routes, isAdvertised)}\n`)
    },
  )

const policiesCommand = new Command('route-policies')
  .description('print what each session lets out and in, and what it says of routes')
  .addOption(socketOption())
  .addOption(outputOption())
  .action(async ({ socket, output }: AskFlags) => {
    const policies = await ask<readonly RoutePolicy[]>(socket, '/route-policies')
    if (output === 'json') printJson(policies)
    else process.stdout.write(`${policiesTable(policies)}\n`)
  })

export const bgpCommand = new Command('bgp')
  .description('announce addresses of Services and Pods by BGP, and see what is announced')
  .addHelpText(
    'after',
    `
Examples:
  $ landfall bgp plan -f manifests/ --node node-1
  $ landfall bgp explain 203.0.113.1 -f manifests/ --node node-1
  $ landfall bgp agent -f manifests/ --node node-1
  $ landfall bgp peers
  $ landfall bgp routes advertised ipv4 unicast --peer 192.0.2.254
  $ landfall bgp explain 203.0.113.1`,
  )
  .addCommand(agentCommand)
  .addCommand(planCommand)
  .addCommand(peersCommand)
  .addCommand(routesCommand)
  .addCommand(policiesCommand)
  .addCommand(
    explainCommand<Explanation>({
      description: 'say whether this node announces an address, to whom, with what attributes, and why',
      agent: 'landfall bgp agent',
      options: [secretsOption(), socketOption()],
      planned: plannedExplanation,
      text: explanationText,
      isAnswered: ({ routes }) => routes.length > 0,
    }),
  )
