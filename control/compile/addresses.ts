import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import { error, type Finding } from './finding.ts'

/** GatewayStatusAddress. */
export interface StatusAddress {
  readonly type: 'IPAddress' | 'Hostname'
  readonly value: string
}

/** What is known of the network where Gateways are served. */
export interface Network {
  /** Whether traffic for this address comes here. */
  readonly usable: (address: StatusAddress) => boolean
  /** For a Gateway that asks for no address in particular. */
  readonly assigned: readonly StatusAddress[]
}

const isSupported = (type: string): type is StatusAddress['type'] => type === 'IPAddress' || type === 'Hostname'

/** GatewaySpec.addresses: the addresses that a Gateway has, and what is wrong with those that it asks for. */
export function addressesOf(
  gateway: Gateway,
  network: Network,
): { readonly addresses: readonly StatusAddress[]; readonly findings: readonly Finding[] } {
  const addresses: StatusAddress[] = []
  const findings: Finding[] = []
  const asked = gateway.spec.addresses ?? []
  for (const [index, { type, value }] of asked.entries()) {
    const path = ['spec', 'addresses', index]
    if (!isSupported(type)) {
      const message = `addresses of type ${type} are not supported; write IPAddress or Hostname`
      findings.push(error(gateway, [...path, 'type'], 'Accepted', 'UnsupportedAddress', message))
    } else if (value === undefined || value === '') {
      const free = network.assigned.find((address) => address.type === type && !addresses.includes(address))
      if (free !== undefined) addresses.push(free)
      else {
        const message = `there is no ${type} to assign; write a value`
        findings.push(error(gateway, path, 'Programmed', 'AddressNotAssigned', message))
      }
    } else if (network.usable({ type, value })) {
      addresses.push({ type, value })
    } else {
      const message = `${value} is no address of the place where this Gateway is served; write one that is, or leave out the value`
      findings.push(error(gateway, [...path, 'value'], 'Programmed', 'AddressNotUsable', message))
    }
  }
  if (asked.length === 0) {
    addresses.push(...network.assigned)
    if (network.assigned.length === 0) {
      const message = 'there is no address to assign; write one under spec.addresses'
      findings.push(error(gateway, ['spec'], 'Programmed', 'AddressNotAssigned', message))
    }
  }
  return { addresses, findings }
}
