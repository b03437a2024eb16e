import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { MetricObject } from 'prom-client'
import type { Feed } from '../standalone/feed.ts'
import type { PlaneOptions } from './plane.ts'
import type { Message, Question } from './worker-orders.ts'

/** One process of a WorkerPool, as the pool sees it. */
export class Worker {
  /** Resolves with the exit code, or the signal that has ended it. */
  readonly exited: Promise<number | string>
  /** Resolves when the process was told from outside to end. */
  readonly leaving: Promise<void>
  readonly #child: ChildProcess
  readonly #since = performance.now()
  readonly #waiting = new Map<number, (value: unknown) => void>()
  #asked = 0
  /** Names of the shards that it was given with its last feed. */
  #shards: ReadonlySet<string> = new Set()
  #isClosing = false

  constructor(options: PlaneOptions) {
    this.#child = fork(join(import.meta.dirname, 'worker-process.ts'), { serialization: 'advanced' })
    this.exited = once(this.#child, 'exit').then(([code, signal]) => code ?? signal)
    // 'exit' follows.
    this.#child.on('error', () => {})
    this.leaving = new Promise((resolve) => {
      this.#child.on('message', (message: Message) => {
        if (message.type === 'leaving') resolve()
        else this.#answered(message.id, message.value)
      })
    })
    this.exited.then(() => {
      for (const id of this.#waiting.keys()) this.#answered(id, undefined)
    })
    this.#ask({ type: 'start', options })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Milliseconds since it was started. */
  get age(): number {
    return performance.now() - this.#since
  }

  /** Resolves with what it cannot serve. A process that has ended, or is to end, serves nothing and says nothing. */
  async apply(feed: Feed): Promise<readonly string[]> {
    if (this.#isClosing) return []
    const news = [...feed.shards].filter(([name]) => !this.#shards.has(name))
    this.#shards = new Set(feed.shards.keys())
    const faults = await this.#ask({ type: 'apply', feed: { ...feed, shards: new Map(news) } })
    return Array.isArray(faults) ? faults : []
  }

  async metrics(): Promise<readonly MetricObject[]> {
    const metrics = await this.#ask({ type: 'metrics' })
    return Array.isArray(metrics) ? metrics : []
  }

  /** Resolves when the process has ended. */
  async close(grace: number): Promise<void> {
    this.#isClosing = true
    await this.#ask({ type: 'close', grace })
    if (this.#child.connected) this.#child.disconnect()
    await this.exited
  }

  /** Resolves with undefined when the process ends before it answers. */
  #ask(question: Question): Promise<unknown> {
    if (!this.#child.connected) return Promise.resolve(undefined)
    const id = ++this.#asked
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.#child.send({ ...question, id })
    })
  }

  #answered(id: number, value: unknown): void {
    this.#waiting.get(id)?.(value)
    this.#waiting.delete(id)
  }
}
