import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'

/** What a thread of the agent says to the main thread. */
export type FromAgentThread<Status> =
  | { readonly type: 'log'; readonly message: string }
  | { readonly type: 'answer'; readonly id: number; readonly status: Status }

export interface AgentThreadEnds {
  readonly log: (message: string) => void
  /** The thread has ended, and nobody has asked for it. */
  readonly failed: (error: Error) => void
}

/** Milliseconds that the thread is given to take leave of its peers. */
const patience = 2_000

/** The handle in the main thread of one that must not wait for it. */
export class AgentThread<To, Status> {
  readonly #worker: Worker
  readonly #asked = new Map<number, (status: Status) => void>()
  #asks = 0

  constructor(worker: Worker, { log, failed }: AgentThreadEnds) {
    this.#worker = worker
    worker.on('message', (message: FromAgentThread<Status>) => {
      if (message.type === 'log') log(message.message)
      else {
        this.#asked.get(message.id)?.(message.status)
        this.#asked.delete(message.id)
      }
    })
    worker.on('error', failed)
  }

  tell(message: To): void {
    this.#worker.postMessage(message)
  }

  /** `question` is given the number by which its answer is known. */
  ask(question: (id: number) => To): Promise<Status> {
    const id = ++this.#asks
    return new Promise((resolve) => {
      this.#asked.set(id, resolve)
      this.tell(question(id))
    })
  }

  /** `farewell` has the thread end by itself. */
  async stop(farewell: To): Promise<void> {
    const ended = once(this.#worker, 'exit')
    this.tell(farewell)
    const late = new AbortController()
    await Promise.race([ended, sleep(patience, undefined, { signal: late.signal })])
    late.abort()
    await this.#worker.terminate()
  }
}
