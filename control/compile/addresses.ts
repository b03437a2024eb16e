import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import type { Outcome } from '../addresses/allocation.ts'
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
  /** Whether it is served at all: not while pools that select it give it no address, and somebody else may have the one that
   *  it asks for. */
  readonly isPlaced: boolean
  readonly findings: readonly Finding[]
}

/**
 * GatewaySpec.addresses: the addresses that a Gateway has, and what is wrong with those that it asks for. `outcome` is what
 * becomes of its claim on pools, which go before the network: it has the entries of type IPAddress, in order.
 */
export function addressesOf(gateway: Gateway, network: Network, outcome: Outcome | undefined): GatewayAddresses {
  const addresses: StatusAddress[] = []
  const asked: string[] = []
  const unusable: string[] = []
  const findings: Finding[] = []
  const pooled = outcome?.isSelected === true ? outcome : undefined
  const wanted = gateway.spec.addresses ?? []
  let want = 0
  for (const [index, { type, value }] of wanted.entries()) {
    const path = ['spec', 'addresses', index]
    const nth = type === 'IPAddress' ? want++ : -1
    const given = pooled?.given[nth]
    const refusal = pooled?.refusals[nth]
    if (!isSupported(type)) {
      const message = `addresses of type ${type} are not supported; write IPAddress or Hostname`
      findings.push(error(gateway, [...path, 'type'], 'Accepted', 'UnsupportedAddress', message))
    } else if (given !== undefined) {
      addresses.push({ type, value: given.address })
      asked.push(given.address)
    } else if (value === undefined || value === '') {
      const free = network.assigned.find((address) => address.type === type && !addresses.includes(address))
      if (refusal === undefined && free !== undefined) addresses.push(free)
      else {
        const message = refusal?.message ?? `there is no ${type} to assign; write a value`
        findings.push(error(gateway, path, 'Programmed', 'AddressNotAssigned', message))
      }
    } else if (refusal?.reason !== 'already_allocated_incompatible_service' && network.usable({ type, value })) {
      addresses.push({ type, value })
      if (type === 'IPAddress') asked.push(value)
    } else {
      const message =
        refusal === undefined
          ? `${value} is no address of the place where this Gateway is served; write one that is, or leave out the value`
          : `${refusal.message}; write another, or leave out the value`
      findings.push(error(gateway, [...path, 'value'], 'Programmed', 'AddressNotUsable', message))
      if (type === 'IPAddress') unusable.push(value)
    }
  }
  if (wanted.length === 0) {
    const own = pooled?.given.flatMap((given) => given?.address ?? []) ?? []
    addresses.push(...(pooled === undefined ? network.assigned : own.map(ipAddress)))
    asked.push(...own)
    const why = pooled?.refusal?.message
    if (why !== undefined || addresses.length === 0) {
      const message = why ?? 'there is no address to assign; write one under spec.addresses'
      findings.push(error(gateway, ['spec'], 'Programmed', 'AddressNotAssigned', message))
    }
  }
  return {
    addresses,
    asked: addresses.length === 0 ? unusable : asked,
    isPlaced: pooled === undefined || addresses.length > 0,
    findings,
  }
}

const ipAddress = (value: string): StatusAddress => ({ type: 'IPAddress', value })
