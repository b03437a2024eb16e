import type { RequestFacts } from '../engine/facts.ts'

/**
 * What the engine may know of a Worker's request; undefined when the request has no usable URL (`OPTIONS *`).
 *
 * The path is the URL's normalised one, because that is what fetch() sends: a path must not be matched as one thing and
 * sent as another (`/a/../b`, `%2e%2e`, `\`).
 */
export function readFacts(request: Request, port: number | undefined): RequestFacts | undefined {
  if (!URL.canParse(request.url)) return undefined
  const url = new URL(request.url)
  return new WorkerFacts(request, url, port)
}

class WorkerFacts implements RequestFacts {
  readonly scheme: 'http' | 'https'
  readonly authority: string
  readonly port: number | undefined
  readonly method: string
  readonly path: string
  readonly query: string
  readonly #headers: Headers

  constructor(request: Request, url: URL, port: number | undefined) {
    this.scheme = url.protocol === 'https:' ? 'https' : 'http'
    this.authority = request.headers.get('host') ?? url.host
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
