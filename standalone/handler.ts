import type { RequestFacts } from '../engine/facts.ts'
import type { Exchange, RequestHead, ResponseSink } from './exchange.ts'

/** Who is at the other end of a client's connection. */
export interface Peer {
  /** IP address, as PROXY protocol names it where a listener takes that. */
  readonly address: string
  readonly port: number
  /** undefined for a connection in the clear. */
  readonly tls: PeerTls | undefined
}

export interface PeerTls {
  /** Server name of the ClientHello, in lower case; "" when there was none. */
  readonly serverName: string
  /** "TLSv1.3" */
  readonly version: string
  readonly cipher: string
  /** The client's certificate in DER, and whether the listener's authorities vouch for it. */
  readonly certificate: { readonly der: Buffer; readonly verified: boolean } | undefined
}

/** A request as a front end took it in: framed beyond doubt, everything else as the client sent it. */
export interface ClientRequest extends RequestHead, RequestFacts {
  readonly version: 'HTTP/1.1' | 'HTTP/2'
  readonly peer: Peer
}

/** Answers one request. `sink` hears of it after this has returned. */
export type Handler = (request: ClientRequest, sink: ResponseSink) => Exchange
