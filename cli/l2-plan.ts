import process from 'node:process'
import { Command, Option } from 'commander'
import { explainL2, type L2Explanation } from '../bgp-agent/l2/explanation.ts'
import type { L2Machine } from '../bgp-agent/l2/plan/announcement-policy.ts'
import { heartbeatSecret, type L2Plan, planL2 } from '../bgp-agent/l2/plan/l2-plan.ts'
import { nodeObjects } from '../bgp-agent/plan/node-objects.ts'
import { usualSecretNamespace } from '../bgp-agent/plan/node-plan.ts'
import { defaultRoutes } from '../bgp-agent/sys/default-routes.ts'
import { interfaceNetworks } from '../bgp-agent/sys/interfaces.ts'
import type { KubeObject } from '../kube/objects.ts'
import { plannedTable } from './l2-tables.ts'
import { nodeOption, type PlanFlags, readAddressed, remarks, withheldLines } from './node-plan.ts'
import { printJson } from './terminal.ts'
import { filesOption, outputOption } from './usage.ts'

export const socketOption = (): Option =>
  new Option('--socket <path>', "the agent's socket, which only its user can open").default('/run/landfall-l2.sock')

export const secretOption = (): Option =>
  new Option(
    '--secret-namespace <namespace>',
    `where the Secret ${heartbeatSecret} is, by which nodes know each other`,
  ).default(usualSecretNamespace)

export const planCommand = new Command('plan')
  .description(
    'say for which addresses a node may answer on the local network, on which interfaces, and why not for others',
  )
  .addOption(filesOption())
  .addOption(nodeOption())
  .addOption(secretOption())
  .addOption(outputOption())
  .action(async (flags: PlanFlags & { output?: 'json' }) => {
    const { plan, hasErrors } = await readPlan(flags)
    const { addresses, withheld, conditions, faults } = plan
    const shown = addresses.map(({ octets: _, ...address }) => address)
    if (flags.output === 'json') printJson({ node: flags.node, addresses: shown, withheld, conditions, faults })
    else
      process.stdout.write(
        `${[
          plannedTable(addresses),
          ...withheldLines(
            'Address',
            withheld.map(({ address: of, source, why }) => ({ of, source, why })),
          ),
          ...remarks(plan),
        ].join('\n')}\n`,
      )
    if (hasErrors || conditions.length + faults.length > 0) process.exitCode = 1
  })

/** What the manifests alone say of an address. */
export async function plannedExplanation(flags: PlanFlags, address: string): Promise<L2Explanation | undefined> {
  const { plan } = await readPlan(flags)
  return explainL2(flags.node, address, plan)
}

async function readPlan(flags: PlanFlags): Promise<{ readonly plan: L2Plan; readonly hasErrors: boolean }> {
  const { objects, hasErrors } = await readAddressed(flags.filename)
  return { plan: planOf(objects, thisMachine(), flags), hasErrors }
}

export const planOf = (
  all: readonly KubeObject[],
  machine: L2Machine,
  { node, secretNamespace }: Omit<PlanFlags, 'filename'>,
): L2Plan => planL2(nodeObjects(all), { nodeName: node, secretNamespace, machine })

export const thisMachine = (): L2Machine => ({ networks: interfaceNetworks(), defaultRoutes: defaultRoutes() })
