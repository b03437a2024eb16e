import { parseAddress } from './address.ts'
import type { Capabilities } from './bgp/capabilities.ts'
import { hopLimits, type Path } from './bgp/dial.ts'
import type { PeerOptions } from './bgp/fsm.ts'
import type { SpeakerInstance, SpeakerPeer } from './speaker-plan.ts'
import { interfaceIndex, type ScopedAddress } from './sys/socket-address.ts'

/** All that a session stands on: everything but the routes, the key and BFD. */
export const identityOf = (
  { asn, routerId, localPort }: SpeakerInstance,
  { settings, password, ...plan }: SpeakerPeer,
): string => JSON.stringify([asn, routerId, localPort, plan, password !== undefined, { ...settings, bfd: undefined }])

/** Of TCP MD5. */
export const keyOf = ({ password }: Pick<SpeakerPeer, 'password'>): Uint8Array | undefined =>
  password === undefined ? undefined : new TextEncoder().encode(password)

/** A sentence when there is no way to the peer. */
export function pathTo(
  { asn }: SpeakerInstance,
  { address, asn: peerAsn, localAddress, settings, password }: SpeakerPeer,
): Path | string {
  const peer = scoped(address)
  if (peer === undefined) return 'its address cannot be told, or its interface is not here'
  const local = localAddress === undefined ? undefined : scoped(localAddress)
  if (localAddress !== undefined && local?.octets.length !== peer.octets.length)
    return `its localAddress ${localAddress} is of another family`
  const hasTtlSecurity = 'ttlSecurity' in settings && settings.ttlSecurity
  return {
    peer,
    port: settings.transport.peerPort,
    local,
    device: settings.transport.sourceInterface,
    key: keyOf({ password }),
    hops: hopLimits(peerAsn === asn, settings.ebgpMultihop, hasTtlSecurity),
  }
}

/** "fe80::1%eth0" has a scope. */
function scoped(text: string): ScopedAddress | undefined {
  const [address = '', zone] = text.split('%')
  const octets = parseAddress(address)
  const scope = zone === undefined ? 0 : interfaceIndex(zone)
  return octets === undefined || scope === undefined ? undefined : { octets, scope }
}

/** RFC 9234 section 4.1, by what this side is to the peer. */
const roles: Readonly<Record<string, number>> = {
  provider: 0,
  routeServer: 1,
  routeServerClient: 2,
  customer: 3,
  peer: 4,
}

/** What this side brings to the session. */
export function settingsOf({ asn, routerId }: SpeakerInstance, plan: SpeakerPeer): PeerOptions {
  const { settings, families } = plan
  const { timers, gracefulRestart } = settings
  const more = 'passive' in settings ? settings : undefined
  const capabilities: Capabilities = {
    families,
    fourOctetAs: asn,
    routeRefresh: true,
    enhancedRouteRefresh: true,
    extendedMessage: true,
    extendedNextHop: true,
    gracefulRestart: gracefulRestart.enabled
      ? {
          isRestarting: false,
          survivesNotification: true,
          time: gracefulRestart.restartTimeSeconds,
          families,
          forwarding: families,
        }
      : undefined,
    role: more?.role === undefined ? undefined : roles[more.role],
  }
  return {
    asn,
    identifier: routerId,
    holdTime: timers.holdTimeSeconds,
    keepaliveTime: timers.keepAliveTimeSeconds,
    peerAsn: plan.asn,
    capabilities,
    connectRetryTime: timers.connectRetryTimeSeconds,
    isPassive: more?.passive ?? false,
  }
}
