import type { Matched, Why } from '../engine/decision.ts'
import type { Endpoint } from '../proto/gen/route_table.ts'
import type { ClientRequest } from './handler.ts'

/** One request, from its head to the last byte of its answer: for the access log and the metrics. */
export interface Access {
  readonly request: AccessRequest
  /** "namespace/name"; "" where no Gateway took the request. */
  readonly gateway: string
  readonly matched: Matched | undefined
  /** What the client was sent; 0 where it left before. */
  readonly status: number
  /** Why Landfall itself answered, or broke the answer off. */
  readonly why: Why | 'client-left' | undefined
  /** Of the last try. */
  readonly endpoint: Endpoint | undefined
  readonly tries: number
  /** Milliseconds. */
  readonly duration: number
  /** Of bodies. */
  readonly bytesReceived: number
  readonly bytesSent: number
}

/** What is told of a request; undefined where it could not be understood. */
export interface AccessRequest extends Pick<ClientRequest, 'version' | 'peer'> {
  readonly method: string | undefined
  readonly authority: string | undefined
  readonly path: string | undefined
  /** As RequestFacts has it. */
  header(name: string): string | undefined
}

/** Hears of every request when it is over. */
export type Observer = (access: Access) => void
