import { formatAddress } from '../address.ts'
import { ignoreHostScope } from '../sys/arp-ignore.ts'
import { addAddress, markedAddresses, removeAddress } from '../sys/interface-addresses.ts'
import { SystemError } from '../sys/libc.ts'
import type { Netlink } from '../sys/netlink.ts'

interface Owned {
  readonly octets: Uint8Array
  /** Interfaces on which it is answered for. */
  readonly holders: Set<string>
  /** undefined: nothing has been done yet. `foreign`: somebody else has put it there, and it stays. */
  placed: 'added' | 'foreign' | undefined
}

/** Addresses that are put there or removed at once, a tenth of a millisecond each: who asks meanwhile does not wait for all. */
const MAX_CHANGES = 8

/** Addresses that this machine takes as its own for as long as they are answered for: on one interface, as a rule `lo`, whichever
 *  they are answered on. */
export class OwnedAddresses {
  readonly #netlink: Netlink
  readonly #interfaceIndex: number
  readonly #log: (message: string) => void
  readonly #owned = new Map<string, Owned>()
  /** Those that may not be as they should. */
  readonly #pending = new Set<string>()
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

  /** Whether there is something left for `run`. */
  get isPending(): boolean {
    return this.#pending.size > 0
  }

  /** It is answered for on that interface. */
  hold(octets: Uint8Array, interfaceName: string): void {
    if (octets.length === 4) this.#quiet(interfaceName)
    const address = formatAddress(octets)
    const owned = this.#owned.get(address) ?? { octets, holders: new Set(), placed: undefined }
    owned.holders.add(interfaceName)
    this.#owned.set(address, owned)
    this.#pending.add(address)
  }

  /** It is not any more. */
  release(octets: Uint8Array, interfaceName: string): void {
    const address = formatAddress(octets)
    if (this.#owned.get(address)?.holders.delete(interfaceName)) this.#pending.add(address)
  }

  /** Puts some of what is held on the interface, and removes some of what is not. */
  run(): void {
    let changes = 0
    for (const address of this.#pending) {
      if (changes++ === MAX_CHANGES) return
      this.#settle(address)
    }
  }

  close(): void {
    for (const [address, { holders }] of this.#owned) {
      holders.clear()
      this.#settle(address)
    }
    for (const restore of this.#quieted.values()) restore?.()
    this.#quieted.clear()
  }

  #settle(address: string): void {
    this.#pending.delete(address)
    const owned = this.#owned.get(address)
    if (owned === undefined) return
    if (owned.holders.size > 0) owned.placed ??= this.#add(owned.octets) ? 'added' : 'foreign'
    else {
      this.#owned.delete(address)
      if (owned.placed === 'added') this.#remove(owned.octets)
    }
  }

  #add(octets: Uint8Array): boolean {
    return this.#try(octets, 'EEXIST', () =>
      addAddress(this.#netlink, { octets, interfaceIndex: this.#interfaceIndex }),
    )
  }

  #remove(octets: Uint8Array): void {
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
