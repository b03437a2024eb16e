import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { Logger } from 'pino'
import { AggregatorRegistry } from 'prom-client'
import { type Admin, startAdmin } from '../standalone/admin.ts'
import { createPlane } from './own-plane.ts'
import type { Plane, PlaneOptions } from './plane.ts'
import type { Source, Supply } from './source.ts'
import { WorkerPool } from './worker-pool.ts'

export interface ServeOptions extends Omit<PlaneOptions, 'ticketSecret'> {
  readonly source: Source
  /** Processes that serve; 1: this one. */
  readonly workers: number
  readonly admin: { readonly host: string; readonly port: number } | undefined
  /** Hears of everything that is served, and of what cannot be. */
  readonly onSupply: (supply: Supply, faults: readonly string[]) => void
  readonly log: Logger
}

export interface Serve {
  /** Requests under way get `grace` milliseconds. */
  close(grace: number): Promise<void>
}

/** Serves by the stand-alone data plane what a source gives. Resolves when it serves. */
export async function startServe(options: ServeOptions): Promise<Serve> {
  const { source, workers, log, addresses, accessLog, proxyProtocol } = options
  const own = { addresses, accessLog, proxyProtocol, ticketSecret: randomBytes(32).toString('base64') }
  const plane: Plane = workers > 1 ? new WorkerPool(workers, own, log) : createPlane(own)
  let isReady = false
  const admin = await adminOf(options, plane, () => isReady)

  await source.follow(async (supply) => {
    const since = performance.now()
    const faults = [...supply.faults, ...(await plane.apply(supply.feed))]
    for (const fault of faults) log.error(fault)
    log.info({ gateways: supply.feed.roots.length, ms: Math.round(performance.now() - since) }, 'serving')
    options.onSupply(supply, faults)
  })
  isReady = true

  return {
    close: async (grace) => {
      isReady = false
      await source.close()
      await plane.close(grace)
      admin?.close()
    },
  }
}

async function adminOf({ admin, log }: ServeOptions, plane: Plane, isReady: () => boolean): Promise<Admin | undefined> {
  if (admin === undefined) return undefined
  const metrics = async (): Promise<string> =>
    AggregatorRegistry.aggregate((await plane.metrics()).map((each) => [...each])).metrics()
  const started = await startAdmin(admin.host, admin.port, { isReady, metrics })
  log.info({ address: `${admin.host}:${started.port}` }, 'health and metrics')
  return started
}
