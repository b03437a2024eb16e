import type { Backend, Host, Match, Rule } from '../../proto/gen/route_table.ts'
import type { GatewayTable } from '../table.ts'

// Small and large tables for the tests of publishing.

export function rule(route: string, backend: string): Rule {
  return {
    route: `HTTPRoute ${route}`,
    index: 0,
    name: '',
    filters: [],
    backends: [{ backend, weight: 1, filters: [], invalid: '' }],
    timeouts: undefined,
    retry: undefined,
    session: undefined,
    invalid: '',
  }
}

export const match = (path: string, of = 0): Match => ({
  rule: of,
  path: { kind: 0, value: path },
  method: '',
  headers: [],
  query: [],
})

/** A host with one route: "HTTPRoute shop/<name of the host>". */
export function host(hostname: string, path = '/', backend = 'shop/cart:80'): Host {
  return { listener: 'http', hostname, matches: [match(path)], rules: [rule(`shop/${hostname}`, backend)] }
}

export function backend(key: string, ...addresses: string[]): Backend {
  const endpoints = addresses.map((address) => ({ address, port: 8080 }))
  return { key, protocol: 0, origin: 0, originAddress: '', endpoints, tls: undefined }
}

export function table(changes: Partial<GatewayTable> = {}): GatewayTable {
  return {
    gateway: 'infra/edge',
    controller: 'landfall.dev/edge-controller',
    addresses: [],
    listeners: [{ id: 'http', port: 80, protocol: 0, hostname: '', tls: undefined }],
    hosts: [host('a.example.com'), host('b.example.com')],
    backends: [backend('shop/cart:80', '10.0.0.1')],
    settings: { hideReason: false, trustedHops: 0, clientCertificate: '' },
    ...changes,
  }
}

/** A table of so many routes, each with a hostname and a backend of its own. */
export function largeTable(routes: number): GatewayTable {
  const numbers = Array.from({ length: routes }, (_, i) => i)
  return table({
    hosts: numbers.map((i) => host(`host-${i}.example.com`, '/', `shop/service-${i}:80`)),
    backends: numbers.map((i) => backend(`shop/service-${i}:80`, `10.0.${i >> 8}.${i & 255}`)),
  })
}

/** The table with the host at `index` answering for another path. */
export function withChangedRoute(of: GatewayTable, index: number, path = '/changed'): GatewayTable {
  return { ...of, hosts: of.hosts.map((each, i) => (i === index ? { ...each, matches: [match(path)] } : each)) }
}
