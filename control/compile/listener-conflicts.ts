import type { ProtocolName } from './features.ts'
import { containing } from './hostnames.ts'

/** The fields that tell listeners apart. GatewaySpec.listeners, "Distinct Listeners". */
export interface Contender {
  readonly port: number
  readonly protocol: ProtocolName
  /** "" for every host. */
  readonly hostname: string
}

export type ConflictReason = 'HostnameConflict' | 'ProtocolConflict'

/** How the connections of one port are told apart: HTTP by Host, HTTPS and TLS by the server name; TCP and UDP not at all.
 *  HTTPS and TLS go together on a port, since the server name is known before the protocol matters. */
const families = { HTTP: 'host', HTTPS: 'server name', TLS: 'server name', TCP: 'none', UDP: 'none' } as const

/** Listeners of protocol UDP never meet the others. */
const placeOf = ({ port, protocol }: Contender): string => `${protocol === 'UDP' ? 'udp' : 'tcp'} ${port}`

/** What holds a port. */
interface Place {
  /** Several where listeners fight for the port by protocol. */
  readonly families: Set<(typeof families)[ProtocolName]>
  /** By hostname. */
  readonly protocols: Map<string, ProtocolName>
}

function clash(place: Place, { protocol, hostname }: Contender): ConflictReason | undefined {
  const { protocols } = place
  const family = families[protocol]
  if (family === 'none' || place.families.size > 1 || !place.families.has(family)) return 'ProtocolConflict'
  const holder = protocols.get(hostname)
  if (holder === undefined) return undefined
  return holder === protocol ? 'HostnameConflict' : 'ProtocolConflict'
}

/** Conflicts among the listeners of one Gateway and its ListenerSets. `owners` are in order of precedence: an owner loses
 *  against earlier ones, and among the listeners of one owner none wins. Linear in the number of listeners. */
export function conflicts<T extends Contender>(owners: readonly (readonly T[])[]): ReadonlyMap<T, ConflictReason> {
  const found = new Map<T, ConflictReason>()
  const places = new Map<string, Place>()
  for (const listeners of owners) {
    const left = new Map<string, T[]>()
    for (const listener of listeners) {
      const name = placeOf(listener)
      const place = places.get(name)
      const lost = place && clash(place, listener)
      if (lost !== undefined) found.set(listener, lost)
      else left.set(name, [...(left.get(name) ?? []), listener])
    }
    for (const [name, rivals] of left) {
      for (const [listener, reason] of amongEquals(rivals)) found.set(listener, reason)
      // Rivals hold the port all the same: else a younger ListenerSet would win what its elders quarrel about.
      const place = places.get(name) ?? { families: new Set(), protocols: new Map() }
      places.set(name, place)
      for (const { protocol, hostname } of rivals) {
        place.families.add(families[protocol])
        place.protocols.set(hostname, protocol)
      }
    }
  }
  return found
}

/** Conflicts among listeners of one port and owner. */
function amongEquals<T extends Contender>(rivals: readonly T[]): ReadonlyMap<T, ConflictReason> {
  const found = new Map<T, ConflictReason>()
  const kinds = new Set(rivals.map(({ protocol }) => families[protocol]))
  if (rivals.length > 1 && (kinds.size > 1 || kinds.has('none'))) {
    for (const listener of rivals) found.set(listener, 'ProtocolConflict')
    return found
  }
  for (const equals of Map.groupBy(rivals, ({ hostname }) => hostname).values()) {
    if (equals.length === 1) continue
    const protocols = new Set(equals.map(({ protocol }) => protocol))
    for (const listener of equals) found.set(listener, protocols.size === 1 ? 'HostnameConflict' : 'ProtocolConflict')
  }
  return found
}

/** Listeners that end TLS on one port for hostnames of which one contains the other: ListenerConditionOverlappingTLSConfig. */
export function overlapping<T extends Contender>(listeners: readonly T[]): ReadonlySet<T> {
  const found = new Set<T>()
  const tls = listeners.filter(({ protocol }) => families[protocol] === 'server name')
  for (const group of Map.groupBy(tls, ({ port }) => port).values()) {
    const byHostname = new Map(group.map((listener) => [listener.hostname, listener]))
    for (const listener of group) {
      for (const wider of containing(listener.hostname)) {
        const other = byHostname.get(wider)
        if (other !== undefined) found.add(listener).add(other)
      }
    }
  }
  return found
}
