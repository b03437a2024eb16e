import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isEdge } from '../control/compile/features.ts'
import { Project, type Reading } from '../control/project.ts'
import { MemoryStore } from '../control/publish/memory.ts'
import { publish } from '../control/publish/publish.ts'
import type { Store } from '../control/publish/store.ts'
import { nameOf } from '../control/snapshot-index.ts'
import type { Router } from '../engine/router.ts'
import { feedOf } from '../serve/feed.ts'
import { follow } from '../serve/follow.ts'
import { thisMachine } from '../serve/site.ts'
import { createConnector } from '../standalone/connector/connector.ts'
import { connectorTable } from '../standalone/connector/table.ts'
import { ConnectorTables } from '../standalone/connector/tables.ts'
import { routersOf } from '../standalone/feed.ts'
import type { Log } from '../standalone/log.ts'
import { createConnect } from '../standalone/origin-socket/origin-socket.ts'
import { bundleWorker } from './bundle.ts'
import { Edge } from './edge.ts'
import { EdgeCertificates } from './edge-certificates.ts'
import { Generation, keyOf } from './generation.ts'
import { createKvServer } from './kv-server.ts'
import { type Place, placesOf } from './places.ts'
import { createResolver } from './resolver.ts'

/** Milliseconds that the Worker may still need parts of a table that another has replaced, and a workerd may take for its last
 *  requests. */
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
  /** Those that are listened on. */
  readonly places: readonly Place[]
  /** Why places that the manifests ask for are not listened on, and tables that they come to are not served. */
  readonly faults: readonly string[]
}

export interface Dev {
  close(): Promise<void>
}

/** Serves manifests on this machine by the Worker on workerd, with Cloudflare's edge played in front of it and the connector
 *  behind it, and follows their changes. Resolves when it serves. */
export async function startDev({ paths, port, store, onReading, log }: DevOptions): Promise<Dev> {
  const project = new Project(paths, thisMachine())
  const directory = await mkdtemp(join(tmpdir(), 'landfall-'))
  const unix = (name: string): string => join(directory, `${name}.sock`)
  const logError = (error: unknown): void => log(error instanceof Error ? error.message : String(error))
  const logFor =
    (part: string): Log =>
    (event, fields) =>
      log(`${part}: ${event} ${JSON.stringify(fields)}`)

  const served = new MemoryStore()
  const kv = createKvServer(served)
  kv.listen(unix('store'))
  await once(kv, 'listening')

  const secret = randomBytes(32).toString('hex')
  const keys = new Map([['dev', Buffer.from(secret)]])
  // Until the Worker has the new table, it sends to the endpoints of the old one.
  const reachable = new ConnectorTables(grace, Date.now)
  const connector = createConnector({
    keys: () => keys,
    table: () => reachable,
    now: Date.now,
    log: logFor('connector'),
  })
  await connector.listen({ path: unix('connector') })

  const resolver = createResolver({ connect: createConnect(() => undefined), log: logFor('resolver') })
  await resolver.listen({ path: unix('resolver') })

  const adminToken = randomBytes(24).toString('hex')
  const worker = await bundleWorker()
  const edge = new Edge({ log: logFor('edge') })
  const certificates = new EdgeCertificates(Date.now)
  const workerdOptions = {
    worker,
    adminToken,
    storeAddress: `unix:${unix('store')}`,
    connectorAddress: `unix:${unix('connector')}`,
    resolverAddress: `unix:${unix('resolver')}`,
    variables: { ADMIN_TOKEN: adminToken, CONNECTOR_KEY: `dev:${secret}`, REFRESH_SECONDS: '5' },
    log: (line: string) => log(`workerd: ${line}`),
  }
  let generations = 0
  let generation: Generation | undefined
  const retired = new Map<Generation, Promise<void>>()

  /** A workerd with sockets for these places, which has looked at the store. */
  async function workerdFor(places: readonly Place[]): Promise<Generation> {
    if (generation?.key === keyOf(places)) {
      await generation.refresh()
      return generation
    }
    const next = new Generation(join(directory, `${++generations}`), places, workerdOptions)
    await next.start()
    return next
  }

  function retire(before: Generation): void {
    const closing = before.close(grace).catch(logError)
    retired.set(
      before,
      closing.then(() => void retired.delete(before)),
    )
  }

  let current: Reading | undefined
  let routers: ReadonlyMap<string, Router> = new Map()
  let copying = Promise.resolve()

  async function apply(changed?: ReadonlySet<string>): Promise<void> {
    const reading = await project.read(changed)
    if (reading === current) return
    const { feed, tables, faults } = feedOf(reading)
    await publish(served, tables, { now: Date.now, grace })

    reachable.set(connectorTable(feed))
    const equipped = certificates.equip(feed, ofCloudflare(reading))
    const read = routersOf(equipped, routers)
    routers = read.routers
    const wanted = placesOf(routers.values(), port)
    const next = await workerdFor(wanted.places)
    const deaf = await edge.apply(wanted.places, routers, equipped.keyPairs, (place) => next.socketsOf(place))
    if (generation !== undefined && generation !== next) retire(generation)
    generation = next

    current = reading
    const isHeard = ({ address, port }: Place): boolean =>
      !deaf.some((each) => each.startsWith(`${address} port ${port}: `))
    onReading(reading, {
      places: wanted.places.filter(isHeard),
      faults: [...faults, ...read.faults, ...wanted.faults, ...deaf.map(withAdvice)],
    })
    copying = copying.then(async () => void (await publish(store, tables, { now: Date.now }))).catch(logError)
  }

  await apply()
  const following = await follow(paths, apply, logError)

  return {
    close: async () => {
      await following.close()
      await copying
      await edge.close(0)
      await Promise.all([generation, ...retired.keys()].map((each) => each?.close(0)))
      await Promise.all(retired.values())
      await connector.close(0)
      await resolver.close(0)
      kv.closeAllConnections()
      kv.close()
      await store.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Which Gateways are to be served by Cloudflare. */
function ofCloudflare({ compiled }: Reading): (gateway: string) => boolean {
  const names = compiled.gateways
    .filter(({ state }) => isEdge(state.controller))
    .map(({ state: { gateway } }) => nameOf(gateway.metadata.namespace, gateway.metadata.name))
  const found = new Set(names)
  return (gateway) => found.has(gateway)
}

function withAdvice(fault: string): string {
  if (fault.includes('EACCES')) return `${fault}: ports below 1024 need privileges; use --port 8080 for all Gateways`
  return fault.includes('EADDRINUSE') ? `${fault}: another process listens there already` : fault
}
