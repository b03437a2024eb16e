import type { EndpointSlice } from '../kube/core/endpoint-slice.ts'
import type { BackendTLSPolicy } from '../kube/gateway-api/backend-tls-policy.ts'
import type { ListenerSet } from '../kube/gateway-api/listener-set.ts'
import type { ReferenceGrant } from '../kube/gateway-api/reference-grant.ts'
import type { Kind, KubeObject, ObjectOf } from '../kube/objects.ts'
import { type Change, difference } from './compile/merge.ts'
import {
  changeOf,
  type Grouping,
  gatewayOf,
  namespaceOf,
  nextGrouping,
  Shelf,
  serviceOf,
  servicesOf,
} from './snapshot-index.ts'

/** Kinds that say nothing of routes or addresses are for agents. */
type RoutedKind = Exclude<Kind, 'Node' | `BGP${string}` | `CiliumBGP${string}` | `${string}L2AnnouncementPolicy`>

type Shelves = { readonly [K in RoutedKind]: Shelf<ObjectOf<K>> }

interface Groupings {
  /** By the Service, which a label names. */
  readonly slices: Grouping<EndpointSlice>
  /** By the namespace that they stand in, as "namespace/". */
  readonly grants: Grouping<ReferenceGrant>
  /** By the Gateway of their parentRef. */
  readonly listenerSets: Grouping<ListenerSet>
  /** By each Service that they target. */
  readonly policies: Grouping<BackendTLSPolicy>
}

/** What can be looked up by name: the object of a kind, or the objects that belong to another. */
export type Topics = { readonly [K in RoutedKind]: ObjectOf<K> } & {
  readonly [G in keyof Groupings]: Groupings[G] extends Grouping<infer T> ? readonly T[] : never
}

export type Indexes = { readonly [T in keyof Topics]: { get(name: string): Topics[T] | undefined } }

/** An immutable view of objects. Its lists are in order of namespace and name, whatever order the objects came in. */
export class Snapshot {
  readonly #objects: readonly KubeObject[]
  readonly #shelves: Shelves
  readonly #groupings: Groupings
  /** By names as nameOf gives them. */
  readonly indexes: Indexes

  private constructor(objects: readonly KubeObject[], shelves: Shelves, groupings: Groupings) {
    this.#objects = objects
    this.#shelves = shelves
    this.#groupings = groupings
    this.indexes = { ...shelves, ...groupings }
  }

  /** Of two objects with the same kind, namespace and name the later one counts. */
  static of(objects: readonly KubeObject[]): Snapshot {
    return new Snapshot([], emptyShelves, emptyGroupings).next(objects)
  }

  /** The view of other objects, which are told apart by identity. What shows nothing but objects that stayed keeps its
   *  identity, and so does the whole view when nothing changed. */
  next(all: readonly KubeObject[]): Snapshot {
    const objects = all.filter(isRouted)
    // An object that hides behind a later one of the same name would not come back when that one goes.
    if (this.#hides) return Snapshot.of(objects)
    const change = difference(this.#objects, objects)
    if (change.removed.size === 0 && change.added.length === 0) return this
    return new Snapshot(objects, nextShelves(this.#shelves, change), nextGroupings(this.#groupings, change))
  }

  look<T extends keyof Topics>(topic: T, name: string): Topics[T] | undefined {
    return this.indexes[topic].get(name)
  }

  /** Services that BackendTLSPolicies target. */
  get policyTargets(): Iterable<string> {
    return this.#groupings.policies.keys()
  }

  list<K extends RoutedKind>(kind: K): readonly ObjectOf<K>[] {
    return this.#shelves[kind].list
  }

  get #hides(): boolean {
    const shown = Object.values(this.#shelves).reduce((sum, { list }) => sum + list.length, 0)
    return shown !== this.#objects.length
  }
}

const isRouted = ({ kind }: KubeObject): boolean => kind in emptyShelves

const emptyShelves: Shelves = {
  BackendTLSPolicy: new Shelf(),
  CiliumLoadBalancerIPPool: new Shelf(),
  ConfigMap: new Shelf(),
  EndpointSlice: new Shelf(),
  GRPCRoute: new Shelf(),
  Gateway: new Shelf(),
  GatewayClass: new Shelf(),
  HTTPRoute: new Shelf(),
  ListenerSet: new Shelf(),
  LoadBalancerIPPool: new Shelf(),
  Namespace: new Shelf(),
  ReferenceGrant: new Shelf(),
  Secret: new Shelf(),
  Service: new Shelf(),
  TCPRoute: new Shelf(),
  TLSRoute: new Shelf(),
  UDPRoute: new Shelf(),
}

const emptyGroupings: Groupings = { slices: new Map(), grants: new Map(), listenerSets: new Map(), policies: new Map() }

function nextShelves(shelves: Shelves, change: Change<KubeObject>): Shelves {
  const next = <K extends RoutedKind>(kind: K): Shelf<ObjectOf<K>> => shelves[kind].next(changeOf(change, kind))
  return {
    BackendTLSPolicy: next('BackendTLSPolicy'),
    CiliumLoadBalancerIPPool: next('CiliumLoadBalancerIPPool'),
    ConfigMap: next('ConfigMap'),
    EndpointSlice: next('EndpointSlice'),
    GRPCRoute: next('GRPCRoute'),
    Gateway: next('Gateway'),
    GatewayClass: next('GatewayClass'),
    HTTPRoute: next('HTTPRoute'),
    ListenerSet: next('ListenerSet'),
    LoadBalancerIPPool: next('LoadBalancerIPPool'),
    Namespace: next('Namespace'),
    ReferenceGrant: next('ReferenceGrant'),
    Secret: next('Secret'),
    Service: next('Service'),
    TCPRoute: next('TCPRoute'),
    TLSRoute: next('TLSRoute'),
    UDPRoute: next('UDPRoute'),
  }
}

const nextGroupings = (groupings: Groupings, change: Change<KubeObject>): Groupings => ({
  slices: nextGrouping(groupings.slices, changeOf(change, 'EndpointSlice'), serviceOf),
  grants: nextGrouping(groupings.grants, changeOf(change, 'ReferenceGrant'), namespaceOf),
  listenerSets: nextGrouping(groupings.listenerSets, changeOf(change, 'ListenerSet'), gatewayOf),
  policies: nextGrouping(groupings.policies, changeOf(change, 'BackendTLSPolicy'), servicesOf),
})
