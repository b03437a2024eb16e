import process from 'node:process'
import { isDeepStrictEqual } from 'node:util'
import { Command, Option } from 'commander'
import { explainL2 } from '../bgp-agent/l2/explanation.ts'
import { AddressedObjects } from '../control/addresses/addressed-objects.ts'
import { ManifestReader } from '../kube/manifests.ts'
import type { KubeObject } from '../kube/objects.ts'
import { formatProblem, type Problem } from '../kube/problem.ts'
import { nodeOption, type PlanFlags } from './bgp-plan.ts'
import { planOf, remarks, secretOption, socketOption, thisMachine } from './l2-plan.ts'
import { hostAndPort } from './port.ts'
import { untilStopped } from './stop.ts'
import { filesOption, isForPeople, UsageError } from './usage.ts'

interface AgentFlags extends PlanFlags {
  readonly socket: string
  readonly admin: { readonly host: string; readonly port: number } | false
  readonly own?: string
  readonly logLevel: string
}

/** Milliseconds between two looks at the interfaces and default routes of this machine. */
const machineInterval = 1_000

export const agentCommand = new Command('agent')
  .description('answer ARP and NDP for addresses of Services and Gateways, in turn with the other nodes of the network')
  .addOption(filesOption())
  .addOption(nodeOption())
  .addOption(secretOption())
  .addOption(socketOption())
  .option(
    '--own <interface>',
    'put addresses on this interface, as a rule lo, for as long as this node answers for them (takes CAP_NET_ADMIN)',
  )
  .addOption(
    new Option('--admin <host:port>', 'where /healthz, /readyz and /metrics are')
      .argParser(hostAndPort)
      .default({ host: '127.0.0.1', port: 9967 }, '127.0.0.1:9967'),
  )
  .option('--no-admin', 'have none of them')
  .addOption(
    new Option('--log-level <level>', 'of the log on standard error')
      .choices(['debug', 'info', 'warn', 'error'])
      .default('info'),
  )
  .action(async (flags: AgentFlags) => {
    const stopped = untilStopped()
    const [{ createLog }, { follow }, { L2Agent }, { l2Status }, { serveStatus }, { L2Metrics }, { startAdmin }] =
      await Promise.all([
        import('../serve/log.ts'),
        import('../serve/follow.ts'),
        import('../bgp-agent/l2/l2-agent.ts'),
        import('../bgp-agent/l2/l2-status.ts'),
        import('../bgp-agent/status-socket.ts'),
        import('../bgp-agent/l2/l2-metrics.ts'),
        import('../standalone/admin.ts'),
      ])
    const log = createLog(flags.logLevel, 2)
    let all: readonly KubeObject[] = []
    let machine = thisMachine()
    const addressed = new AddressedObjects()
    let plan = planOf(all, machine, flags)
    const answers: Readonly<Record<string, (target: URL) => Promise<unknown>>> = {
      '/status': async () => l2Status(flags.node, plan, await agent.ask()),
      '/explain': async ({ searchParams }) =>
        explainL2(flags.node, searchParams.get('address') ?? '', plan, await agent.ask()),
    }
    const server = await serveStatus(
      flags.socket,
      (target) => answers[target.pathname]?.(target),
      (error) => log.error(`the socket ${flags.socket}: ${error.message}`),
    ).catch((error: Error) => {
      throw new UsageError(error.message)
    })
    const agent = new L2Agent(
      { node: flags.node, ownedOn: flags.own },
      {
        log: (message) => log.info(message),
        failed: (error) => {
          // Other nodes take over, while whoever runs this starts it again.
          log.fatal(error)
          process.exit(1)
        },
      },
    )
    const metrics = new L2Metrics(flags.node)
    let isReady = false
    const admin =
      flags.admin === false
        ? undefined
        : await startAdmin(flags.admin.host, flags.admin.port, {
            isReady: () => isReady,
            metrics: async () => metrics.text(plan, await agent.ask()),
          }).catch((error: unknown) => {
            throw isForPeople(error) ? new UsageError(`--admin: ${error.message}`) : error
          })
    const reader = new ManifestReader(flags.filename)
    let problems: readonly Problem[] = []
    let said = new Set<string>()
    const announce = (): void => {
      plan = planOf(all, machine, flags)
      agent.set(plan)
      const wrong = new Set([...problems.map(formatProblem), ...remarks(plan)])
      for (const line of wrong) if (!said.has(line)) log.warn(line)
      said = wrong
    }
    const following = await follow(
      flags.filename,
      async (changed) => {
        const read = await reader.read(changed)
        all = addressed.next(read.objects)
        problems = read.problems
        announce()
      },
      (error) => log.error(String(error)),
    )
    const watching = setInterval(() => {
      const now = thisMachine()
      if (isDeepStrictEqual(now, machine)) return
      machine = now
      announce()
    }, machineInterval)
    isReady = true
    log.info({ node: flags.node, addresses: plan.addresses.length }, 'answering')
    await stopped
    isReady = false
    clearInterval(watching)
    await following.close()
    await agent.stop()
    server.close()
    admin?.close()
  })
