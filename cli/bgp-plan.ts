import process from 'node:process'
import { Command, Option } from 'commander'
import { type Explanation, explainAddress } from '../bgp-agent/explanation.ts'
import type { Machine, OfferMemo } from '../bgp-agent/plan/announcements.ts'
import { type NodeObjects, nodeObjects } from '../bgp-agent/plan/node-objects.ts'
import { type NodePlan, planNode, usualSecretNamespace } from '../bgp-agent/plan/node-plan.ts'
import { defaultRoutes } from '../bgp-agent/sys/default-routes.ts'
import { interfaceAddresses } from '../bgp-agent/sys/interfaces.ts'
import type { KubeObject } from '../kube/objects.ts'
import { routesTable } from './bgp-tables.ts'
import { nodeOption, type PlanFlags, readAddressed, remarks, withheldLines } from './node-plan.ts'
import { printJson, strong } from './terminal.ts'
import { filesOption, outputOption } from './usage.ts'

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
        `${[
          ...planLines(plan, flags.node),
          '',
          routesTable(routes, false),
          ...withheldLines(
            'Prefix',
            withheld.map(({ prefix: of, source, why }) => ({ of, source, why })),
          ),
          ...remarks(plan),
        ].join('\n')}\n`,
      )
    if (hasErrors || conditions.length + faults.length > 0) process.exitCode = 1
  })

/** What the manifests alone say of an address. */
export async function plannedExplanation(flags: PlanFlags, address: string): Promise<Explanation | undefined> {
  const { objects, plan } = await readPlan(flags)
  return explainAddress(flags.node, address, objects, plan)
}

async function readPlan(flags: PlanFlags): Promise<Planned & { readonly hasErrors: boolean }> {
  const { objects, hasErrors } = await readAddressed(flags.filename)
  return { ...planOf(objects, thisMachine(), flags), hasErrors }
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
