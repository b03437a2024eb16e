import type { Condition, KubeObject } from '../../kube/objects.ts'
import type { Outcome, PoolUse } from './allocation.ts'

// Conditions by the names that Cilium gives them.

const stamped = (
  { metadata }: KubeObject,
  now: string,
  type: string,
  status: Condition['status'],
  reason: string,
  message: string,
): Condition => ({ type, status, reason, message, observedGeneration: metadata.generation, lastTransitionTime: now })

/** Of a Service. */
export function claimConditions({ refusal }: Outcome, object: KubeObject, now: string): readonly Condition[] {
  const type = 'cilium.io/IPAMRequestSatisfied'
  return [
    refusal === undefined
      ? stamped(object, now, type, 'True', 'satisfied', '')
      : stamped(object, now, type, 'False', refusal.reason, refusal.message),
  ]
}

/** Counts stand in the messages. */
export function poolConditions({ pool, conflict, total, used }: PoolUse, now: string): readonly Condition[] {
  const count = (type: string, number: bigint): Condition =>
    stamped(pool, now, type, 'Unknown', 'noreason', number.toString())
  return [
    conflict === undefined
      ? stamped(pool, now, 'cilium.io/PoolConflict', 'False', 'resolved', '')
      : stamped(pool, now, 'cilium.io/PoolConflict', 'True', 'cidr_overlap', conflict),
    count('cilium.io/IPsTotal', total),
    count('cilium.io/IPsAvailable', available({ total, used })),
    count('cilium.io/IPsUsed', BigInt(used)),
  ]
}

export const available = ({ total, used }: Pick<PoolUse, 'total' | 'used'>): bigint => total - BigInt(used)
