import { type Listener, Protocol } from '../proto/gen/route_table.ts'
import type { RequestFacts } from './facts.ts'
import { wider } from './hosts.ts'

/** The listeners of one Gateway that take HTTP requests. */
export class Listeners {
  readonly #http: SchemeListeners
  readonly #https: SchemeListeners

  constructor(listeners: readonly Listener[]) {
    this.#http = new SchemeListeners(listeners, Protocol.HTTP, 80)
    this.#https = new SchemeListeners(listeners, Protocol.HTTPS, 443)
  }

  /** The listener whose hostname is the most specific that takes `hostname`, on `port` if that is known. Of several ports
   *  with that hostname the scheme's own comes first, then the first in the table. Gateway.spec.listeners. */
  choose(scheme: RequestFacts['scheme'], port: number | undefined, hostname: string): Listener | undefined {
    return (scheme === 'https' ? this.#https : this.#http).choose(port, hostname)
  }
}

class SchemeListeners {
  readonly #ports = new Map<number, HostnameListeners>()
  readonly #anyPort = new HostnameListeners()

  constructor(listeners: readonly Listener[], protocol: Protocol, ownPort: number) {
    const mine = listeners.filter((listener) => listener.protocol === protocol)
    for (const listener of mine) {
      let port = this.#ports.get(listener.port)
      if (port === undefined) {
        port = new HostnameListeners()
        this.#ports.set(listener.port, port)
      }
      port.add(listener)
    }
    for (const listener of mine) if (listener.port === ownPort) this.#anyPort.add(listener)
    for (const listener of mine) this.#anyPort.add(listener)
  }

  choose(port: number | undefined, hostname: string): Listener | undefined {
    return port === undefined ? this.#anyPort.choose(hostname) : this.#ports.get(port)?.choose(hostname)
  }
}

/** Listeners that are told apart by hostname alone. */
export class HostnameListeners {
  readonly #named = new Map<string, Listener>()
  #everyHost: Listener | undefined

  /** The first of a hostname stays. */
  add(listener: Listener): void {
    if (listener.hostname === '') this.#everyHost ??= listener
    else if (!this.#named.has(listener.hostname)) this.#named.set(listener.hostname, listener)
  }

  choose(hostname: string): Listener | undefined {
    if (this.#named.size > 0) {
      for (let name = hostname; name !== ''; name = wider(name)) {
        const listener = this.#named.get(name)
        if (listener !== undefined) return listener
      }
    }
    return this.#everyHost
  }
}
