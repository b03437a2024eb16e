import process from 'node:process'
import { Command, InvalidArgumentError, Option } from 'commander'
import { thisMachine } from '../serve/site.ts'
import { auditCommand } from './control-audit.ts'
import { tokenCommand } from './control-token.ts'
import { type SigningFlags, signingOf, signKeyOption, validForOption } from './signing.ts'
import { untilStopped } from './stop.ts'
import { openStore, storeWords } from './stores.ts'
import { UsageError } from './usage.ts'

const dataOption = (): Option =>
  new Option('--data <directory>', 'where the database with versions, tokens and the audit log is').default(
    '.landfall/control',
  )

interface ServeFlags extends SigningFlags {
  readonly data: string
  readonly to: string
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
  .option('--grace <seconds>', 'how long requests under way get when the process is stopped', Number, 30)
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
  .action(async ({ data, to, listen, grace, ...signing }: ServeFlags) => {
    if (to === undefined) throw new UsageError(`which store are tables published to? --to ${storeWords}`)
    const stopped = untilStopped()
    const [{ createLog }, { startNodeService }] = await Promise.all([
      import('../serve/log.ts'),
      import('../control/service/node-service.ts'),
    ])
    const log = createLog('info', 2)
    const service = await startNodeService({
      ...{ data, ...listen, store: await openStore(to), site: thisMachine(), publishing: await signingOf(signing) },
      log: (level, event, fields) => log[level](fields, event),
    })
    if (service === undefined) throw new UsageError(`another landfall control serves from ${data} already`)
    process.stdout.write(`control service listens on http://${service.address}\n`)
    await stopped
    log.info({ grace }, 'stopping')
    await service.close(grace * 1000)
  })
  .addCommand(tokenCommand)
  .addCommand(auditCommand)

function hostAndPort(text: string): ServeFlags['listen'] {
  const [, host = '', port] = /^(\[[0-9a-f:.]+\]|[^:]+):(\d{1,5})$/i.exec(text) ?? []
  if (port === undefined || Number(port) > 65535) throw new InvalidArgumentError('write HOST:PORT.')
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}
