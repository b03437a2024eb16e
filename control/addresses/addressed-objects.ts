import { isDeepStrictEqual } from 'node:util'
import type { Service } from '../../kube/core/service.ts'
import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import { type KubeObject, keyOf } from '../../kube/objects.ts'
import { isSameList } from '../compile/merge.ts'
import { type Allocation, addresses, addressObjects, allocate, noAllocation, type Outcome } from './allocation.ts'

/** Objects with the addresses that they are given: Services in their status, Gateways in place of what they ask for. For agents,
 *  which announce what objects say. */
export class AddressedObjects {
  #allocation: Allocation = noAllocation
  /** What was made of an object. */
  readonly #made = new WeakMap<KubeObject, KubeObject>()

  /** An object that has not changed, and whose addresses have not, is the very same as the last time. */
  next(all: readonly KubeObject[]): readonly KubeObject[] {
    this.#allocation = allocate(addressObjects(all), this.#allocation)
    const { outcomes } = this.#allocation
    if (outcomes.size === 0) return all
    return all.map((object) => {
      if (object.kind !== 'Service' && object.kind !== 'Gateway') return object
      const outcome = outcomes.get(keyOf(object))
      if (outcome === undefined || !outcome.isSelected) return object
      return object.kind === 'Service' ? this.#service(object, outcome) : this.#gateway(object, outcome)
    })
  }

  #service(service: Service, outcome: Outcome): Service {
    const given = addresses(outcome)
    const before = this.#made.get(service) ?? service
    if (before.kind === 'Service' && isSameList(ingress(before), given)) return before
    const made: Service = { ...service, status: { loadBalancer: { ingress: given.map((ip) => ({ ip })) } } }
    this.#made.set(service, made)
    return made
  }

  #gateway(gateway: Gateway, outcome: Outcome): Gateway {
    const given = addresses(outcome)
    const { addresses: asked = [] } = gateway.spec
    // What is of no pool is for the place where the Gateway is served.
    const wants = outcome.claim.wants.filter(
      (_, index) => outcome.given[index] !== undefined || outcome.refusals[index]?.reason === 'no_pool',
    )
    const values = [...new Set([...given, ...wants.flatMap(({ address }) => address ?? [])])]
    const others = asked.filter(({ type }) => type !== 'IPAddress')
    const all = [...values.map((value) => ({ type: 'IPAddress', value })), ...others]
    const before = this.#made.get(gateway)
    if (before?.kind === 'Gateway' && isDeepStrictEqual(before.spec.addresses, all)) return before
    const made: Gateway = { ...gateway, spec: { ...gateway.spec, addresses: all } }
    this.#made.set(gateway, made)
    return made
  }
}

const ingress = ({ status }: Service): readonly string[] =>
  (status?.loadBalancer.ingress ?? []).flatMap(({ ip }) => ip ?? [])
