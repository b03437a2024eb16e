import process from 'node:process'
import { Command } from 'commander'
import { faultsOf } from '../control/faults.ts'
import { Project } from '../control/project.ts'
import { type ObjectStatus, statuses } from '../control/status/statuses.ts'
import type { Condition } from '../kube/objects.ts'
import { thisMachine } from '../serve/site.ts'
import { printFault } from './faults.ts'
import { bad, dim, good, printJson, strong } from './terminal.ts'
import { filesOption, outputOption } from './usage.ts'

export const statusCommand = new Command('status')
  .description('print the status that the controller would write to every object')
  .addOption(filesOption())
  .addOption(outputOption())
  .addHelpText(
    'after',
    `
Examples:
  $ landfall status -f manifests/
  $ landfall status -f manifests/ -o json | jq '.[] | select(.kind == "Gateway") | .status.addresses'`,
  )
  .action(async ({ filename, output }: { readonly filename: string[]; readonly output?: 'json' }) => {
    const reading = await new Project(filename, thisMachine()).read()
    const all = statuses(reading.compiled, `${new Date().toISOString().slice(0, 19)}Z`)
    for (const fault of faultsOf(reading)) if (fault.reason === '') process.stderr.write(`${printFault(fault)}\n`)
    if (output === 'json') {
      printJson(
        all.map(({ object, status }) => ({
          apiVersion: object.apiVersion,
          kind: object.kind,
          metadata: object.metadata,
          status,
        })),
      )
    } else process.stdout.write(`${all.map(tree).join('\n')}\n`)
  })

/** An object, and below it each condition that something is to be said about. */
function tree({ object, status }: ObjectStatus): string {
  const { kind, metadata } = object
  const lines = [
    strong(`${kind} ${[metadata.namespace, metadata.name].filter((part) => part !== undefined).join('/')}`),
  ]
  lines.push(...(status.addresses ?? []).map(({ value }) => `  address ${value}`))
  lines.push(...(status.loadBalancer?.ingress ?? []).map(({ ip }) => `  address ${ip}`))
  lines.push(...conditions('  ', status.conditions ?? []))
  for (const { name, attachedRoutes, conditions: own } of status.listeners ?? []) {
    lines.push(`  listener ${name} ${dim(`(${attachedRoutes} attached)`)}`, ...conditions('    ', own))
  }
  for (const { parentRef, conditions: own } of status.parents ?? []) {
    const { kind: parent, namespace, name, sectionName, port } = parentRef
    const section = [sectionName, port].filter((part) => part !== undefined).join(' ')
    lines.push(
      `  parent ${parent} ${namespace ?? metadata.namespace}/${name} ${section}`.trimEnd(),
      ...conditions('    ', own),
    )
  }
  for (const { ancestorRef, conditions: own } of status.ancestors ?? []) {
    lines.push(
      `  ancestor ${ancestorRef.kind} ${ancestorRef.namespace}/${ancestorRef.name}`,
      ...conditions('    ', own),
    )
  }
  return lines.join('\n')
}

/** Conditions whose "True" is bad news. */
const alarms: ReadonlySet<string> = new Set([
  'cilium.io/PoolConflict',
  'Conflicted',
  'OverlappingTLSConfig',
  'PartiallyInvalid',
  'InsecureFrontendValidationMode',
])

function conditions(indent: string, all: readonly Condition[]): string[] {
  return all.map(({ type, status, reason, message }) => {
    // A count.
    if (status === 'Unknown') return `${indent}${type} ${message}`
    const well = (status === 'True') !== alarms.has(type)
    const verdict = well ? good(`${type} ${status}`) : bad(`${type} ${status}`)
    const words = [reason === type ? '' : reason, message].filter((part) => part !== '').join(': ')
    return `${indent}${verdict} ${words.replaceAll('\n', `\n${indent}  `)}`.trimEnd()
  })
}
