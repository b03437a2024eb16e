import { Protocol, type Root } from '../proto/gen/route_table.ts'
import { arrange, type Berth, kindOf } from '../standalone/arrangement.ts'
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
  const faults: string[] = []
  const tables = Array.from(routers, ({ gateway, root: { addresses, listeners } }): Table => {
    const served = listeners.filter((listener) => kindOf(listener) !== 'udp')
    for (const listener of listeners)
      if (!served.includes(listener))
        faults.push(`Gateway ${gateway}: listener ${listener.id}: datagrams are served by landfall serve only`)
    return { gateway, root: { addresses, listeners: served } }
  })
  const arrangement = arrange(tables, [ownAddress])
  const places = [...arrangement.berths.values()].flatMap((berth) => placeAt(berth, tables) ?? [])
  return { places, faults: [...arrangement.faults, ...faults] }
}

function placeAt({ kind, address, port, gateways }: Berth, tables: readonly Table[]): Place | undefined {
  if (kind === 'udp') return undefined
  const areHttp = tables
    .filter(({ gateway }) => gateways.has(gateway))
    .flatMap(({ root }) => root.listeners)
    .filter((listener) => listener.port === port && kindOf(listener) === kind)
    .map(({ protocol }) => protocol === Protocol.HTTP || protocol === Protocol.HTTPS)
  return {
    address,
    port,
    kind,
    gateways: [...gateways],
    listenerPort: port,
    requests: areHttp.includes(true),
    connections: areHttp.includes(false),
  }
}

export const placeKey = ({ address, port }: Pick<Place, 'address' | 'port'>): string => `${address} ${port}`
