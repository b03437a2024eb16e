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

export interface GatewayAddresses {
  /** All that the Gateway has. */
  readonly addresses: readonly StatusAddress[]
  /** IP addresses that it asks for, for data planes to listen on: those that it has. Of a Gateway that has no address at all
   *  those that it cannot have, since elsewhere nobody wants it. */
  readonly asked: readonly string[]
  readonly findings: readonly Finding[]
}

/** GatewaySpec.addresses: the addresses that a Gateway has, and what is wrong with those that it asks for. */
export function addressesOf(gateway: Gateway, network: Network): GatewayAddresses {
  const addresses: StatusAddress[] = []
  const asked: string[] = []
  const unusable: string[] = []
  const findings: Finding[] = []
  const wanted = gateway.spec.addresses ?? []
  for (const [index, { type, value }] of wanted.entries()) {
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
      if (type === 'IPAddress') asked.push(value)
    } else {
      const message = `${value} is no address of the place where this Gateway is served; write one that is, or leave out the value`
      findings.push(error(gateway, [...path, 'value'], 'Programmed', 'AddressNotUsable', message))
      if (type === 'IPAddress') unusable.push(value)
    }
  }
  if (wanted.length === 0) {
    addresses.push(...network.assigned)
    if (network.assigned.length === 0) {
      const message = 'there is no address to assign; write one under spec.addresses'
      findings.push(error(gateway, ['spec'], 'Programmed', 'AddressNotAssigned', message))
    }
  }
  return { addresses, asked: addresses.length === 0 ? unusable : asked, findings }
}
