import type { RequestFacts } from '../engine/facts.ts'

/**
 * What the engine may know of a Worker's request; undefined when its URL does not say what its target and Host say
 * (`OPTIONS *`, a Host with a user in it).
 *
 * The path is the URL's normalised one, because that is what fetch() sends: a path must not be matched as one thing and
 * sent as another (`/a/../b`, `%2e%2e`, `\`). `url` is the request's: to ask for it costs.
 */
export function readFacts(request: Request, url: string, port: number | undefined): WorkerFacts | undefined {
  const parts = plainParts(url) ?? parsedParts(url)
  if (parts === undefined) return undefined
  const { method, headers } = request
  const authority = headers.get('host') ?? parts.host
  if (authority !== parts.host && withoutDefaultPort(authority.toLowerCase(), parts.scheme) !== parts.host)
    return undefined
  return new WorkerFacts(method, headers, parts, authority, port)
}

const withoutDefaultPort = (authority: string, scheme: UrlParts['scheme']): string => {
  const port = scheme === 'https' ? ':443' : ':80'
  return authority.endsWith(port) ? authority.slice(0, -port.length) : authority
}

/** A URL as the WHATWG URL Standard normalises it. */
interface UrlParts {
  readonly scheme: 'http' | 'https'
  readonly host: string
  readonly path: string
  /** Without the question mark. */
  readonly query: string
}

/**
 * A URL in which that standard has nothing to change: a host of lower-case labels, the last no number, without a port;
 * no segment that begins with a dot; no escapes, and no characters that would be escaped.
 */
const plain =
  /^https?:\/\/(?:(?!xn--)[a-z0-9-]+\.)*(?!xn--)[a-z][a-z0-9-]*(?:\/(?!\.)[\w~!$&'()*+,;=:@.-]*)+(?:\?[\w~!$&()*+,;=:@./?-]*)?$/

/** undefined for a URL that may need normalising. To parse each in the runtime would cost more than to match it. */
export function plainParts(url: string): UrlParts | undefined {
  if (!plain.test(url)) return undefined
  const scheme = url.charAt(4) === 's' ? 'https' : 'http'
  const host = scheme.length + '://'.length
  const path = url.indexOf('/', host)
  const mark = url.indexOf('?', path)
  const end = mark === -1 ? url.length : mark
  return { scheme, host: url.slice(host, path), path: url.slice(path, end), query: url.slice(end + 1) }
}

export function parsedParts(text: string): UrlParts | undefined {
  const url = URL.parse(text)
  if (url === null) return undefined
  const { protocol, host, pathname, search } = url
  return { scheme: protocol === 'https:' ? 'https' : 'http', host, path: pathname, query: search.slice(1) }
}

/** The properties of a Request that are wanted more than once: each look is a call into the runtime. */
export class WorkerFacts implements RequestFacts {
  readonly method: string
  readonly headers: Headers
  readonly scheme: 'http' | 'https'
  readonly authority: string
  readonly port: number | undefined
  readonly path: string
  readonly query: string

  constructor(method: string, headers: Headers, parts: UrlParts, authority: string, port: number | undefined) {
    this.method = method
    this.headers = headers
    this.scheme = parts.scheme
    this.authority = authority
    this.port = port
    this.path = parts.path
    this.query = parts.query
  }

  header(name: string): string | undefined {
    return this.headers.get(name) ?? undefined
  }
}
