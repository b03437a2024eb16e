import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { Logger } from 'pino'
import { AggregatorRegistry, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { type Admin, startAdmin } from '../standalone/admin.ts'
import { servableByDeno } from './deno.ts'
import type { Plane, PlaneOptions } from './plane.ts'
import type { Source, Supply } from './source.ts'
import { WorkerPool } from './worker-pool.ts'

export interface ServeOptions extends Omit<PlaneOptions, 'ticketSecret' | 'http2'> {
  readonly source: Source
  /** Processes that serve, beside this one; none on Deno, where this one does. */
  readonly workers: number
  /** Whether this is Deno, which cannot do all that Node.js can. */
  readonly isDeno: boolean
  readonly admin: { readonly host: string; readonly port: number } | undefined
  /** Hears of everything that is served, of what cannot be, and of the milliseconds until it was in effect. */
  readonly onSupply: (supply: Supply, faults: readonly string[], milliseconds: number) => void
  readonly log: Logger
}

export interface Serve {
  /** Requests under way get `grace` milliseconds. */
  close(grace: number): Promise<void>
}

/** Serves by the stand-alone data plane what a source gives. Resolves when it serves. */
export async function startServe(options: ServeOptions): Promise<Serve> {
  const { source, workers, log, addresses, accessLog, logLevel, proxyProtocol } = options
  const ticketSecret = randomBytes(32).toString('base64')
  // An ordinary client of HTTP/2, or origin, ends Deno's process: docs/decisions/deno.md.
  const own = { addresses, accessLog, logLevel, proxyProtocol, ticketSecret, http2: !options.isDeno }
  // What compiles never holds up what serves, and its memory is no matter to it.
  const plane: Plane = options.isDeno
    ? (await import('./own-plane.ts')).createPlane(own)
    : new WorkerPool(workers, own, log)
  let admin: Admin | undefined
  let isReady = false
  const registry = new Registry()
  // Those of a process that serves stand among its plane's.
  if (!options.isDeno) collectDefaultMetrics({ register: registry })
  const problems = new Gauge({
    name: 'landfall_table_problems',
    help: 'What keeps a newer table from being served, or parts of this one.',
    registers: [registry],
  })
  const close = async (grace: number): Promise<void> => {
    isReady = false
    await source.close()
    await plane.close(grace)
    admin?.close()
  }
  const take = async (supply: Supply): Promise<void> => {
    const since = performance.now()
    const { feed, faults } = options.isDeno ? servableByDeno(supply.feed) : { feed: supply.feed, faults: [] }
    const all = [...supply.faults, ...faults, ...(await plane.apply(feed))]
    problems.set(all.length)
    options.onSupply({ ...supply, feed }, all, performance.now() - since)
    // A store may have no tables yet.
    isReady ||= feed.roots.length > 0 || supply.reading !== undefined
  }
  try {
    admin = await adminOf(options, plane, registry, () => isReady)
    await source.follow(take)
  } catch (error) {
    await close(0)
    throw error
  }
  return { close }
}

async function adminOf(
  { admin, log }: ServeOptions,
  plane: Plane,
  own: Registry,
  isReady: () => boolean,
): Promise<Admin | undefined> {
  if (admin === undefined) return undefined
  const metrics = async (): Promise<string> => {
    const all = [...(await plane.metrics()), await own.getMetricsAsJSON()]
    return AggregatorRegistry.aggregate(all.map((each) => [...each])).metrics()
  }
  const started = await startAdmin(admin.host, admin.port, { isReady, metrics })
  log.info({ address: `${admin.host}:${started.port}` }, 'health and metrics')
  return started
}
