import { Worker } from 'node:worker_threads'
import { AgentThread, type AgentThreadEnds } from '../agent-thread.ts'
import type { AgentState, ThreadData, ToThread } from './messages.ts'
import type { L2Plan } from './plan/l2-plan.ts'

/** The handle in the main thread of all that must not wait for it: heartbeats, elections, and who answers. */
export class L2Agent {
  readonly #thread: AgentThread<ToThread, AgentState>

  constructor(data: ThreadData, ends: AgentThreadEnds) {
    const worker = new Worker(new URL('l2-thread.ts', import.meta.url), { workerData: data })
    this.#thread = new AgentThread(worker, ends)
  }

  set({ addresses, interfaces, keys }: L2Plan): void {
    const offered = addresses.map(({ address, interfaces, preference }) => ({ address, interfaces, preference }))
    this.#thread.tell({ type: 'set', plan: { addresses: offered, interfaces, keys } })
  }

  ask(): Promise<AgentState> {
    return this.#thread.ask((id) => ({ type: 'ask', id }))
  }

  /** Peers take over at once. */
  stop(): Promise<void> {
    return this.#thread.stop({ type: 'stop' })
  }
}
