import type { RouteAttributes } from '../bgp/attributes.ts'
import {
  formatCommunity,
  formatLargeCommunity,
  type LargeCommunity,
  parseCommunity,
  parseLargeCommunity,
  wellKnown,
  wellKnownCommunity,
} from '../bgp/communities.ts'
import type { Advertisement } from './node-objects.ts'

/** Of a Service: communities for its routes besides those of advertisements, with commas between. */
export const communitiesAnnotation = 'landfall.dev/bgp-communities'

type Attributes = Advertisement['spec']['advertisements'][number]['attributes']

/** What an advertisement says of its routes. */
export function attributesOf(attributes: Attributes): RouteAttributes {
  const { communities, localPreference } = attributes
  const more = 'prepend' in attributes ? attributes : undefined
  return {
    prepend: more?.prepend ?? 0,
    med: more?.med,
    localPreference,
    communities: ascending([
      ...communities.standard.flatMap((text) => parseCommunity(text) ?? []),
      ...communities.wellKnown.map((name) => wellKnown[name]),
    ]),
    largeCommunities: ascendingLarge(
      communities.large.map(parseLargeCommunity).filter((community) => community !== undefined),
    ),
  }
}

/** These attributes with the communities of an annotation, too, and the parts of it that are none. */
export function withAnnotation(
  attributes: RouteAttributes,
  text: string,
): { readonly attributes: RouteAttributes; readonly bad: readonly string[] } {
  const communities = [...attributes.communities]
  const largeCommunities = [...attributes.largeCommunities]
  const bad: string[] = []
  for (const part of text.split(',').map((part) => part.trim())) {
    const community = wellKnownCommunity(part) ?? parseCommunity(part)
    const largeCommunity = parseLargeCommunity(part)
    if (community !== undefined) communities.push(community)
    else if (largeCommunity !== undefined) largeCommunities.push(largeCommunity)
    else if (part !== '') bad.push(part)
  }
  const all = { communities: ascending(communities), largeCommunities: ascendingLarge(largeCommunities) }
  return { attributes: { ...attributes, ...all }, bad }
}

/**
 * Of one prefix by several advertisements, or of several addresses by one aggregate: all communities, and of the rest what
 * makes the route the better one: the highest preference, the lowest metric, the shortest path.
 */
export function merged(a: RouteAttributes, b: RouteAttributes): RouteAttributes {
  return {
    prepend: Math.min(a.prepend, b.prepend),
    med: least(a.med, b.med),
    localPreference: greatest(a.localPreference, b.localPreference),
    communities: ascending([...a.communities, ...b.communities]),
    largeCommunities: ascendingLarge([...a.largeCommunities, ...b.largeCommunities]),
  }
}

// A route without a metric is taken for one of metric 0, one without a preference for whatever the receiver likes.
const least = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : Math.min(a, b)
const greatest = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.max(a, b)

const ascending = (communities: readonly number[]): readonly number[] => [...new Set(communities)].sort((a, b) => a - b)

const ascendingLarge = (communities: readonly LargeCommunity[]): readonly LargeCommunity[] =>
  [...new Map(communities.map((community) => [community.join(), community])).values()].sort(
    (a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2],
  )

/** For people: what is said of a route. */
export function describeAttributes(attributes: RouteAttributes): readonly string[] {
  const { prepend, med, localPreference, communities, largeCommunities } = attributes
  return [
    ...(prepend === 0 ? [] : [`prepend ${prepend}`]),
    ...(med === undefined ? [] : [`med ${med}`]),
    ...(localPreference === undefined ? [] : [`local preference ${localPreference}`]),
    ...(communities.length === 0 ? [] : [`communities ${communities.map(formatCommunity).join(' ')}`]),
    ...(largeCommunities.length === 0
      ? []
      : [`large communities ${largeCommunities.map(formatLargeCommunity).join(' ')}`]),
  ]
}

/** Attributes that are kept; where there are more, all are forgotten, and equal ones are two objects for once. */
const MOST = 10_000

/** One object for all that are equal, so that routes which travel together share it. */
export class SharedAttributes {
  readonly #known = new Map<string, RouteAttributes>()

  of(attributes: RouteAttributes): RouteAttributes {
    const { prepend, med, localPreference, communities, largeCommunities } = attributes
    const key = [prepend, med, localPreference, communities.join(), largeCommunities.join(';')].join(' ')
    const known = this.#known.get(key)
    if (known !== undefined) return known
    if (this.#known.size >= MOST) this.#known.clear()
    this.#known.set(key, attributes)
    return attributes
  }
}
