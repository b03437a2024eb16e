import type { ReferenceGrant } from '../../kube/gateway-api/reference-grant.ts'
import { gatewayGroup } from '../../kube/gateway-api/versions.ts'
import { nameOf } from '../snapshot-index.ts'
import type { Source } from './source.ts'

/** A kind of the Gateway API that refers to objects, and the namespace it does so from. */
export interface Referrer {
  readonly kind: string
  readonly namespace: string
}

export interface Referent {
  readonly group: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** Whether a reference may be followed: within a namespace always, into another by a ReferenceGrant that stands there. */
export function permitted(from: Referrer, to: Referent, source: Source): boolean {
  if (from.namespace === to.namespace) return true
  return source.look('grants', nameOf(to.namespace, ''))?.some((grant) => permits(grant, from, to)) ?? false
}

const permits = ({ spec }: ReferenceGrant, from: Referrer, to: Referent): boolean =>
  spec.from.some(
    ({ group, kind, namespace }) => group === gatewayGroup && kind === from.kind && namespace === from.namespace,
  ) && spec.to.some(({ group, kind, name }) => group === to.group && kind === to.kind && (name ?? to.name) === to.name)

/** What a ReferenceGrant would have to say, for a message. */
export const missingGrant = (from: Referrer, { group, kind, namespace, name }: Referent): string =>
  `no ReferenceGrant in namespace ${namespace} lets ${from.kind}s of namespace ${from.namespace} refer to ${kind} ${name}; ` +
  `create one with from {group: ${gatewayGroup}, kind: ${from.kind}, namespace: ${from.namespace}} and to {group: ${JSON.stringify(group)}, kind: ${kind}}`
