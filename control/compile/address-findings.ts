import { keyOf } from '../../kube/objects.ts'
import type { Allocation } from '../addresses/allocation.ts'
import { type Finding, warning } from './finding.ts'

/** What is wrong with pools, records, and what Services ask of pools. What is wrong with what Gateways ask is told with them. */
export function addressFindings({ objects, pools, outcomes, faults }: Allocation): readonly Finding[] {
  return [
    ...pools.flatMap(({ pool, conflict }) =>
      conflict === undefined
        ? []
        : [warning(pool, ['spec', 'blocks'], 'PoolConflict', `${conflict}, so this pool gives no addresses`)],
    ),
    ...faults.map(({ map, key, message }) => warning(map, ['data', key], 'UnknownValue', message)),
    ...[...objects.services, ...objects.gateways].flatMap((object): readonly Finding[] => {
      const outcome = outcomes.get(keyOf(object))
      if (outcome === undefined) return []
      const { claim, refusal, lost, isSelected } = outcome
      return [
        ...claim.faults.map((message) => warning(object, ['metadata', 'annotations'], 'UnknownValue', message)),
        ...(isSelected ? lost : []).map(({ address, why }) =>
          warning(object, ['status'], 'AddressLost', `had ${address}, and has it no more: ${why}`),
        ),
        ...(refusal === undefined || claim.kind === 'Gateway' || !isSelected
          ? []
          : [warning(object, ['spec'], 'AddressNotAssigned', refusal.message)]),
      ]
    }),
  ]
}
