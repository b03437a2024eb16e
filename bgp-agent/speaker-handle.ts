import { Worker } from 'node:worker_threads'
import { AgentThread, type AgentThreadEnds } from './agent-thread.ts'
import type { NodePlan } from './plan/node-plan.ts'
import type { SpeakerStatus, ToSpeaker } from './speaker-messages.ts'
import { planChanges, speakerInstances } from './speaker-plan.ts'

/** The handle of the speaker in the main thread: sessions, with their sockets and timers, are in a thread of their own. */
export class SpeakerHandle {
  readonly #thread: AgentThread<ToSpeaker, SpeakerStatus>
  #plan: NodePlan | undefined

  constructor(ends: AgentThreadEnds) {
    this.#thread = new AgentThread(new Worker(new URL('speaker-thread.ts', import.meta.url)), ends)
  }

  set(plan: NodePlan): void {
    this.#thread.tell({ type: 'set', instances: speakerInstances(plan), changes: planChanges(this.#plan, plan) })
    this.#plan = plan
  }

  /** `hasRoutes`: also what peers have been told, which may be much. */
  ask(hasRoutes: boolean): Promise<SpeakerStatus> {
    return this.#thread.ask((id) => ({ type: 'ask', id, hasRoutes }))
  }

  /** Peers with graceful restart are left without a word, so that they keep the routes; the others are told `text`. */
  stop(text: string): Promise<void> {
    return this.#thread.stop({ type: 'stop', text })
  }
}
