import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Addressed, OpenPort } from '../listen/ports.ts'
import type { Log } from '../log.ts'

export interface UdpPortOptions {
  /** Whether other processes may listen here, too, and get their share of the sources. */
  readonly reusePort: boolean
  readonly take: (datagram: Buffer, source: RemoteInfo) => void
  readonly log: Log
}

/** One address and port that takes datagrams. What it sends leaves from there. */
export class UdpPort implements OpenPort {
  readonly #at: { readonly bind: Addressed }
  readonly #options: UdpPortOptions
  #socket: Socket | undefined
  #fault: string | undefined

  constructor(at: { readonly bind: Addressed }, options: UdpPortOptions) {
    this.#at = at
    this.#options = options
  }

  get fault(): string | undefined {
    return this.#fault
  }

  get port(): number {
    return this.#socket?.address().port ?? this.#at.bind.port
  }

  async open(): Promise<void> {
    if (this.#socket !== undefined) return
    const { address, port } = this.#at.bind
    const { reusePort, take, log } = this.#options
    const type = isIPv6(address) ? 'udp6' : 'udp4'
    // Addresses are all there is to look up, and come back as they are.
    const socket = createSocket({
      type,
      reusePort,
      lookup: (name, _options, found) => found(null, name, type === 'udp6' ? 6 : 4),
    })
    try {
      socket.bindSync({ address, port })
      this.#fault = undefined
      socket.on('message', take)
      // An answer that could not be delivered, or no memory: the socket goes on.
      socket.on('error', ({ message }) => log('receive failed', { address, port, error: message }))
      this.#socket = socket
    } catch (error) {
      this.#fault = `${address} port ${port} of UDP: ${error instanceof Error ? error.message : String(error)}`
      socket.close()
    }
  }

  /** Where it is closed by now, the datagram is lost. */
  send(datagram: Uint8Array, { address, port }: RemoteInfo): void {
    // Without a callback nobody hears of an error: datagrams may be lost.
    this.#socket?.send(datagram, port, address)
  }

  async close(): Promise<void> {
    this.#socket?.close()
    this.#socket = undefined
  }
}
