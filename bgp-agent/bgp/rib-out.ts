import type { FamilyName } from '../address.ts'
import { type Audience, encodeAttributes, type RouteAttributes } from './attributes.ts'
import { MAX_EXTENDED_LENGTH, MAX_LENGTH } from './message.ts'
import type { Negotiated } from './negotiation.ts'
import type { Prefix } from './prefix.ts'
import { encodeRouteRefresh, RefreshKind } from './route-refresh.ts'
import { announce, type Carriage, endOfRib, withdraw } from './update-encode.ts'

/** A route of ours. Routes with the same attributes share the object: they travel together. */
export interface Route {
  readonly prefix: Prefix
  readonly attributes: RouteAttributes
}

/** By Prefix.text. */
export type Routes = ReadonlyMap<string, Route>

/** What makes of some routes others. */
export interface RouteChanges {
  /** Prefix.text of those that are no more. */
  readonly gone: readonly string[]
  /** New ones, and those that are something else now. */
  readonly set: readonly Route[]
}

/** What turns `before` into `after`. */
export function routeChanges(before: Routes, after: Routes): RouteChanges {
  const gone = [...before.keys()].filter((text) => !after.has(text))
  const set = [...after.values()].filter((route) => before.get(route.prefix.text)?.attributes !== route.attributes)
  return { gone, set }
}

/** Where traffic is to go: 4 octets, 16, or 32 with a link-local address behind. */
export type NextHops = Readonly<Partial<Record<FamilyName, Uint8Array>>>

/** What one session has told its peer. */
export class RibOut {
  readonly #session: Negotiated
  readonly #audience: Audience
  readonly #carriages: ReadonlyMap<FamilyName, Carriage>
  readonly #sent = new Map<string, Route>()
  /** RouteAttributes never change. */
  readonly #encoded = new WeakMap<RouteAttributes, Uint8Array>()

  constructor(session: Negotiated, audience: Audience, nextHops: NextHops) {
    this.#session = session
    this.#audience = audience
    const maxLength = session.extendedMessage ? MAX_EXTENDED_LENGTH : MAX_LENGTH
    this.#carriages = new Map(
      session.families.flatMap((family): [FamilyName, Carriage][] => {
        const nextHop = nextHops[family]
        return nextHop === undefined ? [] : [[family, { family, nextHop, maxLength }]]
      }),
    )
  }

  /** Prefixes that the peer has been told. */
  get sent(): Routes {
    return this.#sent
  }

  /** Of those. */
  count(family: FamilyName): number {
    let count = 0
    for (const { prefix } of this.#sent.values()) if (prefix.family === family) count++
    return count
  }

  /** Whether routes of this family can be told at all: it was agreed on, and there is a next hop. */
  carries(family: FamilyName): boolean {
    return this.#carriages.has(family)
  }

  /** The first messages of a session: all routes, and where each family ends. */
  *begin(routes: Routes): Generator<Uint8Array> {
    yield* this.change({ gone: [], set: [...routes.values()] })
    for (const family of this.#session.families) yield endOfRib(family)
  }

  /** The messages that tell of changes. */
  *change({ gone, set }: RouteChanges): Generator<Uint8Array> {
    const withdrawn = gone.flatMap((text) => this.#sent.get(text)?.prefix ?? [])
    for (const { text } of withdrawn) this.#sent.delete(text)
    const announced: Route[] = []
    for (const route of set) {
      if (!this.carries(route.prefix.family)) continue
      const before = this.#sent.get(route.prefix.text)
      this.#sent.set(route.prefix.text, route)
      if (before === undefined || !this.#saysTheSame(before.attributes, route.attributes)) announced.push(route)
    }
    for (const carriage of this.#carriages.values()) {
      yield* withdraw(ofFamily(withdrawn, carriage), carriage)
      yield* this.#announce(
        announced.filter(({ prefix }) => prefix.family === carriage.family),
        carriage,
      )
    }
  }

  #saysTheSame(a: RouteAttributes, b: RouteAttributes): boolean {
    return a === b || isEqual(this.#octetsOf(a), this.#octetsOf(b))
  }

  /** All of a family again, as the peer has asked. RFC 2918 section 4, RFC 7313 section 4. */
  *refresh(family: FamilyName): Generator<Uint8Array> {
    const carriage = this.#carriages.get(family)
    const isEnhanced = this.#session.enhancedRouteRefresh
    if (isEnhanced) yield encodeRouteRefresh(family, RefreshKind.begin)
    if (carriage !== undefined)
      yield* this.#announce(
        [...this.#sent.values()].filter(({ prefix }) => prefix.family === family),
        carriage,
      )
    if (isEnhanced) yield encodeRouteRefresh(family, RefreshKind.end)
  }

  *#announce(routes: Iterable<Route>, carriage: Carriage): Generator<Uint8Array> {
    const groups = new Map<string, { readonly attributes: Uint8Array; readonly prefixes: Prefix[] }>()
    const byAttributes = new Map<RouteAttributes, Prefix[]>()
    for (const { prefix, attributes } of routes) {
      let prefixes = byAttributes.get(attributes)
      if (prefixes === undefined) {
        const octets = this.#octetsOf(attributes)
        const group = groups.get(octets.join()) ?? { attributes: octets, prefixes: [] }
        groups.set(octets.join(), group)
        prefixes = group.prefixes
        byAttributes.set(attributes, prefixes)
      }
      prefixes.push(prefix)
    }
    for (const { attributes, prefixes } of groups.values()) yield* announce(prefixes, attributes, carriage)
  }

  #octetsOf(attributes: RouteAttributes): Uint8Array {
    const known = this.#encoded.get(attributes)
    if (known !== undefined) return known
    const octets = encodeAttributes(attributes, this.#audience)
    this.#encoded.set(attributes, octets)
    return octets
  }
}

const ofFamily = (prefixes: readonly Prefix[], { family }: Carriage): readonly Prefix[] =>
  prefixes.filter((prefix) => prefix.family === family)

const isEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((octet, index) => octet === b[index])
