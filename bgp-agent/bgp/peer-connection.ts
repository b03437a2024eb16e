import type { Socket } from 'node:net'
import { descriptorOf } from '../sys/descriptor.ts'
import type { ScopedAddress } from '../sys/socket-address.ts'
import { insideIpv6, setMd5Key } from '../sys/tcp-options.ts'
import { BgpError } from './error.ts'
import type { ConnectionEvent, ConnectionId } from './fsm.ts'
import { MessageReader, MessageType } from './message.ts'
import type { Negotiated } from './negotiation.ts'
import { decodeNotification } from './notification.ts'
import { decodeOpen } from './open.ts'
import { decodeRouteRefresh, type RouteRefresh } from './route-refresh.ts'
import { decodeUpdate, type Update } from './update-decode.ts'

/** Whom a connection tells. */
export interface ConnectionEnds {
  happened(event: ConnectionEvent): void
  updated(update: Update): void
  refreshed(refresh: RouteRefresh): void
}

/** A socket to a peer, in messages, with the two timers of a connection. */
export class PeerConnection {
  readonly #id: ConnectionId
  readonly #socket: Socket
  readonly #ends: ConnectionEnds
  readonly #reader = new MessageReader()
  /** In [0.75, 1). RFC 4271 section 10. */
  readonly #jitter: () => number
  #session: Negotiated | undefined
  #hold: NodeJS.Timeout | undefined
  #keepalive: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(id: ConnectionId, socket: Socket, jitter: () => number, ends: ConnectionEnds) {
    this.#id = id
    this.#socket = socket
    this.#jitter = jitter
    this.#ends = ends
    let reason = 'the peer closed the connection'
    socket.setNoDelay(true)
    socket.on('connect', () => this.#tell({ type: 'connected' }))
    socket.on('data', (chunk) => this.#read(chunk))
    socket.on('error', (error) => {
      reason = error.message
    })
    socket.on('close', () => this.#tell({ type: 'lost', reason }))
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress
  }

  /** Goes on with another key of TCP MD5. Throws SystemError. */
  setKey(peer: ScopedAddress, key: Uint8Array): void {
    const fd = descriptorOf(this.#socket)
    if (fd === undefined) return
    const isOfBoth = this.#socket.remoteAddress?.startsWith('::ffff:') ?? false
    setMd5Key(fd, isOfBoth ? insideIpv6(peer) : peer, key)
  }

  send(message: Uint8Array): void {
    this.#socket.write(message)
  }

  /** What was sent goes out first. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#hold)
    clearInterval(this.#keepalive)
    if (this.#socket.connecting) this.#socket.destroy()
    else this.#socket.destroySoon()
  }

  /** What comes from here on is said as both sides agreed. */
  agree(session: Negotiated): void {
    this.#session = session
    if (session.extendedMessage) this.#reader.extend()
  }

  /** Expires in so many seconds; 0: never. */
  hold(seconds: number): void {
    clearTimeout(this.#hold)
    if (seconds > 0) this.#hold = setTimeout(() => this.#tell({ type: 'holdTimer' }), seconds * 1000)
  }

  /** Sends `message` every so many seconds, a little sooner; 0: never. */
  keepAlive(seconds: number, message: Uint8Array): void {
    clearInterval(this.#keepalive)
    if (seconds > 0) this.#keepalive = setInterval(() => this.send(message), seconds * 1000 * this.#jitter())
  }

  #tell(event: DistributiveOmit<ConnectionEvent, 'id'>): void {
    if (!this.#isClosed) this.#ends.happened({ id: this.#id, ...event })
  }

  #read(chunk: Buffer): void {
    try {
      for (const { type, body } of this.#reader.read(chunk)) {
        if (this.#isClosed) return
        this.#take(type, body)
      }
    } catch (error) {
      if (!(error instanceof BgpError)) throw error
      this.#tell({ type: 'fault', error })
    }
  }

  #take(type: MessageType, body: Uint8Array): void {
    switch (type) {
      case MessageType.open:
        this.#tell({ type: 'open', open: decodeOpen(body) })
        break
      case MessageType.keepalive:
        this.#tell({ type: 'keepalive' })
        break
      case MessageType.notification:
        this.#tell({ type: 'notification', notification: decodeNotification(body) })
        break
      case MessageType.update:
      case MessageType.routeRefresh:
        this.#tell({ type: 'message' })
        // Before there is a session the machine has ended this connection by now.
        if (this.#session === undefined || this.#isClosed) break
        if (type === MessageType.update) this.#ends.updated(decodeUpdate(body, this.#session))
        else this.#ends.refreshed(decodeRouteRefresh(body))
    }
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
