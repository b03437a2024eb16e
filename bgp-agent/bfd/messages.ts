import type { SessionState } from './packet.ts'
import type { Timers } from './session.ts'
import type { BfdPath } from './transport.ts'

// Between the main thread and the one that the sessions are in.

export type SessionId = number

export type ToThread =
  | { readonly type: 'add'; readonly id: SessionId; readonly path: BfdPath; readonly timers: Timers }
  | { readonly type: 'update'; readonly id: SessionId; readonly timers: Timers }
  | { readonly type: 'remove'; readonly id: SessionId }
  /** Ends all sessions, and the thread. */
  | { readonly type: 'close' }

export type FromThread =
  | ({ readonly type: 'changed'; readonly id: SessionId } & StateChange)
  /** There are no sockets for it, and there will be another attempt. */
  | { readonly type: 'failed'; readonly id: SessionId; readonly reason: string }

export interface StateChange {
  readonly state: SessionState
  readonly diagnostic: number
  /** The state that the peer has said last. */
  readonly remoteState: SessionState
}
