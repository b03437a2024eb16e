import type { Duplex } from 'node:stream'
import { type BackendEndpoints, type Outcome, outcomeOfStatus } from '../engine/endpoints.ts'
import type { Endpoint } from '../proto/gen/route_table.ts'
import type { Exchange, ExchangeError, ExchangeFault, ResponseSink } from './exchange.ts'
import type { RawHeaders } from './raw-headers.ts'

/** Whom an attempt tells: as ResponseSink, in words of its own, because who listens is an Exchange for others. */
export interface AttemptEnds {
  informed(status: number, headers: RawHeaders): void
  /** False: this answer is not wanted, and the attempt is over. */
  answered(status: number, reason: string, headers: RawHeaders): boolean
  received(chunk: Buffer): boolean
  completed(trailers: RawHeaders): void
  switched(reason: string, headers: RawHeaders, socket: Duplex, rest: Buffer): void
  /** 'overdue' when its own time was up. */
  broke(fault: ExchangeFault | 'overdue', error: ExchangeError | undefined): void
  drained(): void
}

/** One try at one endpoint: keeps its time, and tells the balancer how it ended. */
export class Attempt implements ResponseSink {
  readonly endpoint: Endpoint
  readonly #ends: AttemptEnds
  readonly #endpoints: BackendEndpoints
  readonly #index: number
  readonly #now: () => number
  readonly #timer: NodeJS.Timeout | undefined
  readonly exchange: Exchange
  #status = 0
  #isOver = false

  /** `timeout` in milliseconds, 0 for none: until the last byte of the answer. */
  constructor(
    endpoint: Endpoint,
    index: number,
    endpoints: BackendEndpoints,
    timeout: number,
    now: () => number,
    ends: AttemptEnds,
    open: (sink: ResponseSink) => Exchange,
  ) {
    this.endpoint = endpoint
    this.#index = index
    this.#endpoints = endpoints
    this.#now = now
    this.#ends = ends
    this.#timer = timeout === 0 ? undefined : setTimeout(() => this.#expire(), timeout)
    endpoints.started(index)
    this.exchange = open(this)
  }

  /** Nobody waits for the answer any more. */
  abort(outcome: Outcome): void {
    if (this.#isOver) return
    this.#finish(outcome)
    this.exchange.abort()
  }

  informational(status: number, headers: RawHeaders): void {
    this.#ends.informed(status, headers)
  }

  head(status: number, reason: string, headers: RawHeaders): void {
    this.#status = status
    if (!this.#ends.answered(status, reason, headers)) this.abort(outcomeOfStatus(status))
  }

  data(chunk: Buffer): boolean {
    return this.#ends.received(chunk)
  }

  end(trailers: RawHeaders): void {
    this.#finish(outcomeOfStatus(this.#status))
    this.#ends.completed(trailers)
  }

  upgraded(reason: string, headers: RawHeaders, socket: Duplex, rest: Buffer): void {
    this.#finish('answered')
    this.#ends.switched(reason, headers, socket, rest)
  }

  failed(error: ExchangeError): void {
    this.#finish(outcomeOf(error))
    this.#ends.broke(error.kind, error)
  }

  drain(): void {
    this.#ends.drained()
  }

  #expire(): void {
    this.abort('timed-out')
    this.#ends.broke('overdue', undefined)
  }

  #finish(outcome: Outcome): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#endpoints.finished(this.#index, outcome, this.#now())
  }
}

/** What a failure says about the endpoint. */
function outcomeOf({ kind }: ExchangeError): Outcome {
  switch (kind) {
    case 'connect-failed':
    case 'tls-failed':
      return 'connect-failed'
    case 'connection-lost':
    case 'invalid-response':
      return 'connection-lost'
    case 'timeout':
      return 'timed-out'
    case 'overloaded':
    case 'unprocessed':
    case 'invalid-request':
      return 'abandoned'
  }
}
