import type { Service } from '../../kube/core/service.ts'
import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import { keyOf } from '../../kube/objects.ts'
import type { Allocation, Outcome } from '../addresses/allocation.ts'
import { type Finding, warning } from './finding.ts'

/** What is wrong with pools, records, and what Services ask of pools. What is wrong with what Gateways ask is told with them. */
export function addressFindings({ objects, pools, outcomes, faults }: Allocation): readonly Finding[] {
  const found = [
    ...pools.flatMap(({ pool, conflict }) =>
      conflict === undefined
        ? []
        : [warning(pool, ['spec', 'blocks'], 'PoolConflict', `${conflict}, so this pool gives no addresses`)],
    ),
    ...faults.map(({ map, key, message }) => warning(map, ['data', key], 'UnknownValue', message)),
  ]
  if (![...outcomes.values()].some(isTelling)) return found
  for (const object of [...objects.services, ...objects.gateways]) {
    const outcome = outcomes.get(keyOf(object))
    if (outcome !== undefined && isTelling(outcome)) found.push(...findingsOf(object, outcome))
  }
  return found
}

const isTelling = ({ claim, refusal, lost }: Outcome): boolean =>
  claim.faults.length > 0 || refusal !== undefined || lost.length > 0

/** What no pool selects has its addresses from somebody else, who knows better. */
function findingsOf(object: Service | Gateway, { claim, refusal, lost, isSelected }: Outcome): readonly Finding[] {
  const found = claim.faults.map((message) => warning(object, ['metadata', 'annotations'], 'UnknownValue', message))
  if (!isSelected) return found
  for (const { address, why } of lost)
    found.push(warning(object, ['status'], 'AddressLost', `had ${address}, and has it no more: ${why}`))
  if (refusal !== undefined && object.kind === 'Service')
    found.push(warning(object, ['spec'], 'AddressNotAssigned', refusal.message))
  return found
}
