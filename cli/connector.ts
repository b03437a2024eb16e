import process from 'node:process'
import { Command, Option } from 'commander'
import { connectorKeyForm, readConnectorKey } from '../engine/connector-key.ts'
import type { Source } from '../serve/source.ts'
import { createConnector } from '../standalone/connector/connector.ts'
import { connectorTable } from '../standalone/connector/table.ts'
import { ConnectorTables } from '../standalone/connector/tables.ts'
import type { ListenAddress } from '../standalone/connector/worker-server.ts'
import { hostAndPort } from './port.ts'
import { untilStopped } from './stop.ts'
import { openStore, storeWords } from './stores.ts'
import {
  type TableTrustFlags,
  tableFloorOption,
  tableKeyOption,
  tableStateOption,
  tableTrustOf,
} from './table-trust.ts'
import { count } from './terminal.ts'
import { UsageError } from './usage.ts'

/** Milliseconds between looks at a store. */
const storeInterval = 5_000
/** Milliseconds that Workers may take to hear of a new table: Workers KV a minute, a Worker half a minute, and a token 20 s. */
const retention = 120_000
/** Milliseconds that requests under way get when the connector is stopped. */
const grace = 10_000

interface ConnectorFlags extends TableTrustFlags {
  readonly filename?: readonly string[]
  readonly secrets: readonly string[]
  readonly listen: ListenAddress
}

export const connectorCommand = new Command('connector')
  .description(
    'forward requests of the Worker to private endpoints: those in the tables, and only what the Worker signed',
  )
  .addOption(new Option('-f, --filename <path...>', 'take the endpoints from manifests').conflicts('store'))
  .option('--store <store>', `take the endpoints from published tables: ${storeWords}`)
  .option('--secrets <path...>', 'with --store: manifests with the TLS Secrets that backends are shown', [])
  .addOption(tableKeyOption())
  .addOption(tableFloorOption())
  .addOption(tableStateOption())
  .addOption(
    new Option('--listen <address>', 'HOST:PORT, or unix:PATH')
      .argParser(listenAddress)
      .default({ host: '127.0.0.1', port: 8787 }, '127.0.0.1:8787'),
  )
  .addHelpText(
    'after',
    `
LANDFALL_CONNECTOR_KEY in the environment is <key id>:<secret>, as the Worker's CONNECTOR_KEY; several, separated by
commas, are all believed, so that one can replace another.

Examples:
  $ export LANDFALL_CONNECTOR_KEY="k1:$(openssl rand -hex 32)"
  $ landfall connector -f manifests/
  $ landfall connector --store cloudflare --listen 127.0.0.1:8787`,
  )
  .action(async (flags: ConnectorFlags) => {
    const stopped = untilStopped()
    const log = (line: string): void => void process.stderr.write(`${line}\n`)
    const keys = readKeys(process.env.LANDFALL_CONNECTOR_KEY ?? '')
    const tables = new ConnectorTables(retention, Date.now)
    const source = await sourceOf(flags, (error) => log(`kept the last table: ${error}`))
    await source.follow(async ({ feed, faults }) => {
      for (const fault of faults) log(fault)
      const table = connectorTable(feed)
      tables.set(table)
      log(`${count(table.endpoints.size, 'endpoint')} in the table`)
    })
    const connector = createConnector({
      keys: () => keys,
      table: () => tables,
      now: Date.now,
      log: (event, fields) => log(JSON.stringify({ event, ...fields })),
    })
    process.stdout.write(`connector listens on ${await connector.listen(flags.listen)}\n`)
    await stopped
    await source.close()
    await connector.close(grace)
  })

async function sourceOf(flags: ConnectorFlags, failed: (error: unknown) => void): Promise<Source> {
  const { filename, store, secrets } = flags
  const trust = await tableTrustOf(flags)
  if (filename !== undefined) {
    const [{ fileSource }, { thisMachine }] = await Promise.all([
      import('../serve/file-source.ts'),
      import('../serve/site.ts'),
    ])
    return fileSource(filename, thisMachine(), failed)
  }
  if (store === undefined) throw new UsageError('the connector needs its table of endpoints: -f PATH, or --store')
  const { StoreSource } = await import('../serve/store-source.ts')
  return new StoreSource(await openStore(store), secrets, storeInterval, failed, { trust })
}

function readKeys(text: string): ReadonlyMap<string, Uint8Array> {
  const keys = new Map<string, Uint8Array>()
  for (const part of text.split(',')) {
    const key = readConnectorKey(part)
    if (key === undefined) throw new UsageError(`LANDFALL_CONNECTOR_KEY has to be set to ${connectorKeyForm}`)
    keys.set(key.id, Buffer.from(key.secret))
  }
  return keys
}

function listenAddress(text: string): ListenAddress {
  if (text.startsWith('unix:')) return { path: text.slice(5) }
  return hostAndPort(text)
}
