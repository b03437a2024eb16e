import { get, type IncomingMessage } from 'node:http'
import { hostname, networkInterfaces } from 'node:os'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { Argument, Command, Option } from 'commander'
import { nodeObjects } from '../bgp-agent/plan/node-objects.ts'
import { type NodePlan, planNode, usualSecretNamespace } from '../bgp-agent/plan/node-plan.ts'
import type { AgentStatus } from '../bgp-agent/status-socket.ts'
import { ManifestReader, readManifests } from '../kube/manifests.ts'
import type { KubeObject } from '../kube/objects.ts'
import { formatProblem } from '../kube/problem.ts'
import { peersTable, routesTable, table } from './bgp-tables.ts'
import { untilStopped } from './stop.ts'
import { printJson, strong, warn } from './terminal.ts'
import { filesOption, outputOption, UsageError } from './usage.ts'

interface PlanFlags {
  readonly filename: string[]
  readonly node: string
  readonly secretNamespace: string
}

interface AgentFlags extends PlanFlags {
  readonly socket: string
  readonly logLevel: string
}

interface AskFlags {
  readonly socket: string
  readonly output?: 'json'
}

const nodeOption = (): Option =>
  new Option('--node <name>', 'the Node that this is').default(hostname(), 'the name of this machine')
const secretsOption = (): Option =>
  new Option('--secret-namespace <namespace>', 'where Secrets with passwords of peers are').default(
    usualSecretNamespace,
  )
const socketOption = (): Option =>
  new Option('--socket <path>', "the agent's socket, which only its user can open").default('/run/landfall-bgp.sock')

const planCommand = new Command('plan')
  .description('say what a node would announce, to whom and why, without any session')
  .addOption(filesOption())
  .addOption(nodeOption())
  .addOption(secretsOption())
  .addOption(outputOption())
  .action(async (flags: PlanFlags & Pick<AskFlags, 'output'>) => {
    const { availableRoutes } = await import('../bgp-agent/status-socket.ts')
    const { objects, problems } = await readManifests(flags.filename)
    for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`)
    const plan = planOf(objects, flags)
    const routes = availableRoutes(plan)
    const { withheld, conditions, faults } = plan
    if (flags.output === 'json') printJson({ node: flags.node, routes, withheld, conditions, faults })
    else
      process.stdout.write(
        `${[...planLines(plan, flags.node), '', routesTable(routes, false), ...remarks(plan)].join('\n')}\n`,
      )
    if (problems.some(({ severity }) => severity === 'error') || conditions.length + faults.length > 0)
      process.exitCode = 1
  })

function planLines({ instances }: NodePlan, node: string): string[] {
  if (instances.length === 0) return [`Node ${node} has no BGP instance: no BGP cluster configuration selects it.`]
  return instances.flatMap(({ name, asn, routerId, peers }) => [
    strong(`instance ${name}: AS ${asn}, router ID ${routerId}`),
    ...peers.map(
      (peer) =>
        `  peer ${peer.name} at ${peer.address ?? 'an address to be found'}, AS ${peer.asn === 0 ? 'any' : peer.asn}: ${peer.routes.size} routes`,
    ),
  ])
}

function remarks({ withheld, conditions, faults }: Pick<NodePlan, 'withheld' | 'conditions' | 'faults'>): string[] {
  return [
    ...(withheld.length === 0
      ? []
      : [
          '',
          'Withheld:',
          table(
            ['Prefix', 'From', 'Why'],
            withheld.map(({ prefix, source, why }) => [prefix, source, why]),
          ),
        ]),
    ...conditions.map(({ object, type, message }) => `${warn(type)} ${object}: ${message}`),
    ...faults.map((fault) => warn(fault)),
  ]
}

const planOf = (objects: readonly KubeObject[], { node, secretNamespace }: Omit<PlanFlags, 'filename'>): NodePlan =>
  planNode(nodeObjects(objects), { nodeName: node, secretNamespace, machine: { interfaces: interfaceAddresses() } })

const interfaceAddresses = (): ReadonlyMap<string, readonly string[]> =>
  new Map(Object.entries(networkInterfaces()).map(([name, infos = []]) => [name, infos.map(({ address }) => address)]))

const agentCommand = new Command('agent')
  .description('tell routers by BGP which addresses this node answers for, and follow changes of the files')
  .addOption(filesOption())
  .addOption(nodeOption())
  .addOption(secretsOption())
  .addOption(socketOption())
  .addOption(
    new Option('--log-level <level>', 'of the log on standard error')
      .choices(['debug', 'info', 'warn', 'error'])
      .default('info'),
  )
  .action(async (flags: AgentFlags) => {
    const stopped = untilStopped()
    const [{ createLog }, { follow }, { Speaker }, { agentStatus, serveStatus }] = await Promise.all([
      import('../serve/log.ts'),
      import('../serve/follow.ts'),
      import('../bgp-agent/speaker.ts'),
      import('../bgp-agent/status-socket.ts'),
    ])
    const log = createLog(flags.logLevel, 2)
    const speaker = new Speaker({ random: Math.random, now: Date.now, log: (message) => log.info(message) })
    const reader = new ManifestReader(flags.filename)
    let plan = planOf([], flags)
    let said = new Set<string>()
    const following = await follow(
      flags.filename,
      async (changed) => {
        const { objects, problems } = await reader.read(changed)
        plan = planOf(objects, flags)
        speaker.set(plan)
        const wrong = new Set([...problems.map(formatProblem), ...remarks({ ...plan, withheld: [] })])
        for (const line of wrong) if (!said.has(line)) log.warn(line)
        said = wrong
      },
      (error) => log.error(String(error)),
    )
    const server = serveStatus(
      flags.socket,
      () => agentStatus(flags.node, Date.now(), plan, speaker),
      (error) => log.error(`the socket ${flags.socket}: ${error.message}`),
    )
    log.info({ node: flags.node, instances: plan.instances.length }, 'announcing')
    await stopped
    await following.close()
    speaker.stop('the agent is stopped')
    server.close()
  })

const peersCommand = new Command('peers')
  .description("print the agent's sessions")
  .addOption(socketOption())
  .addOption(outputOption())
  .action(async ({ socket, output }: AskFlags) => {
    const status = await ask(socket)
    if (output === 'json') printJson(status.peers.map(({ advertised: _, ...peer }) => peer))
    else process.stdout.write(`${peersTable(status)}\n`)
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
      const status = await ask(flags.socket)
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

async function ask(socketPath: string): Promise<AgentStatus> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ socketPath, path: '/' }, resolve).on('error', reject)
  }).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error)
    throw new UsageError(
      `no agent answers at ${socketPath} (${why}); start one with landfall bgp agent, or name its --socket`,
    )
  })
  return JSON.parse(await text(response))
}

export const bgpCommand = new Command('bgp')
  .description('announce addresses of Services and Pods by BGP, and see what is announced')
  .addHelpText(
    'after',
    `
Examples:
  $ landfall bgp plan -f manifests/ --node node-1
  $ landfall bgp agent -f manifests/ --node node-1
  $ landfall bgp peers
  $ landfall bgp routes advertised ipv4 unicast --peer 192.0.2.254`,
  )
  .addCommand(agentCommand)
  .addCommand(planCommand)
  .addCommand(peersCommand)
  .addCommand(routesCommand)
