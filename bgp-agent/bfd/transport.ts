import { createSocket, type Socket } from 'node:dgram'
import { formatAddress } from '../address.ts'
import { type Sender, setSenders } from '../sys/hop-filter.ts'
import { SystemError } from '../sys/libc.ts'
import type { ScopedAddress } from '../sys/socket-address.ts'
import { type UdpPlace, udpSocket } from '../sys/udp-socket.ts'

/** Between whom a session is. */
export interface BfdPath {
  readonly peer: ScopedAddress
  /** undefined: the system's choice. */
  readonly local: ScopedAddress | undefined
  /** The interface that packets come and go by; undefined: any. */
  readonly device: string | undefined
  readonly isMultihop: boolean
  /** The least TTL or hop limit of what is heard: 255 from a neighbour. RFC 5881 section 5. */
  readonly minHops: number
}

/** Where sessions are heard. RFC 5881 section 4; RFC 5883 section 5. */
export const ports = { singleHop: 3784, multihop: 4784 } as const

/** Where packets come from, a port for each session. RFC 5881 section 4. */
const sourcePorts = { first: 49_152, count: 16_384 } as const
/** Ports that are tried before there is taken to be none. */
const MAX_TRIES = 50

/** A session's way to its peer. */
export interface Way {
  send(packet: Uint8Array): void
  /** What was sent goes out first. */
  close(): void
}

/** Hears all sessions that come to one address and port. */
interface Door {
  readonly socket: Socket
  readonly fd: number
  /** By address, as formatAddress writes it. */
  readonly callers: Map<string, Caller>
}

interface Caller extends Sender {
  readonly received: (datagram: Uint8Array) => void
}

/** The sockets of all sessions. The kernel drops what has come too far, and what strangers send: see docs/decisions/bfd-socket.md. */
export class Transport {
  readonly #doors = new Map<string, Door>()
  /** In [0, 1). */
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  /** Throws SystemError for what the system refuses, and an Error for a second session on one path. */
  open(path: BfdPath, received: (datagram: Uint8Array) => void): Way {
    const address = formatAddress(path.peer.octets)
    const port = path.isMultihop ? ports.multihop : ports.singleHop
    const leave = this.#enter(path, port, { octets: path.peer.octets, minHops: path.minHops, received })
    let source: Socket
    try {
      source = this.#source(path)
    } catch (error) {
      leave()
      throw error
    }
    let sending = 0
    let isClosed = false
    const sent = (): void => {
      sending--
      if (isClosed && sending === 0) source.close()
    }
    return {
      send: (packet) => {
        sending++
        // A packet that cannot be sent is one that is lost.
        source.send(packet, port, address, sent)
      },
      close: () => {
        leave()
        isClosed = true
        if (sending === 0) source.close()
      },
    }
  }

  /** Hears `caller` until the function that it gives is called. */
  #enter(path: BfdPath, port: number, caller: Caller): () => void {
    const place = placeOf(path, port)
    const key = JSON.stringify([port, path.local?.octets.join('.'), place.isIpv4, place.device, place.scope])
    const address = formatAddress(caller.octets)
    const door = this.#doors.get(key)
    if (door === undefined) this.#doors.set(key, openDoor(place, address, caller))
    else {
      if (door.callers.has(address)) throw new Error('another session with the same peer is heard in the same place')
      setSenders(door.fd, [...door.callers.values(), caller])
      door.callers.set(address, caller)
    }
    return () => this.#leave(key, address)
  }

  #leave(key: string, address: string): void {
    const door = this.#doors.get(key)
    if (door === undefined) return
    door.callers.delete(address)
    if (door.callers.size > 0) {
      setSenders(door.fd, [...door.callers.values()])
      return
    }
    door.socket.close()
    this.#doors.delete(key)
  }

  #source(path: BfdPath): Socket {
    for (let tries = 1; ; tries++) {
      const port = sourcePorts.first + Math.floor(this.#random() * sourcePorts.count)
      const place = placeOf(path, port)
      try {
        return socketOf(
          // Nobody answers to this port.
          udpSocket(place, false, (fd) => setSenders(fd, [])),
          place,
        )
      } catch (error) {
        if (!(error instanceof SystemError) || error.code !== 'EADDRINUSE' || tries === MAX_TRIES) throw error
      }
    }
  }
}

function openDoor(place: UdpPlace, address: string, caller: Caller): Door {
  const fd = udpSocket(place, true, (unbound) => setSenders(unbound, [caller]))
  const callers = new Map([[address, caller]])
  const socket = socketOf(fd, place)
  socket.on('message', (datagram, { address: from }) => callers.get(unscoped(from))?.received(datagram))
  return { socket, fd, callers }
}

function socketOf(fd: number, { isIpv4 }: UdpPlace): Socket {
  const socket = createSocket(isIpv4 ? 'udp4' : 'udp6')
  socket.bind({ fd })
  return socket
}

const placeOf = ({ peer, local, device }: BfdPath, port: number): UdpPlace => ({
  isIpv4: peer.octets.length === 4,
  local,
  port,
  device,
  scope: peer.scope,
})

/** A door of link-local addresses is on one interface, so that their zone says nothing. */
const unscoped = (address: string): string => address.replace(/%.*$/, '')
