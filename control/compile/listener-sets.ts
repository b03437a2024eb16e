import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import type { ListenerSet } from '../../kube/gateway-api/listener-set.ts'
import { nameOf } from '../snapshot-index.ts'
import { oldestFirst } from './age.ts'
import { error, type Finding } from './finding.ts'
import { isOpen, type Namespaces } from './namespaces.ts'
import type { Source } from './source.ts'

/** The ListenerSets that refer to a Gateway, allowed or not, in order of precedence. ListenerSetSpec.listeners. */
export function listenerSetsOf({ metadata }: Gateway, source: Source): readonly ListenerSet[] {
  return (source.look('listenerSets', nameOf(metadata.namespace, metadata.name)) ?? []).toSorted(oldestFirst)
}

const closed: Namespaces = { from: 'None' }

const remedies = {
  None: 'allows no ListenerSets; set its spec.allowedListeners.namespaces.from to Same, Selector or All',
  Same: 'allows ListenerSets of its own namespace only; move this one there, or widen spec.allowedListeners.namespaces of the Gateway',
  Selector:
    'allows ListenerSets of the namespaces that spec.allowedListeners.namespaces.selector selects, and this is none of them',
  All: '',
} as const

/** Why a Gateway does not take a ListenerSet. GatewaySpec.allowedListeners. */
export function allowance({ metadata, spec }: Gateway, set: ListenerSet, source: Source): readonly Finding[] {
  const namespaces = spec.allowedListeners?.namespaces ?? closed
  if (isOpen(namespaces, metadata.namespace, set.metadata.namespace, source)) return []
  const message = `Gateway ${metadata.namespace}/${metadata.name} ${remedies[namespaces.from]}`
  return [error(set, ['spec', 'parentRef'], 'Accepted', 'NotAllowed', message)]
}
