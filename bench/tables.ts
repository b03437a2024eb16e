import type { GatewayTable } from '../control/table.ts'
import { AppProtocol, type Filter, Origin, PathMatch_Kind, Protocol } from '../proto/gen/route_table.ts'

export const hostname = (host: number): string => `host-${host}.example.com`

export const gateway = 'bench/web'
const headerFilters: Filter[] = [
  {
    kind: {
      $case: 'requestHeaders',
      value: {
        set: [{ name: 'x-shop', value: 'bench' }],
        add: [{ name: 'x-added', value: 'by the gateway' }],
        remove: ['x-removed'],
      },
    },
  },
  {
    kind: {
      $case: 'responseHeaders',
      value: {
        set: [{ name: 'x-served-by', value: 'bench' }],
        add: [{ name: 'x-answered', value: 'yes' }],
        remove: ['server'],
      },
    },
  },
]

/** Ten routes a host; those under /plain have no filter, those under /edit change headers both ways. */
export function benchTable(routes: number): GatewayTable {
  const hosts = Array.from({ length: routes / 10 }, (_, host) => ({
    listener: 'http',
    hostname: hostname(host),
    matches: Array.from({ length: 10 }, (_, rule) => ({
      rule,
      path: { kind: PathMatch_Kind.PREFIX, value: `/${rule % 2 === 0 ? 'plain' : 'edit'}/${rule}` },
      method: '',
      headers: [],
      query: [],
    })),
    rules: Array.from({ length: 10 }, (_, rule) => ({
      route: `HTTPRoute bench/host-${host}`,
      index: rule,
      name: '',
      filters: rule % 2 === 0 ? [] : headerFilters,
      backends: [{ backend: 'bench/api:80', weight: 1, filters: [], invalid: '' }],
      timeouts: undefined,
      retry: undefined,
      session: undefined,
      invalid: '',
    })),
  }))
  return {
    gateway,
    controller: 'landfall.dev/edge-controller',
    addresses: [],
    listeners: [{ id: 'http', port: 80, protocol: Protocol.HTTP, hostname: '', tls: undefined }],
    hosts,
    backends: [
      {
        key: 'bench/api:80',
        protocol: AppProtocol.HTTP1,
        origin: Origin.CONNECTOR,
        originAddress: '',
        endpoints: [{ address: '127.0.0.1', port: 19000 }],
        tls: undefined,
      },
    ],
    settings: { hideReason: false, trustedHops: 0, clientCertificate: '' },
  }
}
