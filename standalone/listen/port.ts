import { createServer, type Server, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import type { Log } from '../log.ts'
import type { Addressed, OpenPort } from './ports.ts'

export interface ListenPortOptions {
  /** Whether other processes may listen here, too, and get their share of the connections. */
  readonly reusePort: boolean
  /** Connections that the kernel keeps until they are accepted; it may keep fewer. */
  readonly backlog: number
  /** Of a connection that may be half open and has TCP_NODELAY. */
  readonly accept: (socket: Socket) => void
  readonly log: Log
}

/** Milliseconds for accepting what waits at a port that is to be closed. */
const longestWait = 1_000

/** Milliseconds of a turn of the event loop in which hardly anything can have come. */
const shortTurn = 0.1

/** One address and port to listen on. */
export class ListenPort implements OpenPort {
  readonly #at: { readonly bind: Addressed }
  readonly #options: ListenPortOptions
  #server: Server | undefined
  #opened: Promise<void> | undefined
  #accepted = 0
  #fault: string | undefined

  constructor(at: { readonly bind: Addressed }, options: ListenPortOptions) {
    this.#at = at
    this.#options = options
  }

  get fault(): string | undefined {
    return this.#fault
  }

  /** That of the kernel's choice where 0 was asked for. */
  get port(): number {
    const bound = this.#server?.address()
    return bound === null || typeof bound !== 'object' ? this.#at.bind.port : bound.port
  }

  open(): Promise<void> {
    this.#opened ??= this.#listen()
    return this.#opened
  }

  async #listen(): Promise<void> {
    const { reusePort, backlog, accept, log } = this.#options
    const { address, port } = this.#at.bind
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#accepted++
      accept(socket)
    })
    this.#server = server
    try {
      await new Promise((resolve, reject) => {
        server.once('listening', resolve)
        server.once('close', resolve)
        server.once('error', reject)
        server.listen({ host: address, port, backlog, reusePort, exclusive: true })
      })
      this.#fault = undefined
      // Node.js goes on to accept. Where no file descriptor is left it closes what comes, and does not say so.
      server.on('error', ({ message }) => log('accept failed', { address, port: this.port, error: message }))
    } catch (error) {
      this.#fault = `${address} port ${port}: ${error instanceof Error ? error.message : String(error)}`
      this.#server = undefined
      this.#opened = undefined
    }
  }

  /**
   * Accepts what the kernel has established already, which would be reset otherwise, then stops. What was accepted goes on.
   * What comes between the last look and the end is reset all the same, unless the kernel gives it to another process:
   * Linux does so with net.ipv4.tcp_migrate_req.
   */
  async close(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    const until = performance.now() + longestWait
    for (let now = performance.now(), isQuiet = false; !isQuiet && now < until; ) {
      const accepted = this.#accepted
      const since = now
      // Node.js accepts one connection in each turn.
      await setImmediate()
      now = performance.now()
      isQuiet = this.#accepted === accepted && now - since < shortTurn
    }
    this.#server = undefined
    server.close()
  }
}
