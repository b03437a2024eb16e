import { createServer, type Server, type Socket } from 'node:net'
import { formatAddress, parseAddress } from '../address.ts'
import { descriptorOf } from '../sys/descriptor.ts'
import type { ScopedAddress } from '../sys/socket-address.ts'
import { type HopLimits, insideIpv6, MAX_HOPS, setHopLimits, setMd5Key } from '../sys/tcp-options.ts'

/** A peer that may connect. */
export interface Caller {
  readonly address: ScopedAddress
  /** Of TCP MD5. */
  readonly key: Uint8Array | undefined
  readonly hops: HopLimits
  readonly accept: (socket: Socket) => void
}

/** Takes connections of peers, and of nobody else. */
export class Listener {
  readonly #server: Server
  readonly #log: (message: string) => void
  /** By address, as formatAddress writes it. */
  #callers: ReadonlyMap<string, Caller> = new Map()

  constructor(port: number, log: (message: string) => void) {
    this.#log = log
    this.#server = createServer((socket) => this.#take(socket))
    this.#server.on('error', (error) => log(`cannot listen on port ${port}: ${error.message}`))
    // Without an address: on "::", or on 0.0.0.0 where the machine has no IPv6.
    this.#server.listen(port, () => {
      this.#setHops()
      this.#setKeys(new Map())
    })
  }

  /** The whole of who may connect. */
  set(callers: readonly Caller[]): void {
    const before = this.#callers
    this.#callers = new Map(callers.map((caller) => [formatAddress(caller.address.octets), caller]))
    this.#setKeys(before)
  }

  close(): void {
    this.#server.close()
  }

  #take(socket: Socket): void {
    const octets = parseAddress((socket.remoteAddress ?? '').replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/, ''))
    const caller = octets && this.#callers.get(formatAddress(octets))
    const fd = descriptorOf(socket)
    if (caller === undefined || fd === undefined) {
      socket.destroy()
      return
    }
    try {
      setHopLimits(fd, caller.address.octets.length === 4, caller.hops)
      caller.accept(socket)
    } catch (error) {
      this.#log(String(error))
      socket.destroy()
    }
  }

  /** A peer with TTL security wants it of the first packet already, which the system sends. */
  #setHops(): void {
    const fd = descriptorOf(this.#server)
    if (fd === undefined) return
    const hops = { sent: MAX_HOPS, received: undefined }
    setHopLimits(fd, true, hops)
    if (this.#isOfBoth) setHopLimits(fd, false, hops)
  }

  /** A peer with a key is not even heard without it. */
  #setKeys(before: ReadonlyMap<string, Caller>): void {
    const fd = descriptorOf(this.#server)
    if (fd === undefined) return
    for (const [name, { address }] of before)
      if (this.#callers.get(name)?.key === undefined) this.#setKey(fd, address, new Uint8Array())
    for (const { address, key } of this.#callers.values()) if (key !== undefined) this.#setKey(fd, address, key)
  }

  /** Whether it listens for IPv6, and so for IPv4, too. */
  get #isOfBoth(): boolean {
    const bound = this.#server.address()
    return typeof bound === 'object' && bound?.family === 'IPv6'
  }

  #setKey(fd: number, address: ScopedAddress, key: Uint8Array): void {
    try {
      setMd5Key(fd, this.#isOfBoth ? insideIpv6(address) : address, key)
    } catch (error) {
      // A key that was never set cannot be taken away.
      if (key.length > 0) this.#log(`the key of ${formatAddress(address.octets)} cannot be set: ${String(error)}`)
    }
  }
}
