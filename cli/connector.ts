import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command, Option } from 'commander'
import { Project } from '../control/project.ts'
import { storedEndpoints } from '../control/publish/stored-endpoints.ts'
import { endpointsOf } from '../dev/endpoints.ts'
import { connectorKeyForm, readConnectorKey } from '../engine/connector-key.ts'
import { follow } from '../serve/follow.ts'
import { thisMachine } from '../serve/site.ts'
import { createConnector, type ListenAddress } from '../standalone/connector.ts'
import { createHttp1Upstream } from '../standalone/http1-upstream.ts'
import { untilStopped } from './stop.ts'
import { openStore, storeWords } from './stores.ts'
import { count } from './terminal.ts'
import { UsageError } from './usage.ts'

/** Milliseconds between looks at a store. */
const storeInterval = 5_000
/** Milliseconds that requests under way get when the connector is stopped. */
const grace = 10_000

interface ConnectorFlags {
  readonly filename?: string[]
  readonly store?: string
  readonly listen: string
}

export const connectorCommand = new Command('connector')
  .description(
    'forward requests of the Worker to private endpoints: those in the tables, and only what the Worker signed',
  )
  .addOption(new Option('-f, --filename <path...>', 'take the endpoints from manifests').conflicts('store'))
  .option('--store <store>', `take the endpoints from published tables: ${storeWords}`)
  .option('--listen <address>', 'HOST:PORT, or unix:PATH', '127.0.0.1:8787')
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
  .action(async ({ filename, store, listen }: ConnectorFlags) => {
    const stopped = untilStopped()
    const keys = readKeys(process.env.LANDFALL_CONNECTOR_KEY ?? '')
    let endpoints: ReadonlySet<string> = new Set()
    const log = (line: string): void => void process.stderr.write(`${line}\n`)
    const take = (found: ReadonlySet<string>): void => {
      if (found.size !== endpoints.size || [...found].some((each) => !endpoints.has(each)))
        log(`${count(found.size, 'endpoint')} in the table`)
      endpoints = found
    }
    const end = await followEndpoints(filename, store, take, log)
    const connector = createConnector({
      keys: () => keys,
      isEndpoint: (endpoint) => endpoints.has(endpoint),
      upstreams: { http1: createHttp1Upstream() },
      now: Date.now,
      log: (event, fields) => log(JSON.stringify({ event, ...fields })),
    })
    process.stdout.write(`connector listens on ${await connector.listen(listenAddress(listen))}\n`)
    await stopped
    await end()
    await connector.close(grace)
  })

/** Gives the endpoints, now and whenever they change. */
async function followEndpoints(
  paths: readonly string[] | undefined,
  storeName: string | undefined,
  take: (endpoints: ReadonlySet<string>) => void,
  log: (line: string) => void,
): Promise<() => Promise<void>> {
  if (paths !== undefined) {
    const project = new Project(paths, thisMachine())
    const apply = async (): Promise<void> => take(endpointsOf((await project.read()).compiled.tables))
    await apply()
    const following = await follow(paths, apply, (error) => log(String(error)))
    return () => following.close()
  }
  if (storeName === undefined) throw new UsageError('the connector needs its table of endpoints: -f PATH, or --store')
  const store = await openStore(storeName)
  take(await storedEndpoints(store))
  const stop = new AbortController()
  const looking = (async () => {
    for (;;) {
      await sleep(storeInterval, undefined, { signal: stop.signal })
      await storedEndpoints(store).then(take, (error: unknown) => log(`kept the last table: ${error}`))
    }
  })().catch(() => undefined)
  return async () => {
    stop.abort()
    await looking
    await store.close()
  }
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
  const [, host, port] = /^(\[[0-9a-f:.]+\]|[^:]+):(\d{1,5})$/i.exec(text) ?? []
  if (host === undefined || Number(port) > 65535) throw new UsageError(`--listen ${text}: write HOST:PORT or unix:PATH`)
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}
