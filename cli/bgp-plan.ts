import { hostname } from 'node:os'
import process from 'node:process'
import { Command, Option } from 'commander'
import { type Explanation, explainAddress } from '../bgp-agent/explanation.ts'
import type { Machine, OfferMemo } from '../bgp-agent/plan/announcements.ts'
import { type NodeObjects, nodeObjects } from '../bgp-agent/plan/node-objects.ts'
import { type NodePlan, planNode, usualSecretNamespace } from '../bgp-agent/plan/node-plan.ts'
import { defaultRoutes } from '../bgp-agent/sys/default-routes.ts'
import { interfaceAddresses } from '../bgp-agent/sys/interfaces.ts'
import { AddressedObjects } from '../control/addresses/addressed-objects.ts'
import { readManifests } from '../kube/manifests.ts'
import type { KubeObject } from '../kube/objects.ts'
import { formatProblem } from '../kube/problem.ts'
import { routesTable } from './bgp-tables.ts'
import { printJson, strong, table, warn } from './terminal.ts'
import { filesOption, outputOption } from './usage.ts'

/** Which node's plan it is, and of what. */
export interface PlanFlags {
  readonly filename: string[]
  readonly node: string
  readonly secretNamespace: string
}

export const nodeOption = (): Option =>
  new Option('--node <name>', 'the Node that this is').default(hostname(), 'the name of this machine')
export const secretsOption = (): Option =>
  new Option('--secret-namespace <namespace>', 'where Secrets with passwords of peers are').default(
    usualSecretNamespace,
  )
export const socketOption = (): Option =>
  new Option('--socket <path>', "the agent's socket, which only its user can open").default('/run/landfall-bgp.sock')

export const planCommand = new Command('plan')
  .description('say what a node would announce, to whom and why, without any session')
  .addOption(filesOption())
  .addOption(nodeOption())
  .addOption(secretsOption())
  .addOption(outputOption())
  .action(async (flags: PlanFlags & { output?: 'json' }) => {
    const { availableRoutes } = await import('../bgp-agent/status-socket.ts')
    const { plan, hasErrors } = await readPlan(flags)
    const routes = availableRoutes(plan)
    const { withheld, conditions, faults } = plan
    if (flags.output === 'json') printJson({ node: flags.node, routes, withheld, conditions, faults })
    else
      process.stdout.write(
        `${[...planLines(plan, flags.node), '', routesTable(routes, false), ...remarks(plan)].join('\n')}\n`,
      )
    if (hasErrors || conditions.length + faults.length > 0) process.exitCode = 1
  })

/** What the manifests alone say of an address. */
export async function plannedExplanation(flags: PlanFlags, address: string): Promise<Explanation | undefined> {
  const { objects, plan } = await readPlan(flags)
  return explainAddress(flags.node, address, objects, plan)
}

async function readPlan(flags: PlanFlags): Promise<Planned & { readonly hasErrors: boolean }> {
  const { objects: read, problems } = await readManifests(flags.filename)
  const objects = new AddressedObjects().next(read)
  for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`)
  return { ...planOf(objects, thisMachine(), flags), hasErrors: problems.some(({ severity }) => severity === 'error') }
}

interface Planned {
  readonly objects: NodeObjects
  readonly plan: NodePlan
}

export function planOf(
  all: readonly KubeObject[],
  machine: Machine,
  { node, secretNamespace }: Omit<PlanFlags, 'filename'>,
  memo?: OfferMemo,
): Planned {
  const objects = nodeObjects(all)
  return { objects, plan: planNode(objects, { nodeName: node, secretNamespace, machine }, memo) }
}

export const thisMachine = (): Machine => ({ interfaces: interfaceAddresses(), defaultRoutes: defaultRoutes() })

function planLines({ instances }: NodePlan, node: string): string[] {
  if (instances.length === 0) return [`Node ${node} has no BGP instance: no BGP cluster configuration selects it.`]
  return instances.flatMap(({ name, asn, routerId, peers }) => [
    strong(`instance ${name}: AS ${asn}, router ID ${routerId}`),
    ...peers.map(
      (peer) =>
        `  peer ${peer.name} at ${peer.address}, AS ${peer.asn === 0 ? 'any' : peer.asn}: ${peer.routes.size} routes`,
    ),
  ])
}

/** What is not announced, and what is wrong. */
export function remarks({
  withheld,
  conditions,
  faults,
}: Pick<NodePlan, 'withheld' | 'conditions' | 'faults'>): string[] {
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
