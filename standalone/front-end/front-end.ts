import type { Socket } from 'node:net'
import type { OwnAnswer } from '../exchange.ts'
import type { Handler, Peer } from '../handler.ts'
import type { Log } from '../log.ts'
import type { Arrival } from './request.ts'

/** Takes connections that were accepted elsewhere, and makes a Handler call for each request on them. */
export interface FrontEnd {
  readonly counters: Readonly<FrontEndCounters>
  /** The socket is the front end's from here on. Bytes that were read of it have been put back (unshift). */
  take(socket: Socket, peer: Peer, entrance: Entrance): void
  /** Tells clients to go, lets what is under way end within `grace` milliseconds, then cuts it. */
  close(grace: number): Promise<void>
}

/** What a connection came in by. */
export interface Entrance {
  readonly port: number
  readonly scheme: 'http' | 'https'
}

export interface FrontEndOptions<Limits> {
  readonly handler: Handler
  readonly log: Log
  readonly limits?: Partial<Limits>
  /** Hears of every request that the handler does not. */
  readonly observe?: (refused: RefusedRequest) => void
}

/** What the connections of a front end have in common. */
export interface FrontEndHost<Limits> {
  readonly handler: Handler
  readonly log: Log
  readonly limits: Limits
  readonly observe: (refused: RefusedRequest) => void
  readonly counters: FrontEndCounters
}

/** `usual`: limits, where the options do not say others. */
export const hostOf = <Limits>(
  { handler, log, limits, observe = () => {} }: FrontEndOptions<Limits>,
  usual: Limits,
): FrontEndHost<Limits> => ({ handler, log, limits: { ...usual, ...limits }, observe, counters: noCounts() })

/** A request, or what was to be one, that the front end has answered itself. Of its parts those that were understood, and so
 *  none that is more to write down than that of any other request. */
export interface RefusedRequest extends OwnAnswer {
  readonly arrival: Arrival
  readonly method: string | undefined
  readonly authority: string | undefined
  /** Without the query. */
  readonly path: string | undefined
}

/** Counted since the start, but for `open` and `active`, which are now. */
export interface FrontEndCounters {
  connections: number
  open: number
  requests: number
  /** Requests under way, tunnels among them. */
  active: number
  /** What the front end answered itself, or reset, because it was malformed. */
  refused: number
  /** Requests whose client left before the end of the answer. */
  abandoned: number
  /** Answers that broke off after their head. */
  broken: number
}

const noCounts = (): FrontEndCounters => ({
  connections: 0,
  open: 0,
  requests: 0,
  active: 0,
  refused: 0,
  abandoned: 0,
  broken: 0,
})
