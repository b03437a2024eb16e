import type { RequestFacts } from '../../engine/facts.ts'
import type { PathMatch, ValueMatch } from '../../proto/gen/route_table.ts'
import { equal, exact, prefix, regex } from '../../test/engine-tables.ts'

/** One route of a bench's table, in terms that every router may try to express. */
export interface BenchRoute {
  readonly hostname: string
  readonly path: PathMatch
  readonly headers: readonly ValueMatch[]
}

export interface Shape {
  readonly name: string
  readonly routesInAHost: number
  readonly route: (hostname: string, index: number) => BenchRoute
  /** The path of a request that meets the route, and of one that meets none. */
  readonly hit: (index: number) => string
  readonly miss: (index: number) => string
}

/** The header that tells routes of the shape "header" apart. */
export const HEADER = 'x-tenant'

const ONE_HOST = Number.POSITIVE_INFINITY
const MANY_HOSTS = 10

const kinds: readonly Omit<Shape, 'routesInAHost'>[] = [
  {
    name: 'exact',
    route: (hostname, index) => ({ hostname, path: exact(`/api/v1/resource-${index}/items`), headers: [] }),
    hit: (index) => `/api/v1/resource-${index}/items`,
    miss: (index) => `/api/v1/resource-${index}/item`,
  },
  {
    name: 'prefix',
    route: (hostname, index) => ({ hostname, path: prefix(`/team-${index % 97}/service-${index}`), headers: [] }),
    hit: (index) => `/team-${index % 97}/service-${index}/orders/4711`,
    miss: (index) => `/team-${index % 97}/service-${index}x/orders/4711`,
  },
  {
    name: 'regex',
    route: (hostname, index) => ({ hostname, path: regex(`/tenant-${index}/orders/[0-9]+`), headers: [] }),
    hit: (index) => `/tenant-${index}/orders/4711`,
    miss: (index) => `/tenant-${index}/orders/latest`,
  },
  {
    name: 'header',
    route: (hostname, index) => ({ hostname, path: prefix('/api'), headers: [equal(HEADER, `tenant-${index}`)] }),
    hit: () => '/api/orders/4711',
    miss: () => '/api/orders/4711',
  },
]

export const shapes: readonly Shape[] = [MANY_HOSTS, ONE_HOST].flatMap((routesInAHost) =>
  kinds.map((kind) => ({ ...kind, routesInAHost })),
)

const hostnameOf = (shape: Shape, index: number): string =>
  `shop-${shape.routesInAHost === ONE_HOST ? 0 : Math.floor(index / shape.routesInAHost)}.example.com`

export const routesOf = (shape: Shape, count: number): readonly BenchRoute[] =>
  Array.from({ length: count }, (_, index) => shape.route(hostnameOf(shape, index), index))

/** Which routes the requests of a bench are for. `working set`: a thousand from all over the table, as many as a process may
 *  serve at a time, on as many hosts whatever the table's size. `all`: every route equally often, which says more about the
 *  machine's memory than about a router. */
export type Traffic = 'working set' | 'all'

const WORKING_SET = 1_000

/** Requests that are used again and again, with strings as new as those of a request from a socket: no router profits from
 *  hashes that the last use left in them. */
export class Requests {
  readonly #shape: Shape
  readonly #routes: number
  readonly #requests: readonly BenchRequest[]
  #used = 0

  constructor(shape: Shape, routes: number, batch: number) {
    this.#shape = shape
    this.#routes = routes
    this.#requests = Array.from({ length: batch }, () => new BenchRequest())
  }

  /** The next batch; every fifth request meets no route. */
  next(traffic: Traffic): readonly BenchRequest[] {
    for (const request of this.#requests) {
      const turn = this.#used++
      const index = traffic === 'all' ? spread(turn, this.#routes) : this.#inWorkingSet(turn % WORKING_SET)
      const hits = turn % 5 !== 0
      request.authority = fresh(hostnameOf(this.#shape, index))
      request.path = fresh(hits ? this.#shape.hit(index) : this.#shape.miss(index))
      request.headers.set(HEADER, fresh(`tenant-${hits ? index : -index - 1}`))
    }
    return this.#requests
  }

  /** Whole hosts, for a process that serves one of a host's routes serves the others too. */
  #inWorkingSet(slot: number): number {
    const together = this.#shape.routesInAHost === ONE_HOST ? 1 : this.#shape.routesInAHost
    return spread(Math.floor(slot / together), this.#routes / together) * together + (slot % together)
  }
}

/** Numbers all over [0, count), the same in every run. */
const spread = (turn: number, count: number): number => Math.floor(((turn * 0.618_033_988_75) % 1) * count)

export class BenchRequest implements RequestFacts {
  readonly scheme = 'https'
  authority = ''
  readonly port = 443
  readonly method = 'GET'
  path = ''
  readonly query = ''
  readonly headers = new Map([
    ['accept', '*/*'],
    [HEADER, ''],
    ['user-agent', 'bench'],
  ])

  header(name: string): string | undefined {
    return this.headers.get(name)
  }
}

const scratch = Buffer.alloc(1024)

const fresh = (text: string): string => scratch.toString('latin1', 0, scratch.write(text, 'latin1'))
