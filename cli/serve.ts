import { isIP } from 'node:net'
import { availableParallelism } from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import { printServed } from './served.ts'
import { untilStopped } from './stop.ts'
import { openStore, storeWords } from './stores.ts'
import { UsageError } from './usage.ts'

interface ServeFlags {
  readonly filename?: readonly string[]
  readonly store?: string
  readonly secrets: readonly string[]
  readonly address: readonly string[]
  readonly workers: number
  readonly admin: { readonly host: string; readonly port: number } | false
  readonly accessLog: boolean
  readonly logLevel: string
  readonly grace: number
  readonly proxyProtocol: readonly string[]
}

export const serveCommand = new Command('serve')
  .description('serve manifests, or published tables, on this machine by the stand-alone data plane')
  .addOption(
    new Option(
      '-f, --filename <path...>',
      'manifests: files, directories with all below them, or - for standard input',
    ).conflicts('store'),
  )
  .option('--store <store>', `published tables: ${storeWords}`)
  .option('--secrets <path...>', 'with --store: manifests with the TLS Secrets, which no store has', [])
  .option('--address <ip...>', 'where Gateways listen that ask for no address (default: every address)', ips, [])
  .option('--workers <number>', 'processes that share the ports; "auto": one for each core', workers, 1)
  .option('--admin <host:port>', '/healthz, /readyz and /metrics', hostAndPort, { host: '127.0.0.1', port: 9964 })
  .option('--no-admin', 'without them')
  .option('--access-log', 'write a line of JSON for each request to standard output', false)
  .addOption(
    new Option('--log-level <level>', 'of the log on standard error')
      .choices(['debug', 'info', 'warn', 'error'])
      .default('info'),
  )
  .option('--grace <seconds>', 'how long requests under way get when the process is stopped', seconds, 30)
  .option('--proxy-protocol <cidr...>', 'take PROXY protocol headers (v1 and v2) from these addresses', [])
  .addHelpText(
    'after',
    `
Serves the Gateways of controller landfall.dev/gateway-controller, and follows changes of the files or the store.
A second process on the same ports takes over from the first: start it, then stop the first with SIGTERM.

Examples:
  $ landfall serve -f manifests/
  $ landfall serve -f manifests/ --address 192.0.2.10 --workers auto
  $ landfall serve --store dir:/var/lib/landfall --secrets /etc/landfall/tls`,
  )
  .action(async (flags: ServeFlags) => {
    const stopped = untilStopped()
    // Most of the command starts sooner without what only this one needs.
    const [{ pino }, { startServe }] = await Promise.all([import('pino'), import('../serve/serve.ts')])
    const log = pino({ level: flags.logLevel, base: null }, pino.destination({ dest: 2, sync: true }))
    const serve = await startServe({
      source: await sourceOf(flags, (error) => log.error(error instanceof Error ? error.message : String(error))),
      addresses: flags.address,
      workers: flags.workers,
      admin: flags.admin === false ? undefined : flags.admin,
      accessLog: flags.accessLog,
      proxyProtocol: flags.proxyProtocol,
      onSupply: printServed,
      log,
    })
    await stopped
    log.info({ grace: flags.grace }, 'stopping')
    await serve.close(flags.grace * 1000)
  })

async function sourceOf({ filename, store, secrets, address }: ServeFlags, failed: (error: unknown) => void) {
  if (filename !== undefined) {
    const [{ fileSource }, { outerAddresses, thisMachine }] = await Promise.all([
      import('../serve/file-source.ts'),
      import('../serve/site.ts'),
    ])
    const assigned = address.length === 0 ? outerAddresses() : address
    return fileSource(filename, thisMachine(['landfall.dev/gateway-controller'], assigned), failed)
  }
  if (store === undefined) throw new UsageError('there is nothing to serve: -f PATH, or --store')
  const { storeSource } = await import('../serve/store-source.ts')
  // Workers KV shows changes late anyway, and counts every look.
  return storeSource(await openStore(store), secrets, store === 'cloudflare' ? 30_000 : 1_000, failed)
}

function ips(text: string, before: readonly string[]): readonly string[] {
  if (isIP(text) === 0) throw new InvalidArgumentError('write an IP address.')
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
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('write a number of seconds.')
  return number
}

function hostAndPort(text: string): { readonly host: string; readonly port: number } {
  const [, host = '', port = ''] = /^(\[[0-9a-f:.]+\]|[^:]+):(\d{1,5})$/i.exec(text) ?? []
  if (host === '' || Number(port) > 65_535) throw new InvalidArgumentError('write HOST:PORT.')
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}
