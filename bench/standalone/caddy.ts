import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Contender } from './contender.ts'
import { grpc, origin, ports, type Site } from './site.ts'

export const caddy: Contender = {
  name: 'caddy',
  cannot: (scenario) => (scenario === 'passthrough' ? 'caddy passes no TLS through' : undefined),
  prepare: async (site) => {
    const file = join(site.directory, 'caddy.json')
    await writeFile(file, JSON.stringify(configuration(site)))
    return ['env', `HOME=${site.directory}`, 'caddy', 'run', '--config', file]
  },
}

/** The routes are two maps, which lead to the address of an endpoint: host and first segment of the path, and host with the header.
 *  caddy goes through a map from its beginning; thousands of routes with matchers would take it milliseconds. */
function configuration({ address, routes, certificate }: Site): object {
  const mappings = (byHeader: boolean): readonly object[] =>
    routes
      .filter(({ tenant }) => (tenant !== undefined) === byHeader)
      .map(({ hostname, path, tenant, service }) => ({
        input: `${hostname}${tenant === undefined ? path : ` ${tenant}`}`,
        outputs: [origin.http[service]],
      }))
  const server = {
    automatic_https: { disable: true },
    routes: [
      {
        match: [{ host: [grpc.hostname], path: [`/${grpc.service}/${grpc.method}`] }],
        terminal: true,
        handle: [{ ...proxy(origin.grpc), transport: { protocol: 'http', versions: ['h2c', '2'] } }],
      },
      {
        handle: [
          {
            handler: 'map',
            source: '{http.request.host}/{http.request.uri.path.0}',
            destinations: ['{by_path}'],
            mappings: mappings(false),
            defaults: [''],
          },
          {
            handler: 'map',
            source: '{http.request.host} {http.request.header.X-Tenant}',
            destinations: ['{by_tenant}'],
            mappings: mappings(true),
            defaults: ['{by_path}'],
          },
          // A map is gone through whenever its value is asked for.
          { handler: 'vars', endpoint: '{by_tenant}' },
        ],
      },
      {
        match: [{ vars: { endpoint: [''] } }],
        terminal: true,
        handle: [{ handler: 'static_response', status_code: 404 }],
      },
      { handle: [proxy('{http.vars.endpoint}')] },
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

const proxy = (endpoint: string): object => ({
  handler: 'reverse_proxy',
  upstreams: [{ dial: endpoint }],
  transport: { protocol: 'http', keep_alive: { max_idle_conns_per_host: 256 } },
})
