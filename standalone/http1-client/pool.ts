import { ExchangeError } from '../exchange.ts'
import type { Origin } from '../origin-client.ts'
import type { OriginPool } from '../origin-pools.ts'
import { Http1Connection, type Http1ConnectionOwner, type Http1Surroundings } from './connection.ts'
import type { Http1Exchange } from './exchange.ts'

/** The connections to one origin. */
export class Http1Pool implements OriginPool, Http1ConnectionOwner {
  readonly #origin: Origin
  readonly #surroundings: Http1Surroundings
  readonly #connections = new Set<Http1Connection>()
  /** The one that served last stands last, and serves next: the others may grow old. */
  readonly #idle: Http1Connection[] = []
  #isClosed = false

  constructor(origin: Origin, surroundings: Http1Surroundings) {
    this.#origin = origin
    this.#surroundings = surroundings
  }

  get isEmpty(): boolean {
    return this.#connections.size === 0
  }

  serve(exchange: Http1Exchange): void {
    const { requestsPerOrigin } = this.#surroundings.limits
    if (this.#connections.size - this.#idle.length >= requestsPerOrigin) {
      exchange.failSoon(new ExchangeError('overloaded', `${requestsPerOrigin} requests under way`, true))
      return
    }
    const idle = exchange.request.upgrade === undefined ? this.#idle.pop() : undefined
    if (idle === undefined) this.#connect(exchange)
    else idle.serve(exchange)
  }

  repeat(exchange: Http1Exchange): void {
    this.#connect(exchange)
  }

  released(connection: Http1Connection): void {
    this.#idle.push(connection)
    if (this.#isClosed || this.#idle.length > this.#surroundings.limits.idleConnectionsPerOrigin) connection.destroy()
  }

  closed(connection: Http1Connection): void {
    this.#connections.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at !== -1) this.#idle.splice(at, 1)
  }

  sweep(): void {
    for (const connection of this.#connections) connection.sweep()
  }

  /** Closes idle connections, and others once they are idle. */
  close(): void {
    this.#isClosed = true
    for (const connection of [...this.#idle]) connection.destroy()
  }

  #connect(exchange: Http1Exchange): void {
    this.#connections.add(new Http1Connection(this.#origin, this, this.#surroundings, exchange))
  }
}
