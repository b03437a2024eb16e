import type { Redirect } from '../proto/gen/route_table.ts'
import type { RequestFacts } from './facts.ts'
import { modifiedPath } from './rewrite.ts'

const WELL_KNOWN_PORT: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
])

/** Value of Location. HTTPRequestRedirectFilter. `prefix` as for modifiedPath. */
export function redirectLocation(
  redirect: Redirect,
  { scheme, authority, path, query }: RequestFacts,
  listenerPort: number,
  prefix: string | undefined,
): string {
  const target = modifiedPath(redirect.path, path, prefix) + (query === '' ? '' : `?${query}`)
  const hostname = redirect.hostname === '' ? withoutPort(authority) : redirect.hostname
  // A client of HTTP/1.0 may have named no host. A reference without one must not begin like one that has.
  if (hostname === '') return target.replace(/^\/+/, '/')
  const newScheme = redirect.scheme === '' ? scheme : redirect.scheme
  const port = redirectPort(redirect, listenerPort)
  return `${newScheme}://${hostname}${WELL_KNOWN_PORT.get(newScheme) === port ? '' : `:${port}`}${target}`
}

/** HTTPRequestRedirectFilter.port: "the redirect port MUST be derived using the following rules". */
function redirectPort({ port, scheme }: Redirect, listenerPort: number): number {
  return port === 0 ? (WELL_KNOWN_PORT.get(scheme) ?? listenerPort) : port
}

const withoutPort = (authority: string): string => authority.replace(/:\d*$/, '')
