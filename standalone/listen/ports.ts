/** What listens at an address and port. */
export interface OpenPort {
  /** Why it does not listen, as a sentence. */
  readonly fault: string | undefined
  /** Resolves once it listens, or there is a fault; it may be called again. */
  open(): Promise<void>
  close(): Promise<void>
}

export interface Addressed {
  /** An IP address. */
  readonly address: string
  readonly port: number
}

/** A port, and what it is for: a change of that does not close it. */
export interface Assigned<Bind, Port> {
  readonly bind: Bind
  readonly port: Port
}

/** Keeps ports open as binds want them. */
export class Ports<Bind extends Addressed, Port extends OpenPort> {
  readonly #create: (at: { readonly bind: Bind }) => Port
  readonly #retryDelay: number
  readonly #ports = new Map<string, { bind: Bind; readonly port: Port }>()
  readonly #closing = new Map<string, Promise<void>>()
  #retry: NodeJS.Timeout | undefined

  /** `retryDelay`: milliseconds until an address is tried again that cannot be listened on. */
  constructor(retryDelay: number, create: (at: { readonly bind: Bind }) => Port) {
    this.#retryDelay = retryDelay
    this.#create = create
  }

  get({ address, port }: Addressed): Assigned<Bind, Port> | undefined {
    return this.#ports.get(`${address} ${port}`)
  }

  /** Resolves when new ports listen and old ones do not any more, with what cannot be listened on, as sentences. */
  async set(binds: readonly Bind[]): Promise<readonly string[]> {
    const wanted = new Map(binds.map((bind) => [`${bind.address} ${bind.port}`, bind]))
    for (const [key, { port }] of this.#ports) if (!wanted.has(key)) this.#close(key, port)
    for (const [key, bind] of wanted) {
      const open = this.#ports.get(key)
      if (open === undefined) this.#add(key, bind)
      else open.bind = bind
    }
    await Promise.all(this.#closing.values())
    return this.#open()
  }

  #add(key: string, bind: Bind): void {
    const at: { bind: Bind } = { bind }
    this.#ports.set(key, Object.assign(at, { port: this.#create(at) }))
  }

  #close(key: string, port: Port): void {
    this.#ports.delete(key)
    this.#closing.set(
      key,
      port.close().finally(() => this.#closing.delete(key)),
    )
  }

  async #open(): Promise<readonly string[]> {
    clearTimeout(this.#retry)
    const ports = [...this.#ports.values()].map(({ port }) => port)
    await Promise.all(ports.map((port) => port.open()))
    const faults = ports.flatMap(({ fault }) => fault ?? [])
    if (faults.length > 0) this.#retry = setTimeout(() => this.#open(), this.#retryDelay).unref()
    return faults
  }
}
