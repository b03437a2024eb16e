import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { MetricObject } from 'prom-client'
import type { Feed } from '../standalone/feed.ts'
import type { Plane, PlaneOptions } from './plane.ts'

/** Milliseconds before a process is started again that died by itself; doubled up to the second figure. */
const restartAfter = [100, 5_000] as const

/** What a pool asks of a process; each is answered with a Reply that has its id. */
export type Order =
  | { readonly type: 'apply'; readonly id: number; readonly feed: Feed }
  | { readonly type: 'metrics'; readonly id: number }
  | { readonly type: 'close'; readonly id: number; readonly grace: number }

export interface Reply {
  readonly id: number
  readonly value: unknown
}

/** Order without the id, of each type. */
type Question = Order extends infer Each ? (Each extends Order ? Omit<Each, 'id'> : never) : never

const nothing: Feed = { roots: [], shards: new Map(), keyPairs: new Map() }

/** Data planes in processes of their own, one a core, that share their ports (SO_REUSEPORT). */
export class WorkerPool implements Plane {
  readonly #options: PlaneOptions
  readonly #log: Logger
  readonly #workers: Worker[]
  #feed: Feed = nothing
  #isClosing = false

  constructor(count: number, options: PlaneOptions, log: Logger) {
    this.#options = options
    this.#log = log
    this.#workers = Array.from({ length: count }, (_, index) => this.#start(index, restartAfter[0]))
  }

  async apply(feed: Feed): Promise<readonly string[]> {
    const known = this.#feed.shards
    this.#feed = feed
    const news = { ...feed, shards: new Map([...feed.shards].filter(([name]) => !known.has(name))) }
    const faults = await Promise.all(
      this.#workers.map((worker) => worker.ask({ type: 'apply', feed: worker.isNew ? feed : news }).then(faultsIn)),
    )
    return [...new Set(faults.flat())]
  }

  async metrics(): Promise<readonly (readonly MetricObject[])[]> {
    const all = await Promise.all(this.#workers.map((worker) => worker.ask({ type: 'metrics' })))
    return all.filter((each): each is MetricObject[] => Array.isArray(each))
  }

  async close(grace: number): Promise<void> {
    this.#isClosing = true
    await Promise.all(this.#workers.map((worker) => worker.close(grace)))
  }

  #start(index: number, wait: number): Worker {
    const worker = new Worker(this.#options)
    worker.exited.then(() => {
      if (this.#isClosing) return
      this.#log.error({ worker: index, again: wait }, 'a worker ended')
      setTimeout(() => {
        if (this.#isClosing) return
        const next = this.#start(index, Math.min(wait * 2, restartAfter[1]))
        this.#workers[index] = next
        next.ask({ type: 'apply', feed: this.#feed })
      }, wait)
    })
    return worker
  }
}

const faultsIn = (value: unknown): readonly string[] => (Array.isArray(value) ? value : [])

class Worker {
  readonly exited: Promise<unknown>
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (value: unknown) => void>()
  #asked = 0
  /** Whether it has been given nothing to serve. */
  isNew = true

  constructor(options: PlaneOptions) {
    this.#child = fork(join(import.meta.dirname, 'worker-process.ts'), [JSON.stringify(options)], {
      serialization: 'advanced',
    })
    this.exited = once(this.#child, 'exit')
    // 'exit' follows.
    this.#child.on('error', () => {})
    this.#child.on('message', ({ id, value }: Reply) => {
      this.#waiting.get(id)?.(value)
      this.#waiting.delete(id)
    })
    this.exited.then(() => {
      for (const answer of this.#waiting.values()) answer(undefined)
      this.#waiting.clear()
    })
  }

  /** Resolves with undefined when the process ends before it answers. */
  ask(question: Question): Promise<unknown> {
    if (question.type === 'apply') this.isNew = false
    if (!this.#child.connected) return Promise.resolve(undefined)
    const id = ++this.#asked
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.#child.send({ ...question, id })
    })
  }

  async close(grace: number): Promise<void> {
    await this.ask({ type: 'close', grace })
    if (this.#child.connected) this.#child.disconnect()
    await this.exited
  }
}
