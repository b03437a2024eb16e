import { type Listener, Protocol, type Root } from '../proto/gen/route_table.ts'
import { kindOf } from '../standalone/arrangement.ts'
import type { PlaceKind } from '../standalone/place.ts'

/** Where Gateways listen that ask for no address. */
const ownAddress = '127.0.0.1'

/** An address and port to listen on, for the listeners of some Gateways. */
export interface Place {
  /** An IP address. */
  readonly address: string
  readonly port: number
  readonly kind: Exclude<PlaceKind, 'udp'>
  /** As "namespace/name". */
  readonly gateways: readonly string[]
  /** undefined: for the HTTP listeners of all ports. */
  readonly listenerPort: number | undefined
  /** Whether requests are to be had there, and connections that go on as they are. */
  readonly requests: boolean
  readonly connections: boolean
}

/** Where a workerd listens for a place. */
export interface PlaceSockets {
  /** Paths of unix sockets: for requests, for connections that go on as they are, and for what was within TLS that ended here. */
  readonly requests: string
  readonly connections: string
  readonly endedTls: string
}

export interface Places {
  readonly places: readonly Place[]
  /** What cannot be served, as sentences. */
  readonly faults: readonly string[]
}

/** A Router, as far as it matters here. */
interface Table {
  readonly gateway: string
  readonly root: Pick<Root, 'addresses' | 'listeners'>
}

/** The places that tables ask for; or one, for all that is asked for by HTTP, on `port` of 127.0.0.1. */
export function placesOf(routers: Iterable<Table>, port: number | undefined): Places {
  return port === undefined ? ownPlaces(routers) : { places: [commonPlace(routers, port)], faults: [] }
}

const commonPlace = (routers: Iterable<Table>, port: number): Place => ({
  address: ownAddress,
  port,
  kind: 'http',
  gateways: Array.from(routers, ({ gateway }) => gateway),
  listenerPort: undefined,
  requests: true,
  connections: false,
})

function ownPlaces(routers: Iterable<Table>): Places {
  const places = new Map<string, Place>()
  const faults: string[] = []
  for (const { gateway, root } of routers) {
    for (const listener of root.listeners) {
      const kind = kindOf(listener)
      if (kind === 'udp') {
        faults.push(`Gateway ${gateway}: listener ${listener.id}: datagrams are served by landfall serve only`)
        continue
      }
      for (const address of root.addresses.length === 0 ? [ownAddress] : root.addresses) {
        const key = placeKey({ address, port: listener.port })
        const before = places.get(key)
        if (before !== undefined && before.kind !== kind)
          faults.push(`Gateway ${gateway}: ${address} port ${listener.port} is another Gateway's, for ${before.kind}`)
        else places.set(key, joined(before, address, kind, listener, gateway))
      }
    }
  }
  return { places: [...places.values()], faults }
}

function joined(
  before: Place | undefined,
  address: string,
  kind: Place['kind'],
  { port, protocol }: Listener,
  gateway: string,
): Place {
  const isHttp = protocol === Protocol.HTTP || protocol === Protocol.HTTPS
  return {
    address,
    port,
    kind,
    gateways: [...new Set([...(before?.gateways ?? []), gateway])],
    listenerPort: port,
    requests: isHttp || before?.requests === true,
    connections: !isHttp || before?.connections === true,
  }
}

export const placeKey = ({ address, port }: Pick<Place, 'address' | 'port'>): string => `${address} ${port}`
