import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Contender } from './standalone-contender.ts'
import type { BenchRoute } from './standalone-routes.ts'
import { grpc, origin, ports, type Site } from './standalone-site.ts'

export const caddy: Contender = {
  name: 'caddy',
  cannot: (scenario) => (scenario === 'passthrough' ? 'caddy passes no TLS through' : undefined),
  prepare: async (site) => {
    const file = join(site.directory, 'caddy.json')
    await writeFile(file, JSON.stringify(configuration(site)))
    return ['env', `HOME=${site.directory}`, 'caddy', 'run', '--config', file]
  },
}

/**
 * The routes say which Service it is, and one proxy a Service follows: each proxy of caddy has connections of its own. caddy tries
 * the routes of a list one by one, so those by path stand in a list for each hostname; those by header stand in the list of the
 * server, because inner lists are put together for every request.
 */
function configuration({ address, routes, certificate }: Site): object {
  const byHost = Map.groupBy(
    routes.filter(({ tenant }) => tenant === undefined),
    ({ hostname }) => hostname,
  )
  const server = {
    automatic_https: { disable: true },
    routes: [
      ...[...byHost].map(([hostname, own]) => ({
        group: 'routes',
        match: [{ host: [hostname] }],
        handle: [{ handler: 'subroute', routes: own.map(pathRoute) }],
      })),
      ...routes.filter(({ tenant }) => tenant !== undefined).map(tenantRoute),
      ...origin.http.map((endpoint, n) => ({
        match: [{ vars: { service: [`api-${n}`] } }],
        terminal: true,
        handle: [proxy(endpoint)],
      })),
      {
        match: [{ host: [grpc.hostname], path: [`/${grpc.service}/${grpc.method}`] }],
        terminal: true,
        handle: [{ ...proxy(origin.grpc), transport: { protocol: 'http', versions: ['h2c', '2'] } }],
      },
      { handle: [{ handler: 'static_response', status_code: 404 }] },
    ],
  }
  return {
    admin: { disabled: true, config: { persist: false } },
    logging: { logs: { default: { level: 'ERROR' } } },
    apps: {
      http: {
        servers: {
          http: { ...server, listen: [`${address}:${ports.http}`] },
          https: {
            ...server,
            listen: [`${address}:${ports.https}`],
            tls_connection_policies: [{ default_sni: 'bench.example.com' }],
          },
        },
      },
      tls: { certificates: { load_files: [{ certificate: certificate.certificate, key: certificate.key }] } },
    },
  }
}

const pathRoute = ({ path, service }: BenchRoute): object => ({
  group: 'paths',
  match: [{ path: [path, `${path}/*`] }],
  handle: [chosen(service)],
})

const tenantRoute = ({ hostname, tenant, service }: BenchRoute): object => ({
  group: 'routes',
  match: [{ host: [hostname], header: { 'X-Tenant': [tenant] } }],
  handle: [chosen(service)],
})

const chosen = (service: number): object => ({ handler: 'vars', service: `api-${service}` })

const proxy = (endpoint: string): object => ({
  handler: 'reverse_proxy',
  upstreams: [{ dial: endpoint }],
  transport: { protocol: 'http', keep_alive: { max_idle_conns_per_host: 256 } },
})
