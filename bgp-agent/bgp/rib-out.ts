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

/** Where traffic is to go: 4 octets, 16, or 32 with a link-local address behind. */
export type NextHops = Readonly<Partial<Record<FamilyName, Uint8Array>>>

/** What one session has told its peer. */
export class RibOut {
  readonly #session: Negotiated
  readonly #audience: Audience
  readonly #carriages: ReadonlyMap<FamilyName, Carriage>
  #sent: Routes = new Map()
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
    yield* this.next(routes)
    for (const family of this.#session.families) yield endOfRib(family)
  }

  /** The messages that turn what the peer has been told into `routes`. */
  *next(routes: Routes): Generator<Uint8Array> {
    const before = this.#sent
    const after = new Map([...routes].filter(([, { prefix }]) => this.carries(prefix.family)))
    this.#sent = after
    for (const carriage of this.#carriages.values()) {
      const gone: Prefix[] = []
      for (const [text, { prefix }] of before)
        if (prefix.family === carriage.family && !after.has(text)) gone.push(prefix)
      yield* withdraw(gone, carriage)
      yield* this.#announce(
        changed(after, before, carriage.family, (route) => this.#octetsOf(route.attributes)),
        carriage,
      )
    }
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

function* changed(
  after: Routes,
  before: Routes,
  family: FamilyName,
  octetsOf: (route: Route) => Uint8Array,
): Generator<Route> {
  for (const [text, route] of after) {
    if (route.prefix.family !== family) continue
    const old = before.get(text)
    if (old?.attributes === route.attributes) continue
    if (old === undefined || !isEqual(octetsOf(old), octetsOf(route))) yield route
  }
}

const isEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((octet, index) => octet === b[index])
