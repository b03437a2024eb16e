import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Project, type Reading } from '../control/project.ts'
import { encodeTable } from '../control/publish/encode.ts'
import { MemoryStore } from '../control/publish/memory.ts'
import { publish } from '../control/publish/publish.ts'
import type { Store } from '../control/publish/store.ts'
import { feedOf } from '../serve/feed.ts'
import { follow } from '../serve/follow.ts'
import { thisMachine } from '../serve/site.ts'
import { createConnector } from '../standalone/connector.ts'
import { connectorTable } from '../standalone/connector-table.ts'
import { ConnectorTables } from '../standalone/connector-tables.ts'
import { bundleWorker } from './bundle.ts'
import { createKvServer } from './kv-server.ts'
import { type ListenSocket, socketsOf, whyNot } from './sockets.ts'
import { Workerd } from './workerd.ts'

/** Milliseconds that the Worker may still need parts of a table that another has replaced. */
const grace = 30_000

export interface DevOptions {
  readonly paths: readonly string[]
  /** Where to serve all Gateways; each has its own addresses and ports when unset. */
  readonly port: number | undefined
  /** Gets the same tables, for `wrangler dev`; closed with the rest. What is served comes from memory, so that another
   *  publisher cannot take it away. */
  readonly store: Store
  readonly onReading: (reading: Reading, serving: Serving) => void
  readonly log: (line: string) => void
}

/** What a reading of the manifests came to. */
export interface Serving {
  readonly sockets: readonly ListenSocket[]
  /** Why sockets that the manifests ask for are not listened on, and tables that they come to are not served. */
  readonly faults: readonly string[]
}

export interface Dev {
  close(): Promise<void>
}

/** Serves manifests on this machine by the Worker on plain workerd, and follows their changes. Resolves when it serves. */
export async function startDev({ paths, port, store, onReading, log }: DevOptions): Promise<Dev> {
  const project = new Project(paths, thisMachine())
  const directory = await mkdtemp(join(tmpdir(), 'landfall-'))
  const unix = (name: string): string => join(directory, `${name}.sock`)
  const adminToken = randomBytes(24).toString('hex')
  const secret = randomBytes(32).toString('hex')
  // Until the Worker has the new table, it sends to the endpoints of the old one.
  const endpoints = new ConnectorTables(grace, Date.now)

  const served = new MemoryStore()
  const kv = createKvServer(served)
  kv.listen(unix('store'))
  await once(kv, 'listening')
  const keys = new Map([['dev', Buffer.from(secret)]])
  const connector = createConnector({
    keys: () => keys,
    table: () => endpoints,
    now: Date.now,
    log: (event, fields) => log(`connector: ${event} ${JSON.stringify(fields)}`),
  })
  await connector.listen({ path: unix('connector') })
  await writeFile(join(directory, 'worker.js'), await bundleWorker())
  const workerd = new Workerd(directory, (line) => log(`workerd: ${line}`))

  const logError = (error: unknown): void => log(error instanceof Error ? error.message : String(error))

  let current: Reading | undefined
  let sockets: readonly ListenSocket[] = []

  let copying = Promise.resolve()

  async function apply(): Promise<void> {
    const reading = await project.read()
    if (reading === current) return
    const { tables } = reading.compiled
    const encoded = tables.map(encodeTable)
    const fitting = encoded.flatMap((each) => (each.ok ? each.table : []))
    await publish(served, fitting, { now: Date.now, grace })
    endpoints.set(connectorTable(feedOf(reading).feed))
    const faults = await listen(socketsOf(reading, port))
    for (const each of encoded) if (!each.ok) faults.push(...each.problems.map(({ message }) => message))
    current = reading
    onReading(reading, { sockets, faults })
    copying = copying.then(async () => void (await publish(store, fitting, { now: Date.now }))).catch(logError)
  }

  /** Resolves, with the faults, when the Worker serves what is published on all sockets that can be listened on. */
  async function listen(wanted: readonly ListenSocket[]): Promise<string[]> {
    const own = new Set(sockets.map(({ address }) => address))
    const faults = await Promise.all(wanted.map((socket) => (own.has(socket.address) ? undefined : whyNot(socket))))
    const usable = wanted.filter((_, index) => faults[index] === undefined)
    if (current !== undefined && JSON.stringify(usable) === JSON.stringify(sockets)) {
      await refresh(unix('admin'), adminToken)
    } else {
      sockets = usable
      await workerd.serve({
        sockets: [...usable, { name: 'admin', address: `unix:${unix('admin')}`, props: {} }],
        storeAddress: `unix:${unix('store')}`,
        connectorAddress: `unix:${unix('connector')}`,
        variables: { ADMIN_TOKEN: adminToken, CONNECTOR_KEY: `dev:${secret}`, REFRESH_SECONDS: '5' },
      })
    }
    return faults.filter((fault) => fault !== undefined)
  }

  await apply()
  const following = await follow(paths, apply, logError)

  return {
    close: async () => {
      await following.close()
      await copying
      await workerd.close()
      await connector.close(0)
      kv.closeAllConnections()
      kv.close()
      await store.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Lets the Worker look at the store at once. Only as good as its timer when it fails. */
async function refresh(socketPath: string, token: string): Promise<void> {
  const outgoing = request({
    socketPath,
    path: '/.well-known/landfall/refresh',
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  })
  outgoing.end()
  const [response] = await once(outgoing, 'response')
  response.resume()
  await once(response, 'end')
}
