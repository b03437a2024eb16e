import { AF_INET6, close, SOCK_DGRAM, SystemError, setOption, socket } from './libc.ts'
import { isLittleEndian } from './socket-address.ts'

/** ipv6(7). */
const IPPROTO_IPV6 = 41
const IPV6_JOIN_GROUP = 20
const IPV6_LEAVE_GROUP = 21

/** Groups of IPv6 that an interface hears for as long as this is open. Switches are told by MLD, which is the kernel's. */
export class GroupMemberships {
  readonly #interfaceIndex: number
  /** A socket has room for so many groups as net.core.optmem_max says. */
  readonly #sockets: number[] = []
  /** By group: the socket that has joined it. */
  readonly #joined = new Map<string, number>()

  constructor(interfaceIndex: number) {
    this.#interfaceIndex = interfaceIndex
  }

  /** Throws SystemError. */
  join(group: Uint8Array): void {
    const key = group.join()
    if (this.#joined.has(key)) return
    const last = this.#sockets.at(-1) ?? this.#another()
    try {
      setOption(last, IPPROTO_IPV6, IPV6_JOIN_GROUP, this.#request(group))
      this.#joined.set(key, last)
    } catch (error) {
      if (!(error instanceof SystemError) || (error.code !== 'ENOMEM' && error.code !== 'ENOBUFS')) throw error
      const next = this.#another()
      setOption(next, IPPROTO_IPV6, IPV6_JOIN_GROUP, this.#request(group))
      this.#joined.set(key, next)
    }
  }

  /** Throws SystemError. */
  leave(group: Uint8Array): void {
    const key = group.join()
    const fd = this.#joined.get(key)
    if (fd === undefined) return
    this.#joined.delete(key)
    setOption(fd, IPPROTO_IPV6, IPV6_LEAVE_GROUP, this.#request(group))
  }

  close(): void {
    for (const fd of this.#sockets) close(fd)
    this.#sockets.length = 0
    this.#joined.clear()
  }

  #another(): number {
    const fd = socket(AF_INET6, SOCK_DGRAM, 0)
    this.#sockets.push(fd)
    return fd
  }

  /** struct ipv6_mreq: group (16), interface (4). */
  #request(group: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(20)
    bytes.set(group)
    new DataView(bytes.buffer).setUint32(16, this.#interfaceIndex, isLittleEndian)
    return bytes
  }
}
