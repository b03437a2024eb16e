import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { NodePlan } from './plan/node-plan.ts'
import type { FromSpeaker, SpeakerStatus, ToSpeaker } from './speaker-messages.ts'
import { planChanges, speakerInstances } from './speaker-plan.ts'

/** Milliseconds that a peer is given to take what it is told at the end. */
const patience = 2_000

/** The handle of the speaker in the main thread: sessions, with their sockets and timers, are in a thread of their own. */
export class SpeakerHandle {
  readonly #worker = new Worker(new URL('speaker-thread.ts', import.meta.url))
  readonly #asked = new Map<number, (status: SpeakerStatus) => void>()
  #plan: NodePlan | undefined
  #asks = 0

  /** `failed` hears of the end of the thread that nobody has asked for. */
  constructor(log: (message: string) => void, failed: (error: Error) => void) {
    this.#worker.on('message', (message: FromSpeaker) => {
      if (message.type === 'log') log(message.message)
      else this.#answer(message.id, message.status)
    })
    this.#worker.on('error', failed)
  }

  set(plan: NodePlan): void {
    this.#tell({ type: 'set', instances: speakerInstances(plan), changes: planChanges(this.#plan, plan) })
    this.#plan = plan
  }

  /** `hasRoutes`: also what peers have been told, which may be much. */
  ask(hasRoutes: boolean): Promise<SpeakerStatus> {
    const id = ++this.#asks
    return new Promise((resolve) => {
      this.#asked.set(id, resolve)
      this.#tell({ type: 'ask', id, hasRoutes })
    })
  }

  /** Peers with graceful restart are left without a word, so that they keep the routes; the others are told `text`. */
  async stop(text: string): Promise<void> {
    const ended = once(this.#worker, 'exit')
    this.#tell({ type: 'stop', text })
    const late = new AbortController()
    await Promise.race([ended, sleep(patience, undefined, { signal: late.signal })])
    late.abort()
    await this.#worker.terminate()
  }

  #answer(id: number, status: SpeakerStatus): void {
    this.#asked.get(id)?.(status)
    this.#asked.delete(id)
  }

  #tell(message: ToSpeaker): void {
    this.#worker.postMessage(message)
  }
}
