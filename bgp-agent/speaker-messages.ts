import type { FromAgentThread } from './agent-thread.ts'
import type { RouteChanges, Routes } from './bgp/rib-out.ts'
import type { PeerReport } from './speaker.ts'
import type { PeerKey, SpeakerInstance } from './speaker-plan.ts'

// Between the main thread and the one that the sessions are in.

export type ToSpeaker =
  | {
      readonly type: 'set'
      readonly instances: readonly SpeakerInstance[]
      readonly changes: ReadonlyMap<PeerKey, RouteChanges>
    }
  | { readonly type: 'ask'; readonly id: number; readonly hasRoutes: boolean }
  /** Ends all sessions, and the thread. */
  | { readonly type: 'stop'; readonly text: string }

export type FromSpeaker = FromAgentThread<SpeakerStatus>

export interface SpeakerStatus {
  readonly peers: readonly PeerReport[]
  /** What peers have been told; empty where nobody asked for it. */
  readonly told: ReadonlyMap<PeerKey, Routes>
}
