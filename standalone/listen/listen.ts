import type { Socket } from 'node:net'
import type { Log } from '../log.ts'
import type { Bind } from './bind.ts'
import { Connection, type ConnectionLimits, type ConnectionOptions } from './connection.ts'
import { ListenPort } from './port.ts'
import { type Addressed, Ports } from './ports.ts'

export interface ListenOptions extends ConnectionOptions {
  /** Whether other processes may listen at the same addresses and ports. */
  readonly reusePort: boolean
  readonly log: Log
  readonly limits?: Partial<ListenLimits>
}

/** Times in milliseconds. */
export interface ListenLimits extends ConnectionLimits {
  /** Of all ports together, front ends' connections among them. */
  readonly connections: number
  /** Of each port: what the kernel keeps until it is accepted. */
  readonly backlog: number
  /** How long until an address is tried again that cannot be listened on. */
  readonly retryDelay: number
}

const listenLimits: ListenLimits = {
  connections: 50_000,
  backlog: 4_096,
  headTimeout: 10_000,
  partingTimeout: 60_000,
  retryDelay: 2_000,
}

/** How long clients that have sent nothing at all are waited for when everything closes, in milliseconds. */
const longestSilence = 1_000

/** Accepts connections, and has each handed to whoever its port's listeners want. */
export class Listen {
  readonly #options: ListenOptions
  readonly #limits: ListenLimits
  readonly #ports: Ports<Bind, ListenPort>
  readonly #connections = new Map<Connection, { readonly bind: Bind }>()
  readonly #arriving = new Set<Connection>()
  readonly #tunnels = new Set<Connection>()
  readonly #waiting: (() => void)[] = []

  constructor(options: ListenOptions) {
    this.#options = options
    this.#limits = { ...listenLimits, ...options.limits }
    const { reusePort, log } = options
    const { backlog, retryDelay } = this.#limits
    this.#ports = new Ports(retryDelay, (at) => {
      const accept = (socket: Socket): void => this.#accept(socket, at)
      return new ListenPort(at, { reusePort, backlog, accept, log })
    })
  }

  /** Connections that are open, front ends' among them. */
  get open(): number {
    return this.#connections.size
  }

  /** The port that a bind has; the kernel chooses where it asks for 0. */
  portOf(bind: Addressed): number | undefined {
    return this.#ports.get(bind)?.port.port
  }

  /**
   * Listens for these binds and no others. Connections go on, but for those of clients whom their listener now asks for
   * another certificate; tunnels whose listener is gone get a while to end. Resolves when new ports listen and old ones do
   * not any more, with what cannot be listened on, as sentences; that is tried again from time to time.
   */
  set(binds: readonly Bind[]): Promise<readonly string[]> {
    const ready = this.#ports.set(binds)
    for (const [connection, at] of this.#connections)
      connection.reconsider(this.#ports.get(at.bind) === at ? at.bind : undefined)
    return ready
  }

  /** Accepts no more. Resolves when front ends get no more connections: clients that say nothing have a second for it, and
   *  those of which it is not clear where they belong have `grace` milliseconds. */
  async stop(grace: number): Promise<void> {
    await this.#ports.set([])
    const cutSilent = (): void => {
      for (const connection of this.#arriving) if (connection.isSilent) connection.cut()
    }
    const silence = setTimeout(cutSilent, Math.min(longestSilence, grace))
    await this.#emptied(this.#arriving, grace)
    clearTimeout(silence)
  }

  /** Stops, and gives tunnels `grace` milliseconds to end. Front ends close their own connections, once this has stopped. */
  async close(grace: number): Promise<void> {
    const until = performance.now() + grace
    await this.stop(grace)
    await this.#emptied(this.#tunnels, until - performance.now())
  }

  /** Resolves when all of these are gone; `grace` milliseconds from now they are cut. */
  async #emptied(connections: ReadonlySet<Connection>, grace: number): Promise<void> {
    const cut = setTimeout(
      () => {
        for (const connection of connections) connection.cut()
      },
      Math.max(0, grace),
    )
    while (connections.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    clearTimeout(cut)
  }

  #left(connections: Set<Connection>, connection: Connection): void {
    connections.delete(connection)
    if (connections.size === 0) for (const look of this.#waiting.splice(0)) look()
  }

  #accept(socket: Socket, at: { readonly bind: Bind }): void {
    const connection = new Connection(socket, at, this.#options, this.#limits)
    this.#connections.set(connection, at)
    // 'close' follows.
    socket.on('error', () => {})
    socket.once('close', () => {
      this.#connections.delete(connection)
      this.#left(this.#tunnels, connection)
    })
    if (this.#connections.size > this.#limits.connections) connection.refuse('too-many-connections')
    else this.#receive(connection, socket)
  }

  async #receive(connection: Connection, socket: Socket): Promise<void> {
    this.#arriving.add(connection)
    try {
      await connection.receive()
      if (connection.isTunnel && !socket.closed) this.#tunnels.add(connection)
    } catch (error) {
      this.#options.log('connection failed', { error: error instanceof Error ? `${error.stack}` : String(error) })
      socket.destroy()
    }
    this.#left(this.#arriving, connection)
  }
}
