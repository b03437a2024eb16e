import type { Filter, HeaderModifier, Redirect, UrlRewrite } from '../proto/gen/route_table.ts'
import { CorsPolicy } from './cors.ts'
import type { HeaderEdit } from './decision.ts'
import type { RequestFacts } from './facts.ts'
import { headerEdit } from './headers.ts'
import { MirrorLink } from './mirror.ts'

/** How many different Filters are kept for rules to come. */
const MOST_SHARED = 1_000

/**
 * One Filters for all rules that have the same, as most of a large table do: what many requests meet stays in the
 * processor's caches.
 */
export class SharedFilters {
  readonly #known = new Map<string, Filters>()

  of(filters: readonly Filter[]): Filters {
    if (filters.length === 0) return NO_FILTERS
    const key = JSON.stringify(filters)
    let shared = this.#known.get(key)
    if (shared === undefined) {
      shared = new Filters(filters)
      if (this.#known.size >= MOST_SHARED) this.#known.clear()
      this.#known.set(key, shared)
    }
    return shared
  }
}

/** The filters of a rule, or of a rule and then of one of its backendRefs, made ready once for all requests. */
export class Filters {
  readonly requestHeaders: HeaderEdit
  readonly redirect: Redirect | undefined
  readonly rewrite: UrlRewrite | undefined
  readonly mirrors: readonly MirrorLink[]
  readonly cors: CorsPolicy | undefined
  /** In the order of the filters; undefined stands for CORS, whose part depends on the request. */
  readonly #response: readonly (HeaderModifier | undefined)[]
  readonly #responseHeaders: HeaderEdit

  /** Of a kind that may stand once only, the last counts: a backendRef's own. */
  constructor(filters: readonly Filter[]) {
    const requestHeaders: HeaderModifier[] = []
    const response: (HeaderModifier | undefined)[] = []
    const mirrors: MirrorLink[] = []
    let redirect: Redirect | undefined
    let rewrite: UrlRewrite | undefined
    let cors: CorsPolicy | undefined
    for (const { kind } of filters) {
      switch (kind?.$case) {
        case 'requestHeaders':
          requestHeaders.push(kind.value)
          break
        case 'responseHeaders':
          response.push(kind.value)
          break
        case 'redirect':
          redirect = kind.value
          break
        case 'rewrite':
          rewrite = kind.value
          break
        case 'mirror':
          if (kind.value.backend !== '') mirrors.push(new MirrorLink(kind.value))
          break
        case 'cors':
          cors = new CorsPolicy(kind.value)
          response.push(undefined)
          break
      }
    }
    this.requestHeaders = headerEdit(requestHeaders)
    this.redirect = redirect
    this.rewrite = rewrite
    this.mirrors = mirrors
    this.cors = cors
    this.#response = response
    this.#responseHeaders = headerEdit(response.filter((modifier) => modifier !== undefined))
  }

  /** For any response to this request. */
  responseHeaders(facts: RequestFacts): HeaderEdit {
    if (this.cors === undefined) return this.#responseHeaders
    const cors = this.cors.responseHeaders(facts)
    return headerEdit(this.#response.map((modifier) => modifier ?? cors))
  }
}

const NO_FILTERS = new Filters([])
