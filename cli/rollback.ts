import process from 'node:process'
import { Command } from 'commander'
import { pushAnswer } from '../control/service/answers.ts'
import { printDiff, printWritten } from './changes.ts'
import { type ClientFlags, ControlClient, withService } from './control-client.ts'
import { inEffect, precondition, watched } from './push.ts'
import { printJson } from './terminal.ts'
import { outputOption, UsageError } from './usage.ts'

interface RollbackFlags extends ClientFlags {
  readonly to?: string
  readonly ifVersion?: string
  readonly output?: 'json'
}

export const rollbackCommand = withService(new Command('rollback'))
  .description('make a new version of a set, with the content of an earlier one')
  .argument('<set>', 'the name of the set')
  .option('--to <version>', 'the version whose content is to be in effect again (default: the one before the current)')
  .option('--if-version <number>', 'only when the set is at this version')
  .addOption(outputOption())
  .addHelpText(
    'after',
    `
Examples:
  $ landfall rollback shop
  $ landfall rollback shop --to 41`,
  )
  .action(async (set: string, flags: RollbackFlags) => {
    const { to, ifVersion, output } = flags
    if (to !== undefined && !/^[1-9]\d{0,14}$/.test(to)) throw new UsageError('--to is the number of a version')
    const client = new ControlClient(flags)
    const answer = await client.ask(
      {
        method: 'POST',
        path: `/v1/sets/${encodeURIComponent(set)}/rollback`,
        headers: { 'content-type': 'application/json', ...precondition(ifVersion) },
        body: JSON.stringify(to === undefined ? {} : { to: Number(to) }),
      },
      pushAnswer,
      watched(client, set, output),
    )
    if (answer === undefined) return
    if (output === 'json') return printJson(answer)
    const { entries, bytes, collected } = answer.written
    const lines = [...answer.changes.map(printDiff), printWritten(entries, bytes, collected, false)]
    process.stdout.write(`${lines.join('\n')}\n${inEffect(set, answer)}`)
  })
