// The HTTPRoutes of the stand-alone bench, which every contender gets as its own kind of configuration.

/** An HTTPRoute with one rule. */
export interface BenchRoute {
  readonly name: string
  readonly hostname: string
  /** PathPrefix. */
  readonly path: string
  /** Value of the header x-tenant, matched whole; undefined for any. */
  readonly tenant: string | undefined
  /** Place in `services` of the Service that takes its requests. */
  readonly service: number
}

/** Services that routes take turns in. */
export const services = 4

/** HTTPRoutes on one hostname. */
const perHost = 10

export const tenantHost = 'tenants.bench.example.com'

/** `count` routes: half with a path of their own, ten on a hostname; half on one hostname and path, which differ by the value of a
 *  header only. */
export function benchRoutes(count: number): readonly BenchRoute[] {
  const byHeader = Math.floor(count / 2)
  return Array.from({ length: count }, (_, n) => {
    const service = n % services
    return n < count - byHeader
      ? {
          name: `path-${n}`,
          hostname: `host-${Math.floor(n / perHost)}.bench.example.com`,
          path: `/r${n}`,
          tenant: undefined,
          service,
        }
      : { name: `tenant-${n}`, hostname: tenantHost, path: '/', tenant: `t${n}`, service }
  })
}

/** `most` routes from all over the table, or all of them. */
export const spread = (routes: readonly BenchRoute[], most: number): readonly BenchRoute[] =>
  routes.length <= most
    ? routes
    : Array.from({ length: most }, (_, n) => routes[Math.floor((n * routes.length) / most)]).filter(
        (route) => route !== undefined,
      )

/** The path of a request that meets the route. */
export const pathOf = ({ path }: BenchRoute, rest: string): string => `${path === '/' ? '' : path}${rest}`

/** Of every request, so that all are of one shape. */
export const tenantOf = ({ tenant }: BenchRoute): string => tenant ?? 't0'
