import type { Logger } from 'pino'
import type { MetricObject } from 'prom-client'
import type { Feed } from '../standalone/feed.ts'
import type { Plane, PlaneOptions } from './plane.ts'
import { Worker } from './worker.ts'
import { leavingGrace } from './worker-orders.ts'

/** Milliseconds before a process is started again that died by itself; doubled up to the second figure, and forgotten when
 *  one has lived for the third. */
const restartAfter = { first: 100, longest: 5_000, forgotten: 60_000 } as const

const nothing: Feed = { roots: [], shards: new Map(), keyPairs: new Map() }

/** Data planes in processes of their own, one a core, that share their ports (SO_REUSEPORT). */
export class WorkerPool implements Plane {
  readonly #options: PlaneOptions
  readonly #log: Logger
  /** Whose place is taken: one of each index, and those that are being replaced. */
  readonly #workers = new Map<Worker, number>()
  #feed: Feed = nothing
  #isClosing = false

  constructor(count: number, options: PlaneOptions, log: Logger) {
    this.#options = options
    this.#log = log
    for (let index = 0; index < count; index++) this.#start(index, restartAfter.first)
  }

  async apply(feed: Feed): Promise<readonly string[]> {
    this.#feed = feed
    const faults = await Promise.all([...this.#workers.keys()].map((worker) => worker.apply(feed)))
    return [...new Set(faults.flat())]
  }

  metrics(): Promise<readonly (readonly MetricObject[])[]> {
    return Promise.all([...this.#workers.keys()].map((worker) => worker.metrics()))
  }

  async close(grace: number): Promise<void> {
    this.#isClosing = true
    await Promise.all([...this.#workers.keys()].map((worker) => worker.close(grace)))
  }

  /** `wait`: how long until another is started should this one die soon. */
  #start(index: number, wait: number): Worker {
    const worker = new Worker(this.#options)
    this.#workers.set(worker, index)
    worker.exited.then((end) => this.#ended(worker, end, wait))
    worker.leaving.then(() => this.#replace(worker))
    return worker
  }

  #ended(worker: Worker, end: number | string, wait: number): void {
    const index = this.#workers.get(worker)
    this.#workers.delete(worker)
    if (this.#isClosing || index === undefined || [...this.#workers.values()].includes(index)) return
    const again = worker.age > restartAfter.forgotten ? restartAfter.first : wait
    this.#log.error({ worker: index, end, again }, 'a worker ended')
    setTimeout(() => {
      if (!this.#isClosing) this.#start(index, Math.min(again * 2, restartAfter.longest)).apply(this.#feed)
    }, again)
  }

  /** Puts another in a worker's place, and lets it end once the other serves. */
  async #replace(worker: Worker): Promise<void> {
    const index = this.#workers.get(worker)
    if (this.#isClosing || index === undefined) return
    this.#log.info({ worker: index }, 'a worker was told to end: another takes its place')
    await this.#start(index, restartAfter.first).apply(this.#feed)
    await worker.close(leavingGrace)
  }
}
