import type { EndpointSlice } from '../kube/core/endpoint-slice.ts'
import type { BackendTLSPolicy } from '../kube/gateway-api/backend-tls-policy.ts'
import type { ListenerSet } from '../kube/gateway-api/listener-set.ts'
import type { ReferenceGrant } from '../kube/gateway-api/reference-grant.ts'
import { gatewayGroup } from '../kube/gateway-api/versions.ts'
import type { Kind, KubeObject, ObjectOf } from '../kube/objects.ts'
import { type Change, compareText, merged } from './compile/merge.ts'

// The indexes behind a Snapshot, and how they follow a change: an index that shows none of the changed objects is taken over.

const isOf = <K extends Kind>(object: KubeObject, kind: K): object is ObjectOf<K> => object.kind === kind

export const changeOf = <K extends Kind>({ removed, added }: Change<KubeObject>, kind: K): Change<ObjectOf<K>> => ({
  removed: new Set([...removed].filter((object) => isOf(object, kind))),
  added: added.filter((object) => isOf(object, kind)),
})

/** "namespace/name"; "/name" for a kind without namespaces. */
export const nameOf = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`

const inOrder = ({ metadata: a }: KubeObject, { metadata: b }: KubeObject): number =>
  compareText(a.namespace ?? '', b.namespace ?? '') || compareText(a.name, b.name)

const named = ({ metadata }: KubeObject): string => nameOf(metadata.namespace, metadata.name)

/** The objects of a kind: by name, and in order of namespace and name. */
export class Shelf<T extends KubeObject> {
  readonly list: readonly T[]
  /** undefined until it is needed: nothing looks up routes. */
  #byName: ReadonlyMap<string, T> | undefined

  constructor(list: readonly T[] = []) {
    this.list = list
  }

  get(name: string): T | undefined {
    this.#byName ??= new Map(this.list.map((object) => [named(object), object]))
    return this.#byName.get(name)
  }

  /** Of two objects with one name the later counts. */
  next({ removed, added }: Change<T>): Shelf<T> {
    if (removed.size === 0 && added.length === 0) return this
    const arrivals = new Map(added.map((object) => [named(object), object]))
    return new Shelf(merged(this.list, removed, [...arrivals.values()], inOrder))
  }
}

/** Objects that belong to another, by the name of that one. */
export type Grouping<T> = ReadonlyMap<string, readonly T[]>

/** `ownersOf` names what a member belongs to, each name once. A list keeps its identity while its members do. */
export function nextGrouping<T extends KubeObject>(
  grouping: Grouping<T>,
  { removed, added }: Change<T>,
  ownersOf: (member: T) => readonly string[],
): Grouping<T> {
  if (removed.size === 0 && added.length === 0) return grouping
  const arrivals = new Map<string, T[]>()
  for (const member of removed) for (const owner of ownersOf(member)) arrivals.set(owner, [])
  for (const member of added) {
    for (const owner of ownersOf(member)) {
      const list = arrivals.get(owner)
      if (list === undefined) arrivals.set(owner, [member])
      else list.push(member)
    }
  }
  const next = new Map(grouping)
  for (const [owner, members] of arrivals) {
    const list = merged(grouping.get(owner) ?? [], removed, members, inOrder)
    if (list.length === 0) next.delete(owner)
    else next.set(owner, list)
  }
  return next
}

export function serviceOf({ metadata }: EndpointSlice): readonly string[] {
  const service = metadata.labels['kubernetes.io/service-name']
  return service === undefined ? [] : [nameOf(metadata.namespace, service)]
}

export const namespaceOf = ({ metadata }: ReferenceGrant): readonly string[] => [nameOf(metadata.namespace, '')]

export function gatewayOf({ metadata, spec: { parentRef } }: ListenerSet): readonly string[] {
  if (parentRef.group !== gatewayGroup || parentRef.kind !== 'Gateway') return []
  return [nameOf(parentRef.namespace ?? metadata.namespace, parentRef.name)]
}

export function servicesOf({ metadata, spec }: BackendTLSPolicy): readonly string[] {
  const services = spec.targetRefs.filter(({ group, kind }) => group === '' && kind === 'Service')
  return [...new Set(services.map(({ name }) => nameOf(metadata.namespace, name)))]
}
