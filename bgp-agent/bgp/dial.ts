import { Socket } from 'node:net'
import { formatAddress } from '../address.ts'
import { close } from '../sys/libc.ts'
import type { ScopedAddress } from '../sys/socket-address.ts'
import { type HopLimits, setHopLimits, setMd5Key, tcpSocket } from '../sys/tcp-options.ts'

/** How a connection to a peer is made. */
export interface Path {
  readonly peer: ScopedAddress
  readonly port: number
  /** The address that it comes from; undefined: the system's choice. */
  readonly local: ScopedAddress | undefined
  /** The interface that it leaves by; undefined: the routing table's choice. */
  readonly device: string | undefined
  /** Of TCP MD5. RFC 2385. */
  readonly key: Uint8Array | undefined
  readonly hops: HopLimits
}

/** A socket that is about to connect. Throws SystemError for what the system refuses at once. */
export function dial({ peer, port, local, device, key, hops }: Path): Socket {
  const isIpv4 = peer.octets.length === 4
  const fd = tcpSocket(isIpv4, local, device)
  try {
    if (key !== undefined) setMd5Key(fd, peer, key)
    setHopLimits(fd, isIpv4, hops)
    const zone = peer.scope === 0 ? '' : `%${peer.scope}`
    return new Socket({ fd }).connect({ host: `${formatAddress(peer.octets)}${zone}`, port })
  } catch (error) {
    close(fd)
    throw error
  }
}

/**
 * The hop limits of a session. RFC 5082: with TTL security packets leave with 255 and may have lost `hops - 1`. Without it a
 * neighbour is one hop away (RFC 4271 leaves it open; so do others), and one inside the AS anywhere.
 */
export function hopLimits(isInternal: boolean, hops: number, hasTtlSecurity: boolean): HopLimits {
  if (hasTtlSecurity) return { sent: 255, received: 256 - hops }
  return { sent: isInternal ? undefined : hops, received: undefined }
}
