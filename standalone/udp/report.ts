import type { Matched, Why } from '../../engine/decision.ts'
import type { Endpoint } from '../../proto/gen/route_table.ts'

/** Why a datagram was dropped. */
export type UdpRefusal =
  | Why
  /** Its source address has begun as many in this second as it may. */
  | 'too-many-sessions'

export type UdpEnding =
  | 'idle'
  /** Made room for another. */
  | 'evicted'
  /** The endpoint's host said that nobody is there. */
  | 'lost'
  /** The route or the endpoint is gone. */
  | 'parted'

/** What became of a session, or of a datagram that began none. */
export type UdpReport = {
  /** The listener's port. */
  readonly port: number
  readonly source: { readonly address: string; readonly port: number }
} & (
  | { readonly type: 'refused'; readonly why: UdpRefusal }
  | {
      readonly type: 'session'
      /** "namespace/name". */
      readonly gateway: string
      readonly matched: Matched
      /** Backend.key. */
      readonly backend: string
      readonly endpoint: Endpoint
      readonly ending: UdpEnding
      readonly datagramsReceived: number
      readonly datagramsSent: number
      /** Milliseconds. */
      readonly duration: number
    }
)
