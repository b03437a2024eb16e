import findMyWay from 'find-my-way'
import type { Router as HonoRouter } from 'hono/router'
import { RegExpRouter } from 'hono/router/reg-exp-router'
import { SmartRouter } from 'hono/router/smart-router'
import { TrieRouter } from 'hono/router/trie-router'
import { addRoute, createRouter, findRoute } from 'rou3'
import type { Router } from '../../engine/router.ts'
import { type Host, PathMatch_Kind, Protocol } from '../../proto/gen/route_table.ts'
import { backend, host, listener, match, ref, routerOf, rule } from '../../test/engine-tables.ts'
import { type BenchRequest, type BenchRoute, HEADER } from './shapes.ts'

/** Whether a request meets a route. */
export type Lookup = (request: BenchRequest) => boolean

export interface Peer {
  readonly name: string
  /** Why the router cannot express the routes. */
  readonly cannot: (route: BenchRoute) => string | undefined
  readonly build: (routes: readonly BenchRoute[]) => Lookup
}

export const landfall: Peer = {
  name: 'landfall',
  cannot: () => undefined,
  build(routes) {
    const router = landfallRouter(routes)
    return (request) => router.decide(request, Math.random, 0).type === 'forward'
  },
}

export function landfallRouter(routes: readonly BenchRoute[]): Router {
  const hosts: Host[] = [...byHost(routes)].map(([hostname, its]) =>
    host({
      listener: 'https',
      hostname,
      matches: its.map(({ path, headers }, index) => match({ rule: index, path, headers })),
      rules: its.map((_, index) => rule({ index, backends: [ref({ backend: `shop/web-${index % 1000}:80` })] })),
    }),
  )
  return routerOf({
    listeners: [listener({ id: 'https', port: 443, protocol: Protocol.HTTPS })],
    hosts,
    backends: Array.from({ length: 1000 }, (_, index) => backend({ key: `shop/web-${index}:80` })),
    hostBits: 6,
    backendBits: 3,
  })
}

// The peers route by method and path; a Map gives each host a router of its own.

const noHeaders = ({ headers }: BenchRoute) => (headers.length > 0 ? 'has no header matches' : undefined)

const perHost =
  (build: (routes: readonly BenchRoute[]) => Lookup) =>
  (routes: readonly BenchRoute[]): Lookup => {
    const routers = new Map([...byHost(routes)].map(([hostname, its]) => [hostname, build(its)]))
    return (request) => routers.get(request.authority)?.(request) ?? false
  }

export const peers: readonly Peer[] = [
  {
    name: 'find-my-way',
    cannot: () => undefined,
    build: perHost((routes) => {
      const router = findMyWay({
        maxParamLength: 1000,
        constraints: {
          tenant: {
            name: 'tenant',
            deriveConstraint: () => '',
            storage: () => {
              const byValue = new Map<string, findMyWay.Handler<findMyWay.HTTPVersion>>()
              return {
                get: (value: unknown) => (typeof value === 'string' ? (byValue.get(value) ?? null) : null),
                set: (value: unknown, handler) => {
                  if (typeof value === 'string') byValue.set(value, handler)
                },
              }
            },
          },
        },
      })
      for (const route of routes) {
        const [header] = route.headers
        const options = header === undefined ? {} : { constraints: { tenant: header.value } }
        for (const path of pathsOf(route, '/*', (expression) => `:value(^${expression}$)`)) {
          router.on('GET', path, options, () => {})
        }
      }
      return ({ method, path, headers }) =>
        isMethod(method) && router.find(method, path, { tenant: headers.get(HEADER) }) !== null
    }),
  },
  {
    name: 'rou3',
    cannot: noHeaders,
    build: perHost((routes) => {
      const router = createRouter<BenchRoute>()
      for (const route of routes) {
        for (const path of pathsOf(route, '/**', (expression) => `:value(${expression})`))
          addRoute(router, 'GET', path, route)
      }
      return ({ method, path }) => findRoute(router, method, path) !== undefined
    }),
  },
  honoPeer('hono RegExpRouter', () => new RegExpRouter()),
  honoPeer('hono TrieRouter', () => new TrieRouter()),
  honoPeer('hono SmartRouter', () => new SmartRouter({ routers: [new RegExpRouter(), new TrieRouter()] })),
]

function honoPeer(name: string, create: () => HonoRouter<BenchRoute>): Peer {
  return {
    name,
    cannot: noHeaders,
    build: perHost((routes) => {
      const router = create()
      for (const route of routes) {
        for (const path of pathsOf(route, '/*', (expression) => `:value{${expression}}`)) router.add('GET', path, route)
      }
      return ({ method, path }) => router.match(method, path)[0].length > 0
    }),
  }
}

/** A route's path in the syntax of a peer. */
function pathsOf(
  { path }: BenchRoute,
  everythingBelow: string,
  parameter: (expression: string) => string,
): readonly string[] {
  switch (path.kind) {
    case PathMatch_Kind.EXACT:
      return [path.value]
    case PathMatch_Kind.PREFIX:
      return [`${path.value}${everythingBelow}`]
    case PathMatch_Kind.REGEX: {
      const lastSegment = path.value.lastIndexOf('/') + 1
      return [path.value.slice(0, lastSegment) + parameter(path.value.slice(lastSegment))]
    }
  }
}

const isMethod = (method: string): method is findMyWay.HTTPMethod => method === 'GET'

function byHost(routes: readonly BenchRoute[]): ReadonlyMap<string, readonly BenchRoute[]> {
  return Map.groupBy(routes, ({ hostname }) => hostname)
}
