import type { KubeObject } from '../../kube/objects.ts'
import { nameOf } from '../snapshot-index.ts'
import { compareText } from './merge.ts'

/** Milliseconds since the epoch. An object without a time has not been created yet: it is younger than all that have. */
export function createdAt({ metadata: { creationTimestamp } }: KubeObject): number {
  const time = creationTimestamp === undefined ? Number.NaN : Date.parse(creationTimestamp)
  return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time
}

/** The API's order among equals: "the oldest based on creation timestamp", then "first in alphabetical order by {namespace}/{name}". */
export function oldestFirst(a: KubeObject, b: KubeObject): number {
  const [created, other] = [createdAt(a), createdAt(b)]
  // Two infinities have no difference.
  if (created !== other) return created < other ? -1 : 1
  return compareText(nameOf(a.metadata.namespace, a.metadata.name), nameOf(b.metadata.namespace, b.metadata.name))
}
