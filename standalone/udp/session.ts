import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Endpoint } from '../../proto/gen/route_table.ts'

/** One source's datagrams to one endpoint, and back. */
export class UdpSession {
  readonly endpoint: Endpoint
  datagramsReceived = 0
  datagramsSent = 0
  readonly #socket: Socket

  /** `answer` gets what the endpoint sends; `lost` is called when it says that nobody is there. Throws where it cannot even
   *  be sent to. */
  constructor(endpoint: Endpoint, answer: (datagram: Buffer) => void, lost: () => void) {
    this.endpoint = endpoint
    // Connected, so that it hears of the endpoint alone, and of ICMP.
    this.#socket = createSocket(isIPv6(endpoint.address) ? 'udp6' : 'udp4')
    try {
      this.#socket.connectSync(endpoint.port, endpoint.address)
    } catch (error) {
      this.#socket.close()
      throw error
    }
    this.#socket.on('message', (datagram) => {
      this.datagramsSent++
      answer(datagram)
    })
    this.#socket.on('error', lost)
  }

  send(datagram: Buffer): void {
    this.datagramsReceived++
    // Without a callback nobody hears of an error: datagrams may be lost.
    this.#socket.send(datagram)
  }

  /** To be called once, and nothing after it. */
  close(): void {
    this.#socket.close()
  }
}
