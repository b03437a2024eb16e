import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Project, type Reading } from '../control/project.ts'
import { encodeTable } from '../control/publish/encode.ts'
import { publish } from '../control/publish/publish.ts'
import type { Store } from '../control/publish/store.ts'
import { createConnector } from '../standalone/connector.ts'
import { createHttp1Upstream } from '../standalone/http1-upstream.ts'
import { bundleWorker } from './bundle.ts'
import { endpointsOf } from './endpoints.ts'
import { follow } from './follow.ts'
import { createKvServer } from './kv-server.ts'
import { thisMachine } from './site.ts'
import { type ListenSocket, socketsOf, whyNot } from './sockets.ts'
import { Workerd } from './workerd.ts'

export interface DevOptions {
  readonly paths: readonly string[]
  /** Where to serve all Gateways; each has its own addresses and ports when unset. */
  readonly port: number | undefined
  /** Holds the published tables; closed with the rest. */
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
  let endpoints: ReadonlySet<string> = new Set()

  const kv = createKvServer(store)
  kv.listen(unix('store'))
  await once(kv, 'listening')
  const keys = new Map([['dev', Buffer.from(secret)]])
  const connector = createConnector({
    keys: () => keys,
    isEndpoint: (endpoint) => endpoints.has(endpoint),
    upstreams: { http1: createHttp1Upstream() },
    now: Date.now,
    log: (event, fields) => log(`connector: ${event} ${JSON.stringify(fields)}`),
  })
  await connector.listen({ path: unix('connector') })
  await writeFile(join(directory, 'worker.js'), await bundleWorker())
  const workerd = new Workerd(directory, (line) => log(`workerd: ${line}`))

  let current: Reading | undefined
  let sockets: readonly ListenSocket[] = []

  async function apply(): Promise<void> {
    const reading = await project.read()
    if (reading === current) return
    const faults = await publishTables(reading)
    faults.push(...(await listen(socketsOf(reading, port))))
    current = reading
    onReading(reading, { sockets, faults })
  }

  async function publishTables({ compiled }: Reading): Promise<string[]> {
    const encoded = compiled.tables.map(encodeTable)
    await publish(
      store,
      encoded.flatMap((each) => (each.ok ? each.table : [])),
      { now: Date.now },
    )
    endpoints = endpointsOf(compiled.tables)
    return encoded.flatMap((each) => (each.ok ? [] : each.problems.map(({ message }) => message)))
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
  const following = await follow(paths, apply, log)

  return {
    close: async () => {
      await following.close()
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
