import { type Listener, Protocol, type Root } from '../proto/gen/route_table.ts'
import type { PlaceKind } from './place.ts'

/** An address and port that Gateways ask for. */
export interface Berth {
  readonly kind: PlaceKind
  readonly address: string
  readonly port: number
  /** Those that listen there. */
  readonly gateways: ReadonlySet<string>
}

export interface Arrangement {
  /** By address, port and whether it is of UDP. */
  readonly berths: ReadonlyMap<string, Berth>
  /** Listeners for which there is no place, as sentences. */
  readonly faults: readonly string[]
}

/** A Router, as far as it matters here. */
interface Table {
  readonly gateway: string
  readonly root: Pick<Root, 'addresses' | 'listeners'>
}

interface Claim extends Berth {
  readonly gateways: Set<string>
  /** Who came first. */
  readonly holder: string
  readonly listener: string
}

/**
 * Gives each address and port to the Gateways that ask for it; `elsewhere` is where those listen that ask for none. Gateways
 * share a port for HTTP, or for HTTPS and TLS, since the host that a client asks for tells them apart. Nothing does so on a
 * port of TCP or UDP, which is one Gateway's. Who comes first by name decides what a port is for.
 */
export function arrange(tables: Iterable<Table>, elsewhere: readonly string[]): Arrangement {
  const berths = new Map<string, Claim>()
  const faults: string[] = []
  for (const { gateway, root } of [...tables].sort((a, b) => (a.gateway < b.gateway ? -1 : 1))) {
    for (const address of new Set(root.addresses.length === 0 ? elsewhere : root.addresses)) {
      for (const listener of root.listeners) {
        const { port, id } = listener
        const kind = kindOf(listener)
        const key = `${address} ${port}${kind === 'udp' ? '/udp' : ''}`
        const claim = berths.get(key)
        if (claim === undefined)
          berths.set(key, { kind, address, port, gateways: new Set([gateway]), holder: gateway, listener: id })
        else if (claim.kind === kind && isShared(kind)) claim.gateways.add(gateway)
        else
          faults.push(
            `Gateway ${gateway}: listener ${id} is not served at ${address} port ${port}, which is for ${claim.kind} and listener ${claim.listener} of Gateway ${claim.holder}, the first by name`,
          )
      }
    }
  }
  return { berths, faults }
}

const isShared = (kind: PlaceKind): boolean => kind === 'http' || kind === 'tls'

/** What a port is for that the listener is to be found at. */
export function kindOf({ protocol }: Listener): PlaceKind {
  switch (protocol) {
    case Protocol.HTTP:
      return 'http'
    case Protocol.HTTPS:
    case Protocol.TLS:
      return 'tls'
    case Protocol.TCP:
      return 'tcp'
    case Protocol.UDP:
      return 'udp'
  }
}
