import type { RequestFacts } from '../engine/facts.ts'

/**
 * What the engine may know of a Worker's request; undefined when its URL does not say what its target and Host say
 * (`OPTIONS *`, a Host with a user in it).
 *
 * The path is the URL's normalised one, because that is what fetch() sends: a path must not be matched as one thing and
 * sent as another (`/a/../b`, `%2e%2e`, `\`).
 */
export function readFacts(request: Request, port: number | undefined): RequestFacts | undefined {
  const url = URL.parse(request.url)
  if (url === null) return undefined
  const authority = request.headers.get('host') ?? url.host
  if (url.host !== withoutDefaultPort(authority.toLowerCase(), url.protocol)) return undefined
  return new WorkerFacts(request, url, authority, port)
}

const withoutDefaultPort = (authority: string, protocol: string): string => {
  const port = protocol === 'https:' ? ':443' : ':80'
  return authority.endsWith(port) ? authority.slice(0, -port.length) : authority
}

class WorkerFacts implements RequestFacts {
  readonly scheme: 'http' | 'https'
  readonly authority: string
  readonly port: number | undefined
  readonly method: string
  readonly path: string
  readonly query: string
  readonly #headers: Headers

  constructor(request: Request, url: URL, authority: string, port: number | undefined) {
    this.scheme = url.protocol === 'https:' ? 'https' : 'http'
    this.authority = authority
    this.port = port
    this.method = request.method
    this.path = url.pathname
    this.query = url.search.slice(1)
    this.#headers = request.headers
  }

  header(name: string): string | undefined {
    return this.#headers.get(name) ?? undefined
  }
}
