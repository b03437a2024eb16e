import type { Duplex } from 'node:stream'
import type { FrontEndCounters } from './front-end.ts'

/** The connections of a front end, by their sockets, until the last is closed. */
export class OpenConnections<Connection> {
  readonly #counters: Pick<FrontEndCounters, 'connections' | 'open'>
  readonly #open = new Map<Duplex, Connection>()
  readonly #waiting: (() => void)[] = []

  constructor(counters: Pick<FrontEndCounters, 'connections' | 'open'>) {
    this.#counters = counters
  }

  get(socket: Duplex): Connection | undefined {
    return this.#open.get(socket)
  }

  values(): Iterable<Connection> {
    return this.#open.values()
  }

  opened(socket: Duplex, connection: Connection): void {
    this.#counters.connections++
    this.#counters.open++
    this.#open.set(socket, connection)
  }

  closed(socket: Duplex): void {
    this.#counters.open--
    this.#open.delete(socket)
    if (this.#open.size === 0) for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Resolves when all are closed; those that are left after `grace` milliseconds are cut. */
  async emptied(grace: number, cut: (connection: Connection) => void): Promise<void> {
    const enough = setTimeout(() => {
      for (const connection of this.#open.values()) cut(connection)
    }, grace)
    if (this.#open.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    clearTimeout(enough)
  }
}
