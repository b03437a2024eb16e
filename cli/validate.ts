import process from 'node:process'
import { Command } from 'commander'
import { faultsOf } from '../control/faults.ts'
import { Project } from '../control/project.ts'
import { thisMachine } from '../serve/site.ts'
import { printFault, summary } from './faults.ts'
import { printJson } from './terminal.ts'
import { filesOption, outputOption } from './usage.ts'

export const validateCommand = new Command('validate')
  .description('say what an API server would refuse in manifests, and what would not be served as it is meant')
  .addOption(filesOption())
  .addOption(outputOption())
  .addHelpText(
    'after',
    `
Prints one line a fault, as file:line: kind namespace/name field: what is wrong, and what would be right.
Exits with 1 when there is an error.

Examples:
  $ landfall validate -f manifests/
  $ landfall validate -f gateway.yaml routes.yaml -o json
  $ kubectl kustomize overlays/production | landfall validate -f -`,
  )
  .action(async ({ filename, output }: { readonly filename: string[]; readonly output?: 'json' }) => {
    const reading = await new Project(filename, thisMachine()).read()
    const faults = faultsOf(reading)
    if (output === 'json') printJson(faults)
    else process.stdout.write(`${[...faults.map(printFault), summary(reading, faults)].join('\n')}\n`)
    if (faults.some(({ severity }) => severity === 'error')) process.exitCode = 1
  })
