import type { FamilyName } from '../address.ts'
import { type Audience, encodeAttributes, type RouteAttributes } from './attributes.ts'
import { MAX_EXTENDED_LENGTH, MAX_LENGTH } from './message.ts'
import type { Negotiated } from './negotiation.ts'
import { familyOf, type Prefix } from './prefix.ts'
import { encodeRouteRefresh, RefreshKind } from './route-refresh.ts'
import { announce, type Carriage, endOfRib, withdraw } from './update-encode.ts'

/** Routes of ours. Those with the same attributes share the object: they travel together. */
export type Routes = ReadonlyMap<Prefix, RouteAttributes>

/** What makes of some routes others. */
export interface RouteChanges {
  readonly gone: readonly Prefix[]
  /** New ones, and those that are something else now. */
  readonly set: Routes
}

/** What turns `before` into `after`. */
export function routeChanges(before: Routes, after: Routes): RouteChanges {
  const gone: Prefix[] = []
  for (const prefix of before.keys()) if (!after.has(prefix)) gone.push(prefix)
  const set = new Map<Prefix, RouteAttributes>()
  for (const [prefix, attributes] of after) if (before.get(prefix) !== attributes) set.set(prefix, attributes)
  return { gone, set }
}

/** Where traffic is to go: 4 octets, 16, or 32 with a link-local address behind. */
export type NextHops = Readonly<Partial<Record<FamilyName, Uint8Array>>>

/** What one session tells its peer. */
export class RibOut {
  readonly #session: Negotiated
  readonly #audience: Audience
  readonly #carriages: ReadonlyMap<FamilyName, Carriage>
  readonly #routes: Routes
  /** RouteAttributes never change. */
  readonly #encoded = new WeakMap<RouteAttributes, Uint8Array>()

  /** `routes`: what the peer is to be told; before whoever has them changes them, change() says so. */
  constructor(session: Negotiated, audience: Audience, nextHops: NextHops, routes: Routes) {
    this.#session = session
    this.#audience = audience
    this.#routes = routes
    const maxLength = session.extendedMessage ? MAX_EXTENDED_LENGTH : MAX_LENGTH
    this.#carriages = new Map(
      session.families.flatMap((family): [FamilyName, Carriage][] => {
        const nextHop = nextHops[family]
        return nextHop === undefined ? [] : [[family, { family, nextHop, maxLength }]]
      }),
    )
  }

  /** Those that the peer has been told. */
  get sent(): Routes {
    return new Map([...this.#routes].filter(([prefix]) => this.carries(familyOf(prefix))))
  }

  /** Of those. */
  count(family: FamilyName): number {
    let count = 0
    if (this.carries(family)) for (const prefix of this.#routes.keys()) if (familyOf(prefix) === family) count++
    return count
  }

  /** Whether routes of this family can be told at all: it was agreed on, and there is a next hop. */
  carries(family: FamilyName): boolean {
    return this.#carriages.has(family)
  }

  /** The first messages of a session: all routes, and where each family ends. */
  *begin(): Generator<Uint8Array> {
    for (const carriage of this.#carriages.values()) yield* this.#announce(this.#routes, carriage)
    for (const family of this.#session.families) yield endOfRib(family)
  }

  /** The messages that tell of changes which are about to be made. */
  *change({ gone, set }: RouteChanges): Generator<Uint8Array> {
    const announced = new Map<Prefix, RouteAttributes>()
    for (const [prefix, attributes] of set) {
      const before = this.#routes.get(prefix)
      if (before === undefined || !this.#saysTheSame(before, attributes)) announced.set(prefix, attributes)
    }
    for (const carriage of this.#carriages.values()) {
      const isOfFamily = (prefix: Prefix): boolean => familyOf(prefix) === carriage.family
      yield* withdraw(gone.filter(isOfFamily), carriage)
      yield* this.#announce(announced, carriage)
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
    if (carriage !== undefined) yield* this.#announce(this.#routes, carriage)
    if (isEnhanced) yield encodeRouteRefresh(family, RefreshKind.end)
  }

  /** Those of the carriage's family. */
  *#announce(routes: Routes, carriage: Carriage): Generator<Uint8Array> {
    const groups = new Map<string, { readonly attributes: Uint8Array; readonly prefixes: Prefix[] }>()
    const byAttributes = new Map<RouteAttributes, Prefix[]>()
    for (const [prefix, attributes] of routes) {
      if (familyOf(prefix) !== carriage.family) continue
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

const isEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((octet, index) => octet === b[index])
