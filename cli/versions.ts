import process from 'node:process'
import { Command } from 'commander'
import { versionsAnswer } from '../control/service/answers.ts'
import { type ClientFlags, ControlClient, withService } from './control-client.ts'
import { printJson, table } from './terminal.ts'
import { outputOption } from './usage.ts'

export const versionsCommand = withService(new Command('versions'))
  .description('list the versions of a set that the control service keeps')
  .argument('<set>', 'the name of the set')
  .addOption(outputOption())
  .addHelpText(
    'after',
    `
Examples:
  $ landfall versions shop
  $ landfall versions shop -o json | jq '.versions[0].digest'`,
  )
  .action(async (set: string, flags: ClientFlags & { readonly output?: 'json' }) => {
    const path = `/v1/sets/${encodeURIComponent(set)}/versions`
    const answer = await new ControlClient(flags).ask({ method: 'GET', path }, versionsAnswer)
    if (answer === undefined) return
    if (flags.output === 'json') return printJson(answer)
    const rows = answer.versions.map(({ version, state, at, by, objects, digest, rollbackTo }) => [
      String(version),
      state,
      at,
      by,
      String(objects),
      digest.slice(0, 12),
      rollbackTo === undefined ? '' : `as version ${rollbackTo}`,
    ])
    process.stdout.write(`${table(['VERSION', 'STATE', 'MADE', 'BY', 'OBJECTS', 'DIGEST', ''], rows)}\n`)
  })
