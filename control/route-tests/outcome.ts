import { type Decision, type HeaderEdit, type Matched, type Missing, noEdit, type Why } from '../../engine/decision.ts'
import type { StreamDecision } from '../../engine/streams.ts'
import { type Listener, Protocol } from '../../proto/gen/route_table.ts'

/** Of a whole table. */
export type Decided = Exclude<Decision, Missing>
export type StreamDecided = Exclude<StreamDecision, Missing>

/** What a request or a connection met, in the terms of a test. */
export interface Outcome {
  /** Listener.id; undefined where no listener takes it. */
  readonly listener: string | undefined
  readonly matched: Matched | undefined
  /** Backend.key. */
  readonly backend: string | undefined
  /** Of Landfall's own answers; undefined where a backend answers. */
  readonly status: number | undefined
  readonly why: Why | undefined
  /** Value of Location. */
  readonly redirect: string | undefined
  /** What a backend gets. `query` is without the "?". */
  readonly upstream: { readonly host: string; readonly path: string; readonly query: string } | undefined
  readonly requestHeaders: HeaderEdit
  readonly responseHeaders: HeaderEdit
  /** Backend.key of each that gets a copy. */
  readonly mirrors: readonly string[]
  /** All of it, in a few words. */
  readonly words: string
}

const nothing: Omit<Outcome, 'words'> = {
  listener: undefined,
  matched: undefined,
  backend: undefined,
  status: undefined,
  why: undefined,
  redirect: undefined,
  upstream: undefined,
  requestHeaders: noEdit,
  responseHeaders: noEdit,
  mirrors: [],
}

export function requestOutcome(decision: Decided, { id }: Listener): Outcome {
  const { matched, responseHeaders } = decision
  const base = { ...nothing, listener: id, matched, responseHeaders }
  switch (decision.type) {
    case 'forward': {
      const { backend, authority, path, query, requestHeaders, mirrors } = decision
      return {
        ...base,
        backend: backend.key,
        upstream: { host: authority, path, query },
        requestHeaders,
        mirrors: mirrors.map(({ key }) => key),
        words: backend.key,
      }
    }
    case 'redirect': {
      const { status, location } = decision
      return { ...base, status, redirect: location, words: `${status} to ${location}` }
    }
    case 'respond': {
      const { status, why } = decision
      return { ...base, status, why, words: `${status} ${why}` }
    }
  }
}

export const nobodyListens: Outcome = { ...nothing, status: 404, why: 'no-listener', words: '404 no-listener' }

export function streamOutcome(decision: StreamDecided, { id }: Listener): Outcome {
  const { matched } = decision
  if (decision.type === 'refuse') {
    return { ...nothing, listener: id, matched, why: decision.why, words: `closed: ${decision.why}` }
  }
  return { ...nothing, listener: id, matched, backend: decision.backend.key, words: decision.backend.key }
}

/** Of a connection. */
export const noListener: Outcome = { ...nothing, why: 'no-listener', words: 'closed: no-listener' }

/** TLS ends at a listener whose routes look at requests. */
export const requestsFollow = ({ id, protocol }: Listener): Outcome | undefined =>
  protocol === Protocol.HTTPS
    ? { ...nothing, listener: id, words: `HTTPS listener ${id}, which routes requests` }
    : undefined

/** Whether anything has a place for it: a listener and a route of it. */
export const isReached = ({ why }: Outcome): boolean => why !== 'no-listener' && why !== 'no-route'
