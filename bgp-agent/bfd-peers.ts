import type { BfdPeer } from './bfd/bfd.ts'
import type { Timers } from './bfd/session.ts'
import type { BfdPath } from './bfd/transport.ts'
import type { Path } from './bgp/dial.ts'
import type { SpeakerInstance, SpeakerPeer } from './speaker-plan.ts'

/** How BFD watches a peer of BGP; undefined: it is not to. */
export function bfdOf(
  instance: SpeakerInstance,
  { asn, settings }: SpeakerPeer,
  path: Path,
): Omit<BfdPeer, 'onChange'> | undefined {
  if (!('bfd' in settings) || settings.bfd === undefined) return undefined
  const { transmitIntervalMilliseconds, receiveIntervalMilliseconds, detectMultiplier } = settings.bfd
  const timers: Timers = {
    desiredMinTx: transmitIntervalMilliseconds * 1000,
    requiredMinRx: receiveIntervalMilliseconds * 1000,
    detectMultiplier,
  }
  return { path: bfdPath(asn === instance.asn, settings.ebgpMultihop, settings.ttlSecurity, path), timers }
}

/**
 * As far away as BGP may be. A peer inside the AS may be anywhere, unless TTL security or its link-local address says how near
 * it is; BIRD has it so too. RFC 5883 section 3: a session is one or the other, and both sides must know which.
 */
function bfdPath(isInternal: boolean, hops: number, hasTtlSecurity: boolean, { peer, local, device }: Path): BfdPath {
  const isAnywhere = isInternal && !hasTtlSecurity
  const isMultihop = (isAnywhere || hops > 1) && peer.scope === 0
  // BIRD sends to a peer that is not its neighbour with the system's TTL.
  const minHops = !isMultihop ? 255 : hasTtlSecurity ? 256 - hops : 1
  return { peer, local, device, isMultihop, minHops }
}
