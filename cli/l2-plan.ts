import process from 'node:process'
import { Command, Option } from 'commander'
import { explainL2, type L2Explanation } from '../bgp-agent/l2/explanation.ts'
import type { L2Machine } from '../bgp-agent/l2/plan/announcement-policy.ts'
import { heartbeatSecret, type L2Plan, planL2 } from '../bgp-agent/l2/plan/l2-plan.ts'
import { nodeObjects } from '../bgp-agent/plan/node-objects.ts'
import { usualSecretNamespace } from '../bgp-agent/plan/node-plan.ts'
import { defaultRoutes } from '../bgp-agent/sys/default-routes.ts'
import { interfaceNetworks } from '../bgp-agent/sys/interfaces.ts'
import { AddressedObjects } from '../control/addresses/addressed-objects.ts'
import { readManifests } from '../kube/manifests.ts'
import type { KubeObject } from '../kube/objects.ts'
import { formatProblem } from '../kube/problem.ts'
import { nodeOption, type PlanFlags } from './bgp-plan.ts'
import { plannedTable } from './l2-tables.ts'
import { printJson, table, warn } from './terminal.ts'
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
    else {
      const withheldLines =
        withheld.length === 0
          ? []
          : [
              '',
              'Withheld:',
              table(
                ['Address', 'From', 'Why'],
                withheld.map(({ address, source, why }) => [address, source, why]),
              ),
            ]
      process.stdout.write(`${[plannedTable(addresses), ...withheldLines, ...remarks(plan)].join('\n')}\n`)
    }
    if (hasErrors || conditions.length + faults.length > 0) process.exitCode = 1
  })

/** What the manifests alone say of an address. */
export async function plannedExplanation(flags: PlanFlags, address: string): Promise<L2Explanation | undefined> {
  const { plan } = await readPlan(flags)
  return explainL2(flags.node, address, plan)
}

async function readPlan(flags: PlanFlags): Promise<{ readonly plan: L2Plan; readonly hasErrors: boolean }> {
  const { objects, problems } = await readManifests(flags.filename)
  for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`)
  const plan = planOf(new AddressedObjects().next(objects), thisMachine(), flags)
  return { plan, hasErrors: problems.some(({ severity }) => severity === 'error') }
}

export const planOf = (
  all: readonly KubeObject[],
  machine: L2Machine,
  { node, secretNamespace }: Omit<PlanFlags, 'filename'>,
): L2Plan => planL2(nodeObjects(all), { nodeName: node, secretNamespace, machine })

export const thisMachine = (): L2Machine => ({ networks: interfaceNetworks(), defaultRoutes: defaultRoutes() })

/** What is wrong. */
export const remarks = ({ conditions, faults }: Pick<L2Plan, 'conditions' | 'faults'>): string[] => [
  ...conditions.map(({ object, type, message }) => `${warn(type)} ${object}: ${message}`),
  ...faults.map((fault) => warn(fault)),
]
