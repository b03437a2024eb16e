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

/** In the clear: HTTP/2 for clients that begin with its preface, HTTP/1.1 for all others. */
export interface HttpBind extends Socketed {
  readonly type: 'http'
  readonly http1: FrontEnd
  readonly http2: FrontEnd
}

/** HTTPS and TLS listeners side by side. */
export interface TlsBind extends Socketed {
  readonly type: 'tls'
  /** Asked for each connection: those of the Gateways at this address. */
  readonly streams: () => readonly Streams[]
  readonly http1: FrontEnd
  readonly http2: FrontEnd
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
