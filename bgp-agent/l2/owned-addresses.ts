import { formatAddress } from '../address.ts'
import { ignoreHostScope } from '../sys/arp-ignore.ts'
import { addAddress, markedAddresses, removeAddress } from '../sys/interface-addresses.ts'
import { SystemError } from '../sys/libc.ts'
import type { Netlink } from '../sys/netlink.ts'

interface Owned {
  readonly octets: Uint8Array
  /** Interfaces on which it is answered for. */
  readonly holders: Set<string>
  /** Whether it was added here, and so is to be removed. */
  readonly isAdded: boolean
}

/** Addresses that this machine takes as its own for as long as they are answered for: on one interface, as a rule `lo`, whichever
 *  they are answered on. */
export class OwnedAddresses {
  readonly #netlink: Netlink
  readonly #interfaceIndex: number
  readonly #log: (message: string) => void
  readonly #owned = new Map<string, Owned>()
  /** By interface: what makes the kernel answer again as it did; undefined: it was not to be changed. */
  readonly #quieted = new Map<string, (() => void) | undefined>()

  /** What an agent that was killed has left behind is removed. Throws SystemError. */
  constructor(netlink: Netlink, interfaceIndex: number, log: (message: string) => void) {
    this.#netlink = netlink
    this.#interfaceIndex = interfaceIndex
    this.#log = log
    for (const left of markedAddresses(netlink)) {
      removeAddress(netlink, left)
      log(`${formatAddress(left.octets)} was left behind on an interface, and is removed`)
    }
  }

  /** It is answered for on that interface. */
  hold(octets: Uint8Array, interfaceName: string): void {
    if (octets.length === 4) this.#quiet(interfaceName)
    const address = formatAddress(octets)
    const owned = this.#owned.get(address) ?? { octets, holders: new Set(), isAdded: this.#add(octets) }
    owned.holders.add(interfaceName)
    this.#owned.set(address, owned)
  }

  /** It is not any more. */
  release(octets: Uint8Array, interfaceName: string): void {
    const address = formatAddress(octets)
    const owned = this.#owned.get(address)
    if (owned === undefined) return
    owned.holders.delete(interfaceName)
    if (owned.holders.size > 0) return
    this.#owned.delete(address)
    this.#remove(owned)
  }

  close(): void {
    for (const owned of this.#owned.values()) this.#remove(owned)
    this.#owned.clear()
    for (const restore of this.#quieted.values()) restore?.()
    this.#quieted.clear()
  }

  #add(octets: Uint8Array): boolean {
    return this.#try(octets, 'EEXIST', () =>
      addAddress(this.#netlink, { octets, interfaceIndex: this.#interfaceIndex }),
    )
  }

  #remove({ octets, isAdded }: Owned): void {
    if (!isAdded) return
    this.#try(octets, 'EADDRNOTAVAIL', () =>
      removeAddress(this.#netlink, { octets, interfaceIndex: this.#interfaceIndex }),
    )
  }

  /** Whether it was done. `expected`: why there was nothing to be done. */
  #try(octets: Uint8Array, expected: string, call: () => void): boolean {
    try {
      call()
      return true
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      if (error.code !== expected) this.#log(`${formatAddress(octets)}: ${error.message}`)
      return false
    }
  }

  /** So that nobody answers for the address any more once this process is killed. */
  #quiet(interfaceName: string): void {
    if (this.#quieted.has(interfaceName)) return
    try {
      this.#quieted.set(interfaceName, ignoreHostScope(interfaceName))
    } catch {
      this.#quieted.set(interfaceName, undefined)
      const setting = `net.ipv4.conf.${interfaceName.replaceAll('.', '/')}.arp_ignore`
      this.#log(`the kernel answers ARP requests for owned addresses, too: ${setting} cannot be set to 3`)
    }
  }
}
