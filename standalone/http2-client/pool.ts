import { ExchangeError } from '../exchange.ts'
import type { Connect, Origin } from '../origin-client.ts'
import type { OriginPool } from '../origin-pools.ts'
import { Http2Connection, type Http2ConnectionOwner } from './connection.ts'
import type { Http2Exchange, Http2ExchangeOwner } from './exchange.ts'
import type { Http2ClientLimits } from './limits.ts'

export interface Http2Surroundings {
  readonly connect: Connect
  readonly limits: Http2ClientLimits
  /** Milliseconds, as of the last sweep. */
  readonly clock: { now: number }
}

/** The connections to one origin, and the requests that wait for one. */
export class Http2Pool implements OriginPool, Http2ConnectionOwner, Http2ExchangeOwner {
  readonly #origin: Origin
  readonly #surroundings: Http2Surroundings
  /** The first with room serves, so that those behind it may grow idle. */
  readonly #connections = new Set<Http2Connection>()
  /** Those that take no more requests. */
  readonly #retired = new Set<Http2Connection>()
  readonly #waiting = new Set<Http2Exchange>()
  #connecting = 0
  /** Waiting and under way. */
  #requests = 0
  /** How many streams a connection is known to have. */
  #streams = Number.POSITIVE_INFINITY
  #isClosed = false

  constructor(origin: Origin, surroundings: Http2Surroundings) {
    this.#origin = origin
    this.#surroundings = surroundings
  }

  get isEmpty(): boolean {
    return this.#connections.size + this.#retired.size + this.#connecting + this.#waiting.size === 0
  }

  get isFull(): boolean {
    return this.#requests >= this.#surroundings.limits.requestsPerOrigin
  }

  serve(exchange: Http2Exchange): void {
    this.#requests++
    this.#waiting.add(exchange)
    this.widened()
  }

  released(exchange: Http2Exchange): void {
    this.#requests--
    this.#waiting.delete(exchange)
    exchange.connection?.released(exchange)
    this.widened()
  }

  widened(): void {
    for (const exchange of this.#waiting) {
      const connection = this.#connectionWithRoom()
      if (connection === undefined) break
      this.#waiting.delete(exchange)
      connection.serve(exchange)
    }
    this.#grow()
  }

  retired(connection: Http2Connection): void {
    this.#connections.delete(connection)
    this.#retired.add(connection)
    this.#grow()
  }

  closed(connection: Http2Connection): void {
    this.#connections.delete(connection)
    this.#retired.delete(connection)
    this.#grow()
  }

  sweep(): void {
    const { limits, clock } = this.#surroundings
    // First those that earlier sweeps retired: what closes now has until the next one to say so.
    for (const connection of this.#retired) connection.sweep()
    for (const connection of this.#connections) connection.sweep()
    for (const exchange of this.#waiting) {
      if (clock.now - exchange.activeAt < limits.queueTimeout) continue
      exchange.fail('overloaded', 'no stream became free')
    }
  }

  /** Closes each connection once it is idle. */
  close(): void {
    this.#isClosed = true
    for (const connection of [...this.#connections]) connection.close()
  }

  #connectionWithRoom(): Http2Connection | undefined {
    for (const connection of this.#connections) if (connection.room > 0) return connection
    return undefined
  }

  /** Opens connections for requests that wait, as soon as it is known how many streams one has. */
  #grow(): void {
    if (this.#waiting.size === 0) return
    for (const { isSettled, streams } of this.#connections) {
      if (!isSettled) return
      this.#streams = Math.max(1, streams)
    }
    const { connectionsPerOrigin } = this.#surroundings.limits
    while (this.#connections.size + this.#connecting < connectionsPerOrigin) {
      if (this.#connecting > 0 && this.#waiting.size <= this.#connecting * this.#streams) return
      this.#connect()
    }
  }

  #connect(): void {
    const { connect, limits, clock } = this.#surroundings
    let isSettled = false
    const settle = (error: ExchangeError | undefined): void => {
      if (isSettled) return
      isSettled = true
      clearTimeout(overdue)
      this.#connecting--
      if (error === undefined) this.#connected(new Http2Connection(socket, this.#streams, this, limits, clock))
      else this.#failed(error)
    }
    this.#connecting++
    const socket = connect(this.#origin, ['h2'], settle)
    const overdue = setTimeout(() => {
      socket.destroy()
      settle(new ExchangeError('connect-failed', `no connection after ${limits.connectTimeout} ms`, true))
    }, limits.connectTimeout)
  }

  #connected(connection: Http2Connection): void {
    this.#connections.add(connection)
    this.widened()
    if (this.#isClosed) connection.close()
  }

  /** Whoever waits goes on waiting as long as there is something to wait for. */
  #failed(error: ExchangeError): void {
    if (this.#connecting > 0 || this.#connections.size > 0) return
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const exchange of waiting) exchange.fail(error.kind, error.message)
  }
}
