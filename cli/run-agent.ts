import process from 'node:process'
import { isDeepStrictEqual } from 'node:util'
import { Option } from 'commander'
import type { AgentThreadEnds } from '../bgp-agent/agent-thread.ts'
import { AddressedObjects } from '../control/addresses/addressed-objects.ts'
import type { Loaded } from '../kube/loaded.ts'
import { ManifestReader } from '../kube/manifests.ts'
import type { KubeObject } from '../kube/objects.ts'
import { formatProblem } from '../kube/problem.ts'
import { nodeOption, type PlanFlags } from './node-plan.ts'
import { hostAndPort } from './port.ts'
import { untilStopped } from './stop.ts'
import { filesOption, isForPeople, UsageError } from './usage.ts'

export interface AgentFlags extends PlanFlags {
  readonly socket: string
  readonly admin: { readonly host: string; readonly port: number } | false
  readonly logLevel: string
}

/** An agent of a node, which follows manifests and the machine that it runs on. */
export interface NodeAgent<Machine> {
  /** What it has to know of the machine. */
  readonly look: () => Machine
  /** Brings it to what the manifests and the machine say. Gives what is wrong with them, as lines. */
  readonly set: (objects: readonly KubeObject[], machine: Machine) => readonly string[]
  /** What is asked at its socket, by path. */
  readonly answers: Readonly<Record<string, (target: URL) => Promise<unknown>>>
  /** In the Prometheus text format. */
  readonly metrics: () => Promise<string>
  readonly stop: () => Promise<void>
}

/** Milliseconds between two looks at the machine. */
const machineInterval = 1_000

/** The options that each agent has; `adminPort` on 127.0.0.1 is where health and metrics are. */
export const agentOptions = (adminPort: number): readonly Option[] => [
  filesOption(),
  nodeOption(),
  new Option('--admin <host:port>', 'where /healthz, /readyz and /metrics are')
    .argParser(hostAndPort)
    .default({ host: '127.0.0.1', port: adminPort }, `127.0.0.1:${adminPort}`),
  new Option('--no-admin', 'have none of them'),
  new Option('--log-level <level>', 'of the log on standard error')
    .choices(['debug', 'info', 'warn', 'error'])
    .default('info'),
]

/** Runs an agent until the process is told to end. */
export async function runAgent<Machine>(
  { filename, node, socket, admin, logLevel }: AgentFlags,
  create: (ends: AgentThreadEnds) => NodeAgent<Machine>,
): Promise<void> {
  const stopped = untilStopped()
  const [{ createLog }, { follow }, { serveStatus }, { startAdmin }] = await Promise.all([
    import('../serve/log.ts'),
    import('../serve/follow.ts'),
    import('../bgp-agent/status-socket.ts'),
    import('../standalone/admin.ts'),
  ])
  const log = createLog(logLevel, 2)
  // Before all else, since it tells whether there is an agent already.
  const server = await serveStatus(
    socket,
    (target) => agent.answers[target.pathname]?.(target),
    (error) => log.error(`the socket ${socket}: ${error.message}`),
  ).catch((error: Error) => {
    throw new UsageError(error.message)
  })
  const agent = create({
    log: (message) => log.info(message),
    failed: (error) => {
      // Whoever runs this starts it again; peers keep what they have been told, or take over.
      log.fatal(error)
      process.exit(1)
    },
  })
  let isReady = false
  const listening =
    admin === false
      ? undefined
      : await startAdmin(admin.host, admin.port, { isReady: () => isReady, metrics: agent.metrics }).catch(
          (error: unknown) => {
            throw isForPeople(error) ? new UsageError(`--admin: ${error.message}`) : error
          },
        )
  const reader = new ManifestReader(filename)
  const addressed = new AddressedObjects()
  let objects: readonly KubeObject[] = []
  let loaded: Loaded | undefined
  let machine = agent.look()
  let said = new Set<string>()
  const set = (): void => {
    const wrong = new Set([...(loaded?.problems ?? []).map(formatProblem), ...agent.set(objects, machine)])
    for (const line of wrong) if (!said.has(line)) log.warn(line)
    said = wrong
  }
  const following = await follow(
    filename,
    async (changed) => {
      const before = loaded
      loaded = await reader.read(changed)
      if (loaded === before) return
      objects = addressed.next(loaded.objects)
      set()
    },
    (error) => log.error(String(error)),
  )
  const watching = setInterval(() => {
    const now = agent.look()
    if (isDeepStrictEqual(now, machine)) return
    machine = now
    set()
  }, machineInterval)
  isReady = true
  log.info({ node }, 'running')
  await stopped
  isReady = false
  clearInterval(watching)
  await following.close()
  await agent.stop()
  server.close()
  listening?.close()
}
