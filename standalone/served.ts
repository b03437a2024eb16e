import type { Router } from '../engine/router.ts'
import type { Streams } from '../engine/streams.ts'
import type { Upstreams } from './forwarding.ts'

/** A Gateway with the table that serves now. */
export interface ServedGateway {
  readonly router: Router
  readonly streams: Streams
  readonly upstreams: Upstreams
}

/** The Gateways that listen at one address and port, now. */
export interface Served {
  readonly routers: readonly Router[]
  readonly streams: readonly Streams[]
  /** By Gateway. */
  readonly upstreams: ReadonlyMap<string, Upstreams>
}

export const served = (gateways: readonly ServedGateway[]): Served => ({
  routers: gateways.map(({ router }) => router),
  streams: gateways.map(({ streams }) => streams),
  upstreams: new Map(gateways.map(({ router, upstreams }) => [router.gateway, upstreams])),
})
