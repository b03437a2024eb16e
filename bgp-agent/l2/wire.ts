import { GroupMemberships } from '../sys/group-memberships.ts'
import { close, receive, SystemError, send } from '../sys/libc.ts'
import { packetSocket } from '../sys/packet-socket.ts'
import { EtherType } from './ethernet.ts'

/** The longest frame that is read: ARP and neighbor discovery are short, and what is behind their fields is nobody's business. */
const MAX_FRAME = 2048
/** Frames that are read at once from one socket. */
const MAX_READ = 64

/** The sockets of one interface. Throws SystemError when they are opened. */
export class Wire {
  readonly #arp: number
  readonly #ndp: number
  readonly #groups: GroupMemberships
  readonly #failed: (error: unknown) => void
  readonly #buffer = new Uint8Array(MAX_FRAME)

  /** `failed` hears of what was not sent, joined or left. */
  constructor(interfaceIndex: number, failed: (error: unknown) => void) {
    this.#failed = failed
    this.#arp = packetSocket('arp', interfaceIndex)
    try {
      this.#ndp = packetSocket('ndp', interfaceIndex)
    } catch (error) {
      close(this.#arp)
      throw error
    }
    this.#groups = new GroupMemberships(interfaceIndex)
  }

  get fds(): readonly number[] {
    return [this.#arp, this.#ndp]
  }

  /** Gives what has come to one of `fds`, whole frames that are good until the next. Returns whether there may be more. Throws
   *  SystemError: ENETDOWN and ENODEV when the interface has gone. */
  read(fd: number, received: (frame: Uint8Array) => void): boolean {
    for (let frames = 0; frames < MAX_READ; frames++) {
      const length = receive(fd, this.#buffer)
      if (length === undefined) return false
      received(this.#buffer.subarray(0, length))
    }
    return true
  }

  /** A frame that cannot be sent is one that is lost. */
  send(frame: Uint8Array): void {
    const isIpv6 = frame[12] === EtherType.ipv6 >>> 8
    this.#try(() => send(isIpv6 ? this.#ndp : this.#arp, frame))
  }

  join(group: Uint8Array): void {
    this.#try(() => this.#groups.join(group))
  }

  leave(group: Uint8Array): void {
    this.#try(() => this.#groups.leave(group))
  }

  close(): void {
    close(this.#arp)
    close(this.#ndp)
    this.#groups.close()
  }

  #try(call: () => void): void {
    try {
      call()
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      this.#failed(error)
    }
  }
}
