import process from 'node:process'
import { isDeepStrictEqual } from 'node:util'
import { Command, Option } from 'commander'
import { explainAddress } from '../bgp-agent/explanation.ts'
import { OfferMemo } from '../bgp-agent/plan/announcements.ts'
import { routePolicies } from '../bgp-agent/route-policies.ts'
import { AddressedObjects } from '../control/addresses/addressed-objects.ts'
import { ManifestReader } from '../kube/manifests.ts'
import type { KubeObject } from '../kube/objects.ts'
import { formatProblem, type Problem } from '../kube/problem.ts'
import { nodeOption, type PlanFlags, planOf, remarks, secretsOption, socketOption, thisMachine } from './bgp-plan.ts'
import { hostAndPort } from './port.ts'
import { untilStopped } from './stop.ts'
import { filesOption, isForPeople, UsageError } from './usage.ts'

interface AgentFlags extends PlanFlags {
  readonly socket: string
  readonly admin: { readonly host: string; readonly port: number } | false
  readonly logLevel: string
}

/** Milliseconds between two looks at the addresses and default routes of this machine. */
const machineInterval = 1_000

export const agentCommand = new Command('agent')
  .description('tell routers by BGP which addresses this node answers for, and follow changes of the files')
  .addOption(filesOption())
  .addOption(nodeOption())
  .addOption(secretsOption())
  .addOption(socketOption())
  .addOption(
    new Option('--admin <host:port>', 'where /healthz, /readyz and /metrics are')
      .argParser(hostAndPort)
      .default({ host: '127.0.0.1', port: 9966 }, '127.0.0.1:9966'),
  )
  .option('--no-admin', 'have none of them')
  .addOption(
    new Option('--log-level <level>', 'of the log on standard error')
      .choices(['debug', 'info', 'warn', 'error'])
      .default('info'),
  )
  .action(async (flags: AgentFlags) => {
    const stopped = untilStopped()
    const [
      { createLog },
      { follow },
      { SpeakerHandle },
      { agentStatus, serveStatus },
      { agentMetrics },
      { startAdmin },
    ] = await Promise.all([
      import('../serve/log.ts'),
      import('../serve/follow.ts'),
      import('../bgp-agent/speaker-handle.ts'),
      import('../bgp-agent/status-socket.ts'),
      import('../bgp-agent/metrics.ts'),
      import('../standalone/admin.ts'),
    ])
    const log = createLog(flags.logLevel, 2)
    const speaker = new SpeakerHandle(
      (message) => log.info(message),
      (error) => {
        // Peers keep the routes by graceful restart, while whoever runs this starts it again.
        log.fatal(error)
        process.exit(1)
      },
    )
    let all: readonly KubeObject[] = []
    let machine = thisMachine()
    const addressed = new AddressedObjects()
    const memo = new OfferMemo()
    let { objects, plan } = planOf(all, machine, flags, memo)
    const answers: Readonly<Record<string, (target: URL) => Promise<unknown>>> = {
      '/status': async () => agentStatus(flags.node, Date.now(), plan, await speaker.ask(true)),
      '/route-policies': async () => routePolicies(plan),
      '/explain': async ({ searchParams }) =>
        explainAddress(flags.node, searchParams.get('address') ?? '', objects, plan, await speaker.ask(true)),
    }
    const server = await serveStatus(
      flags.socket,
      (target) => answers[target.pathname]?.(target),
      (error) => log.error(`the socket ${flags.socket}: ${error.message}`),
    ).catch((error: Error) => {
      throw new UsageError(error.message)
    })
    const metrics = agentMetrics(async () => (await speaker.ask(false)).peers)
    let isReady = false
    const admin =
      flags.admin === false
        ? undefined
        : await startAdmin(flags.admin.host, flags.admin.port, {
            isReady: () => isReady,
            metrics: () => metrics.metrics(),
          }).catch((error: unknown) => {
            throw isForPeople(error) ? new UsageError(`--admin: ${error.message}`) : error
          })
    const reader = new ManifestReader(flags.filename)
    let problems: readonly Problem[] = []
    let said = new Set<string>()
    const announce = (): void => {
      ;({ objects, plan } = planOf(all, machine, flags, memo))
      speaker.set(plan)
      const wrong = new Set([...problems.map(formatProblem), ...remarks({ ...plan, withheld: [] })])
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
    log.info({ node: flags.node, instances: plan.instances.length }, 'announcing')
    await stopped
    isReady = false
    clearInterval(watching)
    await following.close()
    await speaker.stop('the agent is stopped')
    server.close()
    admin?.close()
  })
