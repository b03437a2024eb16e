import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { StatusAddress } from '../control/compile/addresses.ts'
import type { Site } from '../control/compile/compile.ts'
import { type ControllerName, controllerNames } from '../control/compile/features.ts'

/** This machine, as the place where Gateways are served: its own addresses are usable, and a Gateway that asks for none gets
 *  those of `assigned`. */
export function thisMachine(
  controllers: readonly ControllerName[] = controllerNames,
  assigned: readonly string[] = ['127.0.0.1'],
): Site {
  const own = new Set(Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []))
  const usable = ({ type, value }: StatusAddress): boolean =>
    type === 'Hostname' ? value === 'localhost' : (isIP(value) === 4 && value.startsWith('127.')) || own.has(value)
  return { controllers, network: { usable, assigned: assigned.map((value) => ({ type: 'IPAddress', value })) } }
}

/** The addresses at which others find this machine; 127.0.0.1 where it has none. */
export function outerAddresses(): readonly string[] {
  const outer = Object.values(networkInterfaces()).flatMap((list) => list?.filter(({ internal }) => !internal) ?? [])
  // An IPv6 address of the link alone needs a zone that no client knows.
  const found = outer.map(({ address }) => address).filter((address) => !address.startsWith('fe80:'))
  return found.length === 0 ? ['127.0.0.1'] : found
}
