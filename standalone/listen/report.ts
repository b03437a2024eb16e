import type { Matched, Why } from '../../engine/decision.ts'
import type { TunnelReport } from '../stream-tunnel.ts'
import type { HandshakeFault } from '../tls-termination.ts'

/** Why a connection was closed before anyone took it. */
export type Refusal =
  | 'too-many-connections'
  /** Nothing came, or not enough, in time. */
  | 'head-timeout'
  | 'client-left'
  /** From a balancer that is to send one. */
  | 'no-proxy-header'
  /** Asked for in the clear where it is not spoken. */
  | 'no-http2'
  | 'not-tls'
  | 'malformed-hello'
  | 'closing'
  | HandshakeFault
  | Why

/** What became of a connection that no front end has taken. */
export type ConnectionReport = Arrival &
  ({ readonly type: 'refused'; readonly why: Refusal } | { readonly type: 'tunnel'; readonly tunnel: TunnelReport })

/** A connection as far as it is known. */
export interface Arrival {
  /** The listeners' port. */
  readonly port: number
  /** Port 0 where the client left before it was looked at. */
  readonly peer: { readonly address: string; readonly port: number }
  /** Of the ClientHello; "" where there was none. */
  readonly serverName: string
  /** "namespace/name"; "" where none takes the connection. */
  readonly gateway: string
  readonly matched: Matched | undefined
}
