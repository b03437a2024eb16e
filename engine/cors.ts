import type { Cors, Header, HeaderModifier } from '../proto/gen/route_table.ts'
import type { RequestFacts } from './facts.ts'
import { covers } from './hosts.ts'

/** Response headers of the CORS protocol. A backend's own must not stand beside those of the filter. */
const RESPONSE_HEADERS = [
  'Access-Control-Allow-Origin',
  'Access-Control-Allow-Credentials',
  'Access-Control-Allow-Methods',
  'Access-Control-Allow-Headers',
  'Access-Control-Expose-Headers',
  'Access-Control-Max-Age',
]

/** https://fetch.spec.whatwg.org/#cors-preflight-request */
export const isPreflight = (facts: RequestFacts): boolean =>
  facts.method === 'OPTIONS' &&
  facts.header('origin') !== undefined &&
  facts.header('access-control-request-method') !== undefined

/** HTTPCORSFilter, ready to answer requests with. */
export class CorsPolicy {
  readonly #cors: Cors
  readonly #anyOrigin: boolean
  readonly #origins: readonly OriginPattern[]

  constructor(cors: Cors) {
    this.#cors = cors
    this.#anyOrigin = cors.allowOrigins.includes('*')
    this.#origins = cors.allowOrigins.flatMap((pattern) => originOf(pattern) ?? [])
  }

  /** What the filter does to the headers of the response to this request. */
  responseHeaders(facts: RequestFacts): HeaderModifier {
    const origin = facts.header('origin')
    const set = origin !== undefined && this.#allows(origin) ? this.#granted(origin, facts) : []
    // Responses differ by origin even for requests that name none.
    const add = this.#sameForAll ? [] : [{ name: 'Vary', value: 'Origin' }]
    return { remove: RESPONSE_HEADERS, set, add }
  }

  get #sameForAll(): boolean {
    return this.#anyOrigin && !this.#cors.allowCredentials
  }

  #granted(origin: string, facts: RequestFacts): Header[] {
    const { allowCredentials, exposeHeaders } = this.#cors
    const headers = [{ name: 'Access-Control-Allow-Origin', value: this.#sameForAll ? '*' : origin }]
    if (allowCredentials) headers.push({ name: 'Access-Control-Allow-Credentials', value: 'true' })
    // With credentials the wildcard would only be a header of that name.
    const exposed = allowCredentials ? exposeHeaders.filter((name) => name !== '*') : exposeHeaders
    if (exposed.length > 0) headers.push({ name: 'Access-Control-Expose-Headers', value: exposed.join(', ') })
    if (isPreflight(facts)) headers.push(...this.#preflight(facts))
    return headers
  }

  #preflight(facts: RequestFacts): Header[] {
    const { allowMethods, allowHeaders, allowCredentials, maxAge } = this.#cors
    const headers = [{ name: 'Access-Control-Max-Age', value: String(maxAge) }]
    const methods = allowed(allowMethods, allowCredentials, facts.header('access-control-request-method'))
    if (methods !== undefined) headers.push({ name: 'Access-Control-Allow-Methods', value: methods })
    const names = allowed(allowHeaders, allowCredentials, facts.header('access-control-request-headers'))
    if (names !== undefined) headers.push({ name: 'Access-Control-Allow-Headers', value: names })
    return headers
  }

  #allows(origin: string): boolean {
    if (this.#anyOrigin) return true
    const asked = originOf(origin)
    return asked !== undefined && this.#origins.some((pattern) => originMatches(pattern, asked))
  }
}

/** Of all values, what was asked for: a wildcard in the answer would leave out Authorization, and with credentials it is no
 *  wildcard at all. HTTPCORSFilter.allowMethods, allowHeaders. */
function allowed(values: readonly string[], credentials: boolean, requested: string | undefined): string | undefined {
  if (values.includes('*')) return requested ?? (credentials ? undefined : '*')
  return values.length === 0 ? undefined : values.join(', ')
}

interface OriginPattern {
  readonly scheme: string
  /** "*" for every host, "*.example.com" for any number of labels. */
  readonly host: string
  readonly port: string
}

/** HTTPCORSFilter.allowOrigins: "if not included, port 80 is assumed for http scheme origins, and port 443 … for https". */
function originOf(text: string): OriginPattern | undefined {
  const [, scheme, host, port] = /^(https?):\/\/([^:/]+|\[[^\]]+\])(?::(\d+))?$/.exec(text.toLowerCase()) ?? []
  if (scheme === undefined || host === undefined) return undefined
  return { scheme, host, port: port ?? (scheme === 'https' ? '443' : '80') }
}

function originMatches(pattern: OriginPattern, { scheme, host, port }: OriginPattern): boolean {
  return pattern.scheme === scheme && pattern.port === port && (pattern.host === '*' || covers(pattern.host, host))
}
