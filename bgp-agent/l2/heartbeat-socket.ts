import { createSocket, type Socket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { parseAddress } from '../address.ts'
import { sendToNetwork } from '../sys/multicast.ts'
import { udpSocket } from '../sys/udp-socket.ts'
import type { Door } from './announcer.ts'

/** Groups that switches hand to every port, whatever they have been told of memberships (RFC 4541 section 2.1.2), for what is not
 *  assigned: RFC 4727 sections 2.4.2 and 3.2.2. No router passes them on. */
const groups = { ipv4: '224.0.0.254', ipv6: 'ff02::114' } as const

/** Where heartbeats are heard, of UDP. */
export const heartbeatPort = 9968

/** Octets that wait for a thread that is busy: all that a hundred nodes say in a while. */
const RECEIVE_BUFFER = 1 << 20

interface Way {
  readonly socket: Socket
  /** With its zone. */
  readonly group: string
}

/** Addresses of an interface that heartbeats can come from. */
interface Sources {
  readonly mac: string
  readonly ipv4: string | undefined
  readonly hasIpv6: boolean
}

/** Heartbeats on one interface, by each family that it has an address of: whoever hears both takes the first. */
export class HeartbeatSocket implements Door {
  readonly #interface: string
  readonly #sources: Sources
  readonly #ways: readonly Way[]
  #isBroken = false
  /** Datagrams that are on their way out. */
  #sending = 0
  #isClosed = false

  /** Throws SystemError, and an Error where the interface has no address. */
  constructor(interfaceName: string, received: (datagram: Uint8Array) => void) {
    this.#interface = interfaceName
    this.#sources = sourcesOf(interfaceName)
    const { ipv4, hasIpv6 } = this.#sources
    if (ipv4 === undefined && !hasIpv6) throw new Error('it has no address to send from')
    const ways: Way[] = []
    try {
      if (ipv4 !== undefined) ways.push(openWay('ipv4', interfaceName, ipv4, received))
      if (hasIpv6) ways.push(openWay('ipv6', interfaceName, `::%${interfaceName}`, received))
    } catch (error) {
      for (const { socket } of ways) socket.close()
      throw error
    }
    for (const { socket } of ways) socket.on('error', () => this.#break())
    this.#ways = ways
  }

  send(datagram: Uint8Array): void {
    for (const { socket, group } of this.#ways) {
      this.#sending++
      socket.send(datagram, heartbeatPort, group, (error) => {
        this.#sending--
        if (error !== null) this.#break()
        if (this.#isClosed && this.#sending === 0) this.#closeAll()
      })
    }
  }

  get mac(): string {
    return this.#sources.mac
  }

  isSound(): boolean {
    const { mac, ipv4, hasIpv6 } = sourcesOf(this.#interface)
    return (
      !this.#isBroken &&
      mac === this.mac &&
      (ipv4 === undefined) === (this.#sources.ipv4 === undefined) &&
      hasIpv6 === this.#sources.hasIpv6
    )
  }

  /** What was sent goes out first. */
  close(): void {
    this.#isClosed = true
    if (this.#sending === 0) this.#closeAll()
  }

  #closeAll(): void {
    for (const { socket } of this.#ways) socket.close()
  }

  #break(): void {
    this.#isBroken = true
  }
}

/** `membership`: the interface, as dgram wants it: an address of it, or a zone. */
function openWay(
  family: 'ipv4' | 'ipv6',
  device: string,
  membership: string,
  received: (datagram: Uint8Array) => void,
): Way {
  const isIpv4 = family === 'ipv4'
  const octets = parseAddress(groups[family]) ?? new Uint8Array()
  // Bound to the group: without that a socket hears all that comes to its port.
  const local = { octets, scope: 0 }
  const fd = udpSocket({ isIpv4, local, port: heartbeatPort, device, scope: 0 }, true, (unbound) =>
    sendToNetwork(unbound, isIpv4),
  )
  const socket = createSocket(isIpv4 ? 'udp4' : 'udp6')
  socket.bind({ fd })
  try {
    socket.addMembership(groups[family], membership)
    socket.setRecvBufferSize(RECEIVE_BUFFER)
  } catch (error) {
    socket.close()
    throw error
  }
  socket.on('message', received)
  return { socket, group: isIpv4 ? groups.ipv4 : `${groups.ipv6}%${device}` }
}

function sourcesOf(interfaceName: string): Sources {
  const infos = networkInterfaces()[interfaceName] ?? []
  return {
    mac: infos[0]?.mac ?? '',
    ipv4: infos.find(({ family }) => family === 'IPv4')?.address,
    hasIpv6: infos.some(({ family, address }) => family === 'IPv6' && address.startsWith('fe80:')),
  }
}
