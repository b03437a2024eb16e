import process from 'node:process'
import { Command, InvalidArgumentError, Option } from 'commander'
import { thisMachine } from '../serve/site.ts'
import { auditCommand } from './control-audit.ts'
import { tokenCommand } from './control-token.ts'
import { hostAndPort } from './port.ts'
import { refuseToDowngrade, type SigningFlags, signingOf, signKeyOption, validForOption } from './signing.ts'
import { untilStopped } from './stop.ts'
import { openStore, storeWords } from './stores.ts'
import { isForPeople, UsageError } from './usage.ts'

const dataOption = (): Option =>
  new Option('--data <directory>', 'where the database with versions, tokens and the audit log is').default(
    '.landfall/control',
  )

interface ServeFlags extends SigningFlags {
  readonly unsigned?: boolean
  readonly data: string
  readonly to?: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly grace: number
}

export const controlCommand = new Command('control')
  .description('run the control service: sets of manifests are pushed to it, and it publishes them')
  .addOption(dataOption())
  .option('--to <store>', storeWords)
  .addOption(
    new Option('--listen <host:port>', 'where it listens; behind a proxy with TLS when others are to reach it')
      .argParser(hostAndPort)
      .default({ host: '127.0.0.1', port: 9965 }, '127.0.0.1:9965'),
  )
  .addOption(signKeyOption())
  .addOption(validForOption())
  .addOption(
    new Option('--unsigned', 'publish unsigned tables also where signed ones are').conflicts(['signKey', 'validFor']),
  )
  .option('--grace <seconds>', 'how long requests under way get when the process is stopped', seconds, 30)
  .addHelpText(
    'after',
    `
The first SIGTERM lets a push under way end, a second one does not.

Examples:
  $ landfall control --to cloudflare
  $ landfall control token create ci --set shop --verb push --verb plan > token
  $ LANDFALL_CONTROL_TOKEN=$(cat token) landfall push shop -f manifests/
  $ landfall control audit verify`,
  )
  .action(async ({ data, to, listen, grace, unsigned = false, ...flags }: ServeFlags) => {
    if (to === undefined) throw new UsageError(`which store are tables published to? --to ${storeWords}`)
    const signing = unsigned ? undefined : await signingOf(flags)
    const stopped = untilStopped()
    const store = await openStore(to)
    if (signing !== undefined && signing.signer === undefined) await refuseToDowngrade(store).catch(forPeople)
    const [{ createLog }, { startNodeService }] = await Promise.all([
      import('../serve/log.ts'),
      import('../control/service/node-service.ts'),
    ])
    const log = createLog('info', 2)
    const service = await startNodeService({
      ...{ data, ...listen, store, site: thisMachine(), publishing: signing ?? {} },
      log: (level, event, fields) => log[level](fields, event),
    }).catch(forPeople)
    if (service === undefined) throw new UsageError(`another landfall control serves from ${data} already`)
    process.stdout.write(`control service listens on http://${service.address}\n`)
    await stopped
    log.info({ grace }, 'stopping')
    await service.close(grace * 1000)
  })
  .addCommand(tokenCommand)
  .addCommand(auditCommand)

function seconds(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('write a number of seconds.')
  return Number(text)
}

function forPeople(error: unknown): never {
  throw isForPeople(error) ? new UsageError(error.message) : error
}
