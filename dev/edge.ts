import { randomBytes } from 'node:crypto'
import { BlockList } from 'node:net'
import { EndpointBalancer } from '../engine/endpoints.ts'
import type { Router } from '../engine/router.ts'
import { Certificates } from '../standalone/certificates.ts'
import type { KeyPair } from '../standalone/feed.ts'
import { Listen } from '../standalone/listen/listen.ts'
import type { Log } from '../standalone/log.ts'
import { TlsTermination } from '../standalone/tls-termination.ts'
import { connectToSocket } from './edge-connect.ts'
import { EdgePlace } from './edge-place.ts'
import { type Place, type PlaceSockets, placeKey } from './places.ts'

export interface EdgeOptions {
  readonly log: Log
}

/** How long connections have whose place is gone, in milliseconds. */
const partingTime = 30_000

/** What Cloudflare's edge does around a Worker, on this machine: it listens, ends TLS and HTTP/2, and hands requests to workerd. */
export class Edge {
  readonly #options: EdgeOptions
  readonly #certificates: Certificates
  readonly #listen: Listen
  readonly #places = new Map<string, { readonly kind: Place['kind']; readonly place: EdgePlace }>()

  constructor(options: EdgeOptions) {
    const { log } = options
    this.#options = options
    this.#certificates = new Certificates(log)
    this.#listen = new Listen({
      reusePort: false,
      log,
      observe: () => {},
      balancers: new BlockList(),
      termination: new TlsTermination({
        certificates: this.#certificates,
        ticketSecret: randomBytes(32),
        now: Date.now,
      }),
      tunnels: {
        balancer: new EndpointBalancer(),
        // EdgeStreams: a socket of workerd, and the server name of TLS that ended here.
        connect: (origin, ...rest) =>
          connectToSocket(origin.endpoint.address, origin.tls && `${origin.tls.hostname}\n`)(origin, ...rest),
        now: Date.now,
        random: Math.random,
      },
    })
  }

  /** Serves these places from now on, each by its sockets of workerd. Resolves when they are listened on, with what cannot be, as
   *  sentences that begin with address and port. */
  async apply(
    places: readonly Place[],
    routers: ReadonlyMap<string, Router>,
    keyPairs: ReadonlyMap<string, KeyPair>,
    socketsOf: (place: Place) => PlaceSockets,
  ): Promise<readonly string[]> {
    this.#certificates.set(keyPairs)
    const wanted = new Map(places.map((place) => [placeKey(place), place]))
    for (const [key, { kind, place }] of this.#places) {
      if (wanted.get(key)?.kind === kind) continue
      this.#places.delete(key)
      void place.close(partingTime)
    }
    for (const [key, place] of wanted) {
      const { kind, gateways } = place
      const at = this.#places.get(key) ?? { kind, place: new EdgePlace(place, { now: Date.now, ...this.#options }) }
      this.#places.set(key, at)
      at.place.serve(
        gateways.flatMap((gateway) => routers.get(gateway) ?? []),
        socketsOf(place),
      )
    }
    return this.#listen.set([...this.#places.values()].flatMap(({ place }) => place.binds))
  }

  async close(grace: number): Promise<void> {
    await this.#listen.close(grace)
    await Promise.all([...this.#places.values()].map(({ place }) => place.close(grace)))
  }
}
