import type { RequestFacts } from '../../engine/facts.ts'
import type { Sample } from './region.ts'

/** A request that can be sent, or given to `landfall explain`. */
export interface Witness {
  readonly method: string
  readonly scheme: 'http' | 'https'
  /** As RequestFacts.authority. */
  readonly authority: string
  /** undefined stands for a data plane that does not see the port. */
  readonly port: number | undefined
  /** As RequestFacts.path. */
  readonly path: string
  readonly query: string
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
}

/** Where requests come to: to a listener, for a host. */
export interface Entrance extends Pick<Witness, 'scheme' | 'port'> {
  readonly hostname: string
}

const OWN_PORT = { http: 80, https: 443 } as const

export function witnessOf({ scheme, port, hostname }: Entrance, { method, path, headers, query }: Sample): Witness {
  const parameters = [...query].map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  const isOwn = port === undefined || port === OWN_PORT[scheme]
  return {
    method,
    scheme,
    authority: isOwn ? hostname : `${hostname}:${port}`,
    port,
    path,
    query: parameters.join('&'),
    headers: Object.fromEntries(headers),
  }
}

export function factsOf({ headers, authority, ...rest }: Witness): RequestFacts {
  return {
    ...rest,
    authority,
    header: (name) => (name === 'host' ? authority : Object.hasOwn(headers, name) ? headers[name] : undefined),
  }
}

/** For people to prefer one over another. */
export function effort({ method, authority, port, path, query, headers }: Witness): number {
  const extras = Object.entries(headers).reduce((sum, [name, value]) => sum + 20 + name.length + value.length, 0)
  const odd = (method === 'GET' ? 0 : 10) + (port === undefined ? 1000 : 0) + (query === '' ? 0 : 10)
  return authority.length + path.length + query.length + extras + odd
}

/** As a person would write it in a shell: `POST http://shop.example.com/cart -H 'x-env: dev'`. */
export function witnessText({ method, scheme, authority, port, path, query, headers }: Witness): string {
  const lines = Object.entries(headers).map(([name, value]) => ` -H ${quoted(`${name}: ${value}`)}`)
  const url = `${scheme}://${authority}${path}${query === '' ? '' : `?${query}`}`
  const shown = /^[\w.:/?=%~+,@-]*$/.test(url) ? url : quoted(url)
  return `${method} ${shown}${lines.join('')}${port === undefined ? ' (where the port is not seen)' : ''}`
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
