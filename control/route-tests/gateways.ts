import type { RequestFacts } from '../../engine/facts.ts'
import { chooseRouter, type Router } from '../../engine/router.ts'
import { chooseTls, Streams } from '../../engine/streams.ts'
import { type Listener, Protocol } from '../../proto/gen/route_table.ts'
import { routerOf } from '../router.ts'
import type { GatewayTable } from '../table.ts'
import { isGateway } from './name-pattern.ts'
import type { StreamSubject } from './subject.ts'

/** Where a request arrives. */
export interface Arrival {
  readonly router: Router
  readonly listener: Listener
  /** With the port. */
  readonly facts: RequestFacts
}

/** Where a connection arrives. */
export interface StreamPlace {
  readonly streams: Streams
  readonly listener: Listener
}

/** All Gateways that are served, as if by one data plane at the same addresses. */
export class Gateways {
  readonly names: readonly string[]
  readonly #routers: readonly Router[]
  readonly #streams: readonly Streams[]

  constructor(routers: readonly Router[]) {
    this.#routers = routers.toSorted((a, b) => (a.gateway < b.gateway ? -1 : 1))
    this.#streams = this.#routers.map(({ table }) => new Streams(table))
    this.names = this.#routers.map(({ gateway }) => gateway)
  }

  static of(tables: readonly GatewayTable[]): Gateways {
    return new Gateways(tables.flatMap((table) => routerOf(table) ?? []))
  }

  /** `pattern` as in isGateway; undefined takes all. */
  has(pattern: string | undefined): boolean {
    return pattern === undefined || this.names.some((name) => isGateway(pattern, name))
  }

  /** As has. */
  routers(pattern: string | undefined): readonly Router[] {
    return those(this.#routers, pattern)
  }

  streams(pattern: string | undefined): readonly Streams[] {
    return those(this.#streams, pattern)
  }

  /** Who takes a request; undefined where nobody listens. One that names no port comes to the port of its scheme if there is
   *  a listener for it, and to any other if not. */
  arrival(pattern: string | undefined, facts: RequestFacts): Arrival | undefined {
    const routers = this.routers(pattern)
    const usual = { ...facts, port: facts.scheme === 'https' ? 443 : 80 }
    for (const tried of facts.port === undefined ? [usual, facts] : [facts]) {
      const router = chooseRouter(routers, tried)
      const listener = router?.listener(tried.scheme, tried.port, tried.authority)
      if (router !== undefined && listener !== undefined) return { router, listener, facts: tried }
    }
    return undefined
  }

  place(pattern: string | undefined, { type, port, serverName }: StreamSubject): StreamPlace | undefined {
    const all = this.streams(pattern)
    if (type === 'tls') return chooseTls(all, port, serverName)
    const protocol = type === 'tcp' ? Protocol.TCP : Protocol.UDP
    for (const streams of all) {
      const listener = streams.plainListener(protocol, port)
      if (listener !== undefined) return { streams, listener }
    }
    return undefined
  }
}

const those = <T extends { readonly gateway: string }>(all: readonly T[], pattern: string | undefined): readonly T[] =>
  pattern === undefined ? all : all.filter(({ gateway }) => isGateway(pattern, gateway))
