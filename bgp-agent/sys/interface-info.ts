import { attribute, attributesOf, type Netlink, type NetlinkMessage, u32Value } from './netlink.ts'
import { isLittleEndian } from './socket-address.ts'

/** An interface as the kernel has it: a card, a VLAN, a bond, a bridge, … */
export interface InterfaceInfo {
  readonly name: string
  readonly index: number
  /** Six octets on Ethernet. */
  readonly mac: Uint8Array
  readonly isEthernet: boolean
  /** Whether it is up, and has its carrier. */
  readonly isUp: boolean
}

/** rtnetlink(7), linux/if_link.h, linux/if.h, linux/if_arp.h. */
const RTM_NEWLINK = 16
const RTM_GETLINK = 18
const IFLA_ADDRESS = 1
const IFLA_IFNAME = 3
const IFLA_EXT_MASK = 29
const RTEXT_FILTER_SKIP_STATS = 8
const IFF_UP = 0x1
const IFF_RUNNING = 0x40
const ARPHRD_ETHER = 1
/** Bits of groups: told when an interface comes, changes or goes. */
export const RTMGRP_LINK = 1

/** struct ifinfomsg: family (1), nothing (1), hardware type (2), index (4), flags (4), change (4). */
const FIXED = 16

/** All interfaces of the network namespace. Throws SystemError. */
export function interfaceInfos(netlink: Netlink): readonly InterfaceInfo[] {
  const mask = attribute(IFLA_EXT_MASK, u32Value(RTEXT_FILTER_SKIP_STATS))
  const payload = new Uint8Array(FIXED + mask.length)
  payload.set(mask, FIXED)
  return netlink.list('RTM_GETLINK', RTM_GETLINK, payload).flatMap((message) => readInterfaceInfo(message) ?? [])
}

/** undefined: it is about something else. */
export function readInterfaceInfo({ type, payload }: NetlinkMessage): InterfaceInfo | undefined {
  if (type !== RTM_NEWLINK || payload.length < FIXED) return undefined
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const attributes = attributesOf(payload, FIXED)
  const name = attributes.get(IFLA_IFNAME)
  if (name === undefined) return undefined
  const flags = view.getUint32(8, isLittleEndian)
  const mac = attributes.get(IFLA_ADDRESS) ?? new Uint8Array()
  return {
    name: new TextDecoder().decode(name).replace(/\0.*$/s, ''),
    index: view.getInt32(4, isLittleEndian),
    mac,
    isEthernet: view.getUint16(2, isLittleEndian) === ARPHRD_ETHER && mac.length === 6,
    isUp: (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) !== 0,
  }
}
