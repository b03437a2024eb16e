import type { FromAgentThread } from '../agent-thread.ts'
import type { Discard, NodeState } from './heartbeat.ts'
import type { PeerState } from './membership.ts'
import type { ResponderEntry } from './responder.ts'
import type { Timing } from './timing.ts'

// Between the main thread and the one that meets peers and holds the elections.

/** What the thread needs to know of a plan. */
export interface AnnouncerPlan {
  readonly addresses: readonly OfferedAddress[]
  readonly interfaces: ReadonlyMap<string, Timing>
  readonly keys: readonly Uint8Array[]
}

export interface OfferedAddress {
  readonly address: string
  readonly interfaces: readonly string[]
  readonly preference: number
}

/** What the thread begins with. */
export interface ThreadData {
  readonly node: string
  /** The interface that addresses are put on while they are answered for; undefined: none. */
  readonly ownedOn: string | undefined
}

export type ToThread =
  | { readonly type: 'set'; readonly plan: AnnouncerPlan }
  | { readonly type: 'ask'; readonly id: number }
  /** Peers take over, and the thread ends. */
  | { readonly type: 'stop' }

export type FromThread = FromAgentThread<AgentState>

/** What elections and the responder say. */
export interface AgentState {
  readonly networks: readonly NetworkStatus[]
  readonly answers: readonly ResponderEntry[]
}

export interface NetworkStatus {
  readonly interface: string
  /** Why no peers are met there. */
  readonly fault: string | undefined
  readonly isReady: boolean
  readonly timing: Timing
  readonly peers: readonly PeerStatus[]
  /** Of the addresses that this node may answer for. */
  readonly owners: readonly { readonly address: string; readonly node: string; readonly isHere: boolean }[]
  readonly dropped: Readonly<Partial<Record<Discard, number>>>
  readonly takeovers: number
}

export interface PeerStatus {
  readonly node: string
  readonly state: PeerState
  readonly says: NodeState
  /** Milliseconds since it was last heard. */
  readonly silence: number
  readonly timing: Timing
}
