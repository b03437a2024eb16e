import type { HeaderEdit } from '../../engine/decision.ts'
import { hostPort } from '../../engine/host-port.ts'
import type { Backend } from '../../proto/gen/route_table.ts'
import { AppProtocol, Origin } from '../../proto/gen/route_table.ts'
import type { Branch, Fate, ForwardFate, Outcome } from './fate.ts'

/** The sides of a fate that can differ by themselves, in words. */
const facetNames = [
  'answer',
  'backends',
  'weights',
  'endpoints',
  'redirect',
  'host',
  'path',
  'request headers',
  'response headers',
  'mirrors',
  'timeouts',
  'retry',
  'session',
] as const
export type Facet = (typeof facetNames)[number]

/** What an answer of Landfall's own has no part in. */
const OF_FORWARDING: ReadonlySet<Facet> = new Set([
  'endpoints',
  'host',
  'path',
  'request headers',
  'mirrors',
  'timeouts',
  'retry',
  'session',
])

/** In what two fates differ; at least something when they do. */
export function differingFacets(before: Fate, after: Fate): readonly Facet[] {
  const differing = facetNames.filter((facet) =>
    facet === 'endpoints' ? haveMoved(before, after) : facetKey(before, facet) !== facetKey(after, facet),
  )
  const areForwards = [before, after].every((fate) => fate.some(({ outcome }) => outcome.type === 'forward'))
  const telling = areForwards ? differing : differing.filter((facet) => !OF_FORWARDING.has(facet))
  // Shares of other backends are other shares anyway, and so are their endpoints.
  if (telling.includes('backends')) return telling.filter((facet) => facet !== 'weights' && facet !== 'endpoints')
  if (telling.includes('redirect') || telling.includes('answer')) return telling.filter((facet) => facet !== 'weights')
  return telling.length === 0 ? ['backends'] : telling
}

const backendsOf = (outcome: Outcome): readonly Backend[] =>
  outcome.type === 'forward' ? [outcome.backend, ...outcome.mirrors.map(({ backend }) => backend)] : []

/** Whether a backend that both fates lead to is not what it was. */
function haveMoved(before: Fate, after: Fate): boolean {
  const young = new Map(
    after.flatMap(({ outcome }) => backendsOf(outcome)).map((each) => [each.key, JSON.stringify(each)]),
  )
  const old = before.flatMap(({ outcome }) => backendsOf(outcome))
  return old.some((each) => (young.get(each.key) ?? JSON.stringify(each)) !== JSON.stringify(each))
}

/** Equal for fates that do not differ on this side. */
function facetKey(fate: Fate, facet: Exclude<Facet, 'endpoints'>): string {
  if (facet !== 'session') return facetText(fate, facet)
  const sessions = fate.map(({ outcome }) => JSON.stringify(outcome.type === 'forward' ? outcome.session : undefined))
  return [...new Set(sessions)].sort().join()
}

/** What one side of a fate is; "" where the fate has none. */
function facetText(fate: Fate, facet: Facet): string {
  if (facet === 'weights')
    return fate
      .map(({ share, outcome }) => `${percent(share)} ${targetText(outcome)}`)
      .sort()
      .join(', ')
  const texts = new Set(fate.map(({ outcome }) => outcomeText(outcome, facet)))
  return [...texts].sort().join(' or ')
}

function outcomeText(outcome: Outcome, facet: Exclude<Facet, 'weights'>): string {
  if (facet === 'response headers') return editText(outcome.responseHeaders)
  switch (outcome.type) {
    case 'respond':
      return facet === 'answer' ? targetText(outcome) : ''
    case 'redirect':
      return facet === 'redirect' ? targetText(outcome) : ''
    case 'forward':
      return forwardText(outcome, facet)
  }
}

function forwardText(outcome: ForwardFate, facet: Exclude<Facet, 'weights'>): string {
  const { backend, authority, path, query, mirrors, requestTimeout, backendTimeout, retry, session } = outcome
  switch (facet) {
    case 'backends':
      return backend.key
    case 'endpoints':
      return backendText(backend)
    case 'host':
      return authority
    case 'path':
      return path + (query === '' ? '' : `?${query}`)
    case 'request headers':
      return editText(outcome.requestHeaders)
    case 'mirrors':
      return mirrors
        .map((mirror) => (mirror.share === 1 ? mirror.backend.key : `${percent(mirror.share)} ${mirror.backend.key}`))
        .join(', ')
    case 'timeouts':
      return [
        ...(requestTimeout === 0 ? [] : [`${duration(requestTimeout)} for the request`]),
        ...(backendTimeout === 0 ? [] : [`${duration(backendTimeout)} for each try`]),
      ].join(', ')
    case 'retry':
      if (retry === undefined) return ''
      return `${retry.attempts} more tries on ${retry.codes.join(', ') || 'lost connections'}, the first after ${duration(retry.backoff)}`
    case 'session': {
      if (session === undefined) return ''
      const { kind, name, absoluteTimeout, permanent, scope } = session
      const where = kind === 'cookie' ? `cookie ${name} on ${session.path}` : `header ${name}`
      const life = absoluteTimeout === 0 ? '' : ` for ${absoluteTimeout}s`
      return `${where}${life}${permanent ? ', permanent' : ''} (${scope.toString(36)})`
    }
    default:
      return ''
  }
}

/** Where an outcome leads, in a few words. */
function targetText(outcome: Outcome): string {
  switch (outcome.type) {
    case 'forward':
      return outcome.backend.key
    case 'redirect':
      return `${outcome.status} to ${outcome.location}`
    case 'respond':
      return `${outcome.status} ${outcome.why}`
  }
}

/** Where a fate leads: "shop/cart:80", or "90 % shop/cart:80, 10 % shop/next:80". */
export function fateText(fate: Fate): string {
  const shares = Map.groupBy(fate, ({ outcome }) => targetText(outcome))
  const total = (branches: readonly Branch[]): number => branches.reduce((sum, { share }) => sum + share, 0)
  const sorted = [...shares]
    .map(([text, branches]) => ({ text, share: total(branches) }))
    .sort((a, b) => b.share - a.share)
  return sorted.map(({ text, share }) => (sorted.length === 1 ? text : `${percent(share)} ${text}`)).join(', ')
}

/** Places that fateText tells of already. */
const TOLD: ReadonlySet<Facet> = new Set(['answer', 'backends', 'weights', 'redirect'])

/** fateText, and what it leaves out of the sides that differ. */
export function fateLines(fate: Fate, facets: readonly Facet[]): readonly string[] {
  const details = facets.filter((facet) => !TOLD.has(facet))
  return [fateText(fate), ...details.map((facet) => `${facet}: ${facetText(fate, facet) || 'none'}`)]
}

export const percent = (share: number): string => `${Number((share * 100).toFixed(2))} %`

const duration = (milliseconds: number): string =>
  milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`

function editText({ remove, set, add }: HeaderEdit): string {
  return [
    ...remove.map((name) => `remove ${name}`),
    ...set.map(([name, value]) => `set ${name}: ${value}`),
    ...add.map(([name, value]) => `add ${name}: ${value}`),
  ].join(', ')
}

const PROTOCOLS = new Map<number, string>([
  [AppProtocol.HTTP1, 'http/1.1'],
  [AppProtocol.H2C, 'h2c'],
  [AppProtocol.WS, 'ws'],
])

/** Most endpoints that are written out. */
const MOST_ENDPOINTS = 8

/** What a backend is, besides its name. */
export function backendText({ key, protocol, origin, originAddress, endpoints, tls }: Backend): string {
  const places = endpoints.map(({ address, port }) => hostPort(address, port))
  const more = places.length > MOST_ENDPOINTS ? ` and ${places.length - MOST_ENDPOINTS} more` : ''
  const at = origin === Origin.CONNECTOR ? '' : ` by ${origin === Origin.URL ? 'URL' : 'override'} ${originAddress}`
  const security = tls === undefined ? '' : ` with TLS for ${tls.hostname}`
  const where = places.length === 0 ? 'no endpoints' : places.slice(0, MOST_ENDPOINTS).join(', ') + more
  return `${key} ${PROTOCOLS.get(protocol) ?? protocol} at ${where}${at}${security}`
}
