/** A hostname as listeners and routes give it, in lower case: "" for every host, "*.example.com" for all names below example.com. */
export type Hostname = string

const suffixOf = (wildcard: Hostname): string => wildcard.slice(1)
const isWildcard = (hostname: Hostname): boolean => hostname.startsWith('*.')

/** The more specific of two hostnames that share names; undefined when no name fits both. HTTPRouteSpec.hostnames. */
export function intersection(a: Hostname, b: Hostname): Hostname | undefined {
  if (a === b || b === '') return a
  if (a === '') return b
  // "*.example.com" fits names of any depth below example.com, and not example.com itself.
  if (isWildcard(a) && b.endsWith(suffixOf(a))) return b
  if (isWildcard(b) && a.endsWith(suffixOf(b))) return a
  return undefined
}

const everyHost: readonly Hostname[] = ['']

/** What a listener serves of a route's hostnames, each once; empty when it serves none. The same list comes back where all
 *  of it is served. */
export function served(listener: Hostname, route: readonly Hostname[] | undefined): readonly Hostname[] {
  if (route === undefined || route.length === 0) return listener === '' ? everyHost : [listener]
  const common = new Set<Hostname>()
  for (const hostname of route) {
    const found = intersection(listener, hostname)
    if (found !== undefined) common.add(found)
  }
  return common.size === route.length && route.every((hostname) => common.has(hostname)) ? route : [...common]
}

/** Wildcards that contain `hostname`, from the most to the least specific, and "" at last. */
export function* containing(hostname: Hostname): Generator<Hostname> {
  if (hostname === '') return
  let dot = hostname.indexOf('.', isWildcard(hostname) ? 2 : 0)
  while (dot !== -1) {
    yield `*${hostname.slice(dot)}`
    dot = hostname.indexOf('.', dot + 1)
  }
  yield ''
}
