import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { AgentState, FromThread, ThreadData, ToThread } from './messages.ts'
import type { L2Plan } from './plan/l2-plan.ts'

/** Milliseconds that the thread is given to leave its networks. */
const patience = 2_000

export interface L2AgentEnds {
  readonly log: (message: string) => void
  /** The thread has ended, and nobody has asked for it. */
  readonly failed: (error: Error) => void
}

/** The handle in the main thread of all that must not wait for it: heartbeats, elections, and who answers. */
export class L2Agent {
  readonly #worker: Worker
  readonly #asked = new Map<number, (state: AgentState) => void>()
  #asks = 0

  constructor(data: ThreadData, { log, failed }: L2AgentEnds) {
    this.#worker = new Worker(new URL('l2-thread.ts', import.meta.url), { workerData: data })
    this.#worker.on('message', (message: FromThread) => {
      if (message.type === 'log') log(message.message)
      else {
        this.#asked.get(message.id)?.(message.status)
        this.#asked.delete(message.id)
      }
    })
    this.#worker.on('error', failed)
  }

  set({ addresses, interfaces, keys }: L2Plan): void {
    const offered = addresses.map(({ address, interfaces, preference }) => ({ address, interfaces, preference }))
    this.#tell({ type: 'set', plan: { addresses: offered, interfaces, keys } })
  }

  ask(): Promise<AgentState> {
    const id = ++this.#asks
    return new Promise((resolve) => {
      this.#asked.set(id, resolve)
      this.#tell({ type: 'ask', id })
    })
  }

  /** Peers take over at once. */
  async stop(): Promise<void> {
    const ended = once(this.#worker, 'exit')
    this.#tell({ type: 'stop' })
    const late = new AbortController()
    await Promise.race([ended, sleep(patience, undefined, { signal: late.signal })])
    late.abort()
    await this.#worker.terminate()
  }

  #tell(message: ToThread): void {
    this.#worker.postMessage(message)
  }
}
