import { isIP } from 'node:net'
import { availableParallelism } from 'node:os'
import process from 'node:process'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Source } from '../serve/source.ts'
import { hostAndPort } from './port.ts'
import { Served } from './served.ts'
import { untilStopped } from './stop.ts'
import { openStore, storeWords } from './stores.ts'
import {
  type TableTrustFlags,
  tableFloorOption,
  tableKeyOption,
  tableStateOption,
  tableTrustOf,
} from './table-trust.ts'
import { isForPeople, UsageError } from './usage.ts'

interface ServeFlags extends TableTrustFlags {
  readonly filename?: readonly string[]
  readonly secrets?: readonly string[]
  readonly address?: readonly string[]
  readonly workers: number
  readonly admin: { readonly host: string; readonly port: number } | false
  readonly accessLog: boolean
  readonly logLevel: string
  readonly grace: number
  readonly proxyProtocol?: readonly string[]
}

const controller = 'landfall.dev/gateway-controller'

/** Milliseconds between two looks at a store. Workers KV shows changes late anyway, and counts every look. */
const interval = (store: string): number => (store === 'cloudflare' ? 30_000 : 1_000)

/** Milliseconds that a process which should have ended by now is waited for. */
const patience = 2_000

export const serveCommand = new Command('serve')
  .description('serve manifests, or published tables, on this machine by the stand-alone data plane')
  .optionsGroup('What to serve:')
  .addOption(
    new Option(
      '-f, --filename <path...>',
      'manifests: files, directories with all below them, or - for standard input',
    ).conflicts('store'),
  )
  .option('--store <store>', `published tables: ${storeWords}`)
  .option('--secrets <path...>', 'with --store: manifests with the TLS Secrets, which no store has')
  .optionsGroup('Whose tables to take:')
  .addOption(tableKeyOption())
  .addOption(tableFloorOption())
  .addOption(tableStateOption())
  .optionsGroup('Where and how:')
  .option('--address <ip...>', 'where Gateways listen that ask for no address (default: every address)', ips)
  .option('--workers <number>', 'processes that serve, beside this one; "auto": one for each core', workers, 1)
  .option(
    '--proxy-protocol <cidr...>',
    'take PROXY protocol headers (v1 and v2) from these addresses, and only there',
    cidrs,
  )
  .option('--grace <seconds>', 'how long requests under way get when the process is stopped', seconds, 30)
  .optionsGroup('What to tell:')
  .addOption(
    new Option('--admin <host:port>', 'where /healthz, /readyz and /metrics are')
      .argParser(hostAndPort)
      .default({ host: '127.0.0.1', port: 9964 }, '127.0.0.1:9964'),
  )
  .option('--no-admin', 'have none of them')
  .option('--access-log', 'write a line of JSON for each request to standard output', false)
  .addOption(
    new Option('--log-level <level>', 'of the log on standard error')
      .choices(['debug', 'info', 'warn', 'error'])
      .default('info'),
  )
  .addHelpText(
    'after',
    `
Serves the Gateways of controller ${controller}, and follows changes of the files or the store.
The first SIGTERM lets requests under way end, a second one does not. A second process on the same ports takes over
from the first: start it with another --admin, wait for its /readyz there, then stop the first.

Examples:
  $ landfall serve -f manifests/
  $ landfall serve -f manifests/ --address 192.0.2.10 --workers auto
  $ landfall serve -f manifests/ --admin 127.0.0.1:9965
  $ landfall serve --store dir:/var/lib/landfall --secrets /etc/landfall/tls`,
  )
  .action(async (flags: ServeFlags) => {
    const stopped = untilStopped()
    const isDeno = process.versions.deno !== undefined
    if (isDeno && flags.workers > 1) throw new UsageError('--workers needs Node.js: on Deno, one process serves')
    // Most of the command starts sooner without what only this one needs.
    const [{ createLog }, { startServe }] = await Promise.all([import('../serve/log.ts'), import('../serve/serve.ts')])
    const log = createLog(flags.logLevel, 2)
    if (isDeno) {
      log.warn('on Deno: HTTP/2, and gRPC with it, is not spoken, neither with clients nor with origins')
      log.warn('on Deno: of several certificates for a host the first is shown to all clients')
    }
    const served = new Served(controller, log)
    const starting = startServe({
      source: await sourceOf(flags, (error) => log.error(error instanceof Error ? error.message : String(error))),
      addresses: flags.address ?? [],
      workers: flags.workers,
      isDeno,
      admin: flags.admin === false ? undefined : flags.admin,
      accessLog: flags.accessLog,
      logLevel: flags.logLevel,
      proxyProtocol: flags.proxyProtocol ?? [],
      onSupply: (supply, faults, milliseconds) => served.show(supply, faults, milliseconds),
      log,
    })
    const serve = await starting.catch((error: unknown) => {
      throw usageErrorOf(error)
    })
    await stopped
    log.info({ grace: flags.grace }, 'stopping')
    setTimeout(() => process.exit(1), flags.grace * 1000 + patience).unref()
    await serve.close(flags.grace * 1000)
  })

async function sourceOf(flags: ServeFlags, failed: (error: unknown) => void): Promise<Source> {
  const { filename, store, secrets = [], address = [] } = flags
  const trust = await tableTrustOf(flags)
  if (filename !== undefined) {
    const [{ fileSource }, { outerAddresses, thisMachine }] = await Promise.all([
      import('../serve/file-source.ts'),
      import('../serve/site.ts'),
    ])
    const assigned = address.length === 0 ? outerAddresses() : address
    return fileSource(filename, thisMachine([controller], assigned), failed)
  }
  if (store === undefined) throw new UsageError('there is nothing to serve: -f PATH, or --store')
  const { StoreSource } = await import('../serve/store-source.ts')
  return new StoreSource(await openStore(store), secrets, interval(store), failed, { controller, trust })
}

function usageErrorOf(error: unknown): unknown {
  // What a Gateway cannot listen on is a fault, and no error.
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    const hint = 'health and metrics need an address of their own: --admin HOST:PORT, or --no-admin'
    return new UsageError(`${error.message}; ${hint}`)
  }
  return isForPeople(error) ? new UsageError(error.message) : error
}

function ips(text: string, before: readonly string[] = []): readonly string[] {
  if (isIP(text) === 0) throw new InvalidArgumentError('write an IP address.')
  return [...before, text]
}

function cidrs(text: string, before: readonly string[] = []): readonly string[] {
  const [address = '', bits, ...more] = text.split('/')
  const family = isIP(address)
  const isPrefix = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32))
  if (family === 0 || !isPrefix || more.length > 0)
    throw new InvalidArgumentError('write addresses as 192.0.2.0/24 or 2001:db8::/32.')
  return [...before, text]
}

function workers(text: string): number {
  const count = text === 'auto' ? availableParallelism() : Number(text)
  if (!Number.isInteger(count) || count < 1 || count > 256)
    throw new InvalidArgumentError('write a number from 1 to 256, or "auto".')
  return count
}

function seconds(text: string): number {
  const number = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || number > 86_400)
    throw new InvalidArgumentError('write a number of seconds, at most a day.')
  return number
}
