import { choosePlain, chooseTls, type StreamPlace, type Streams } from '../../engine/streams.ts'
import { Protocol } from '../../proto/gen/route_table.ts'
import type { FrontEnd } from '../front-end/front-end.ts'

/** An address and port to listen on, for the listeners that are to be found there. */
export type Bind = HttpBind | TlsBind | TcpBind

export interface Socketed {
  /** An IP address. */
  readonly address: string
  readonly port: number
  /** Listener.port. */
  readonly listenerPort: number
}

export interface HttpFrontEnds {
  readonly http1: FrontEnd
  /** undefined where HTTP/2 is not spoken. */
  readonly http2: FrontEnd | undefined
}

/** In the clear: HTTP/2 for clients that begin with its preface, HTTP/1.1 for all others. */
export interface HttpBind extends Socketed, HttpFrontEnds {
  readonly type: 'http'
}

/** HTTPS and TLS listeners side by side. */
export interface TlsBind extends Socketed, HttpFrontEnds {
  readonly type: 'tls'
  /** Asked for each connection: those of the Gateways at this address. */
  readonly streams: () => readonly Streams[]
}

export interface TcpBind extends Socketed {
  readonly type: 'tcp'
  /** As TlsBind.streams. */
  readonly streams: () => readonly Streams[]
}

/** The listener that takes a connection of TLS to `serverName`, or one of TCP. */
export function listenerOf(bind: TlsBind | TcpBind, serverName: string): StreamPlace | undefined {
  const all = bind.streams()
  return bind.type === 'tls'
    ? chooseTls(all, bind.listenerPort, serverName)
    : choosePlain(all, Protocol.TCP, bind.listenerPort)
}
